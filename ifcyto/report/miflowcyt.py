"""The items of MIFlowCyt that a study file and its inputs can answer.

J. A. Lee and others, "MIFlowCyt: the minimum information about a flow cytometry experiment",
Cytometry Part A 73, 926-930 (2008), doi:10.1002/cyto.a.20623.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ifcyto.report.model import Column, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["miflowcyt_table"]

UNKNOWN = "not recorded; please add"


def miflowcyt_table(
    results: Mapping[str, Any], provenance: Mapping[str, Any], quality: Sequence[Mapping[str, Any]]
) -> Table:
    """One row an item, with what is known; what is not known says so.

    Parameters
    ----------
    results : mapping
        Content of ``results.json``.
    provenance : mapping
        Record of the run.
    quality : sequence of mapping
        Rows on samples and channels; may be empty.
    """
    channels = ", ".join(dict.fromkeys(str(row["channel"]) for row in quality)) or UNKNOWN
    samples = [sample for sample in results["samples"] if not sample["training_only"]]
    sizes = sorted({row["pixel_um"] for row in quality if row["pixel_um"]})
    pixels = ", ".join(f"{size:g} \N{MICRO SIGN}m" for size in sizes)
    saturated = any(row["saturated"] is not None for row in quality)
    rows = (
        ("1.1", "Purpose", results["title"]),
        ("1.3", "Variables", f"group ({', '.join(results['groups']) or 'none'}), maturation stage"),
        ("1.6", "Date or time of the analysis", "see Provenance"),
        ("1.7", "Quality control", "saturation, see Samples and quality" if saturated else UNKNOWN),
        ("2.1", "Sample material", f"{len(samples)} samples; {UNKNOWN}"),
        ("2.2", "Sample treatment", UNKNOWN),
        ("2.4", "Channels and reagents", channels),
        (
            "3.1",
            "Instrument",
            f"imaging flow cytometer{f', pixels of {pixels}' if pixels else ''}; {UNKNOWN}",
        ),
        ("3.3", "Instrument settings", UNKNOWN),
        ("4.1", "List-mode data", f"{len(provenance['sources'])} files with SHA-256, see Provenance"),
        ("4.2", "Compensation", "as the input files hold it"),
        ("4.3", "Gates", "tables, analyses or gates that give the stages, see Gates and losses"),
        ("4.3", "Software", f"ifcyto {provenance['ifcyto']}"),
    )
    return Table(
        "MIFlowCyt: what is known of the experiment", (Column("item"), Column("what"), Column("value")), rows
    )
