"""Read ``study.toml``: validated once, errors name the key and its line."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ifcyto.errors import StudyError
from ifcyto.masks.grammar import shown
from ifcyto.masks.nuclear import NuclearRule
from ifcyto.masks.nuclei import bne_mask
from ifcyto.pipeline import study_model as model
from ifcyto.pipeline.labels import nearest
from ifcyto.pipeline.study_faults import StudyText, first_fault
from ifcyto.pipeline.toml_lines import key_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DNA_ROLES", "Sample", "Study", "load_study"]

DNA_ROLES = ("DRAQ5", "DRAQ7", "DNA", "DAPI", "Hoechst", "Hoechst 33342", "PI", "7-AAD", "7AAD", "SYTOX")
"""Roles that are taken for the DNA channel when ``[candidates]`` names none."""

KINDS = {"daf": "a DAF", "gates": "a gates file"}
"""What is expected under a key; a CSV file elsewhere."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample with its files found."""

    id: str
    group: str
    file: Path
    stages: Path | None = None
    manual: Path | None = None
    training_only: bool = False
    daf: Path | None = None
    gates: Path | None = None

    @property
    def gating(self) -> Path | None:
        """File whose gates make the stages: a DAF, taken with its features, or gates."""
        return self.daf or self.gates


@dataclass(frozen=True, slots=True)
class Study:
    """A study that passed every check that needs no image file to be opened.

    Parameters
    ----------
    path : pathlib.Path
        The study file.
    settings : StudyFile
        Its content, defaults filled in.
    samples : tuple of Sample
    cases : tuple of str
        Groups that are tested against the control; empty without a control.
    dna_role : str
        Role of the DNA channel.
    labels : pathlib.Path or None
        The table of truth.
    """

    path: Path
    settings: model.StudyFile
    samples: tuple[Sample, ...]
    cases: tuple[str, ...]
    dna_role: str
    labels: Path | None

    @property
    def control(self) -> str | None:
        """Group against which the cases are tested."""
        return self.settings.study.control

    @property
    def counted(self) -> tuple[Sample, ...]:
        """Samples that are counted: all that are not for training only."""
        return tuple(sample for sample in self.samples if not sample.training_only)

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups of the counted samples: the control first, then as they appear."""
        found = dict.fromkeys(sample.group for sample in self.counted)
        first = [self.control] if self.control in found else []
        return tuple(dict.fromkeys([*(name for name in first if name), *found]))

    @property
    def mask(self) -> str:
        """The BNE mask in IDEAS' grammar; its image names are the roles of the channels."""
        return self.settings.candidates.mask or shown(bne_mask("MC", self.dna_role, self.rule))

    @property
    def rule(self) -> NuclearRule:
        """How nuclei are found unless the study defines its own mask."""
        table = self.settings.candidates
        return NuclearRule(
            smoothing_um=table.smoothing_um,
            noise_sd=table.noise_sd,
            fraction=table.fraction,
            saddle_ratio=table.saddle_ratio,
            min_area_um2=table.min_area_um2,
            min_share=table.min_share,
        )


def load_study(path: Path | str) -> Study:
    """Read and check a study file.

    Parameters
    ----------
    path : path-like
        ``study.toml``; the paths in it are relative to its folder.

    Returns
    -------
    Study

    Raises
    ------
    StudyError
        The file is not TOML, has an unknown key, a wrong value or a reference to
        something that is not there; the message names key and line.

    Examples
    --------
    >>> import tempfile
    >>> from ifcyto.samples.demo import write_demo_study
    >>> study = load_study(write_demo_study(tempfile.mkdtemp(), samples_per_group=1, cells_per_sample=3))
    >>> study.groups, study.cases, study.dna_role
    (('NBM', 'MDS'), ('MDS',), 'DRAQ5')
    """
    path = Path(path)
    content, text = _parse(path)
    try:
        settings = model.StudyFile.model_validate(content)
    except ValidationError as error:
        raise first_fault(error, text) from None
    samples = tuple(_sample(table, i, text) for i, table in enumerate(settings.samples))
    _check_samples(samples, text)
    _check_channels(settings.channels, text)
    labels = _file(settings.study.labels, ("study", "labels"), text) if settings.study.labels else None
    cases = _cases(settings.study, samples, text)
    return Study(path, settings, samples, cases, _dna_role(settings, text), labels)


