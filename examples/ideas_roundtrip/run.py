"""From an IDEAS analysis and back: groups by a rule on its features, as populations that IDEAS' users know.

The rule is plain on purpose: the DNA content of the cells, ``Intensity_MC_DAPI`` as
IDEAS computed it, cut at two thresholds.

    python examples/ideas_roundtrip/run.py ANALYSIS.daf [WORKING_FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from ifcyto.pipeline.export_daf import export_daf
from ifcyto.pipeline.feature_files import read_features
from ifcyto.pipeline.gate import gate_daf
from ifcyto.pipeline.populations import export_pop, read_populations

FEATURE = "Intensity_MC_DAPI"
THRESHOLDS = (235_000, 320_000)
GROUPS = ("DNA low", "DNA between", "DNA high")


def groups_of(daf: Path) -> dict[str, list[int]]:
    """Object numbers of each group, by the feature values that the DAF stores."""
    table = read_features(daf)
    place = np.digitize(table.column(FEATURE), THRESHOLDS)
    return {name: table.objects[place == i].tolist() for i, name in enumerate(GROUPS)}


def main(daf: Path, work: Path) -> dict[str, tuple[int, int, int]]:
    """Write the groups as ``.pop`` and into a copy of the DAF, read both again, and compare the counts."""
    groups = groups_of(daf)
    pops = export_pop(groups, work / "populations", overwrite=True).path
    copy = export_daf(daf, work / f"{daf.stem}_tagged.daf", populations=groups, overwrite=True)

    from_pops = read_populations(sorted(pops.glob("DNA*.pop")))
    tagged = gate_daf(copy.path).populations
    counts = {
        name: (len(numbers), len(from_pops[name]), len(tagged.object_numbers(name)))
        for name, numbers in groups.items()
    }
    for name, (rule, pop, daf_copy) in counts.items():
        print(f"{name}: {rule} by the rule, {pop} in {name}.pop, {daf_copy} in {copy.path.name}")
    before = {row.population: row.count for row in gate_daf(daf).populations.counts()}
    after = {row.population: row.count for row in tagged.counts()}
    kept = sum(after[name] == count for name, count in before.items())
    print(f"populations that were there before: {kept} of {len(before)} with the same count")
    for note in copy.notes:
        print(f"note: {note}")
    return counts


if __name__ == "__main__":
    if len(sys.argv) not in {2, 3}:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) == 3 else "ideas_roundtrip"))