def _parse(path: Path) -> tuple[dict[str, Any], StudyText]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        msg = f"{path}: the study file cannot be read: {error.strerror or error}"
        raise StudyError(msg) from error
    try:
        source = raw.decode("utf-8-sig")
        return tomllib.loads(source), StudyText(path, key_lines(source))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        msg = f"{path}: expected a study file in TOML: {' '.join(str(error).split())}"
        raise StudyError(msg) from error


def _sample(table: model.SampleTable, i: int, text: StudyText) -> Sample:
    def found(key: str) -> Path | None:
        name = getattr(table, key)
        return None if name is None else _file(name, ("samples", i, key), text)

    given = [key for key in ("stages", "daf", "gates") if getattr(table, key) is not None]
    if len(given) > 1:
        raise text.fault(
            ("samples", i, given[1]), f"expected one of stages, daf and gates, found {given[0]} too"
        )
    file = _file(table.file, ("samples", i, "file"), text)
    tables = (found("stages"), found("manual"))
    return Sample(table.id, table.group, file, *tables, table.training_only, found("daf"), found("gates"))


def _file(name: str, place: tuple[str | int, ...], text: StudyText) -> Path:
    path = text.path.parent / name
    try:
        exists = path.exists()
    except (OSError, ValueError):
        exists = False
    if not exists:
        raise text.fault(place, f"there is no file {name!r} beside the study file")
    if path.is_dir() and place[-1] != "file":
        raise text.fault(
            place, f"expected {KINDS.get(str(place[-1]), 'a CSV file')}, found the folder {name!r}"
        )
    return path


def _check_samples(samples: Sequence[Sample], text: StudyText) -> None:
    seen: dict[str, int] = {}
    for i, sample in enumerate(samples):
        first = seen.setdefault(sample.id.casefold(), i)
        if first != i:
            raise text.fault(
                ("samples", i, "id"), f"{sample.id!r} is the id of sample {first + 1} too; ids are unique"
            )


def _check_channels(channels: dict[str, int | str], text: StudyText) -> None:
    seen: dict[int | str, str] = {}
    for role, channel in channels.items():
        other = seen.setdefault(channel, role)
        if other != role:
            raise text.fault(
                ("channels", role), f"channel {channel!r} is {other} already; one role a channel"
            )


def _cases(table: model.StudyTable, samples: Sequence[Sample], text: StudyText) -> tuple[str, ...]:
    groups = list(dict.fromkeys(sample.group for sample in samples if not sample.training_only))
    if table.control is None:
        if table.case is not None:
            raise text.fault(("study", "case"), "expected a control group beside it; add control = ...")
        return ()
    named = [("control", table.control), *(("case", name) for name in table.case or ())]
    for key, name in named:
        if name not in groups:
            listed = ", ".join(groups) or "no groups at all (every sample is training_only)"
            raise text.fault(
                ("study", key),
                f"no counted sample is of group {name!r}{nearest(name, groups)}; found {listed}",
            )
    if table.case is None:
        return tuple(name for name in groups if name != table.control)
    if table.control in table.case:
        raise text.fault(("study", "case"), f"{table.control!r} is the control; a group is not both")
    return tuple(dict.fromkeys(table.case))


def _dna_role(settings: model.StudyFile, text: StudyText) -> str:
    roles = list(settings.channels)
    role = settings.candidates.channel
    if role is not None:
        if role not in roles:
            raise text.fault(
                ("candidates", "channel"),
                f"expected a role of [channels], found {role!r}{nearest(role, roles)}",
            )
        return role
    known = {name.casefold() for name in DNA_ROLES}
    stained = [name for name in roles if name.casefold() in known]
    if len(stained) != 1:
        raise text.fault(
            ("channels",),
            f"expected one DNA channel ({', '.join(DNA_ROLES[:6])}, ...), "
            f"found {', '.join(stained) or 'none'}; name it with channel = ... under [candidates]",
        )
    return stained[0]
