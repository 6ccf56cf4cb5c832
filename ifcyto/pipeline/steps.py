"""Do a step only when its inputs, settings or version changed.

Each finished step leaves a small record: the digest of what it depended on and
the files it made. A record is removed before its step begins and written after
the step has ended, so a run that is killed leaves nothing that looks done.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ifcyto.errors import OutputError
from ifcyto.pipeline.tables import write_text
from ifcyto.provenance import json_text, sha256_file

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path

    from ifcyto.pipeline.run_log import RunLog

__all__ = ["STEP_VERSIONS", "Look", "StepCache", "is_meant"]

STEP_VERSIONS = {
    "convert": 1,
    "stages": 1,
    "spots": 2,
    "fbml": 1,
    "cnn": 3,
    "tables": 4,
    "explain": 1,
    "report": 4,
}
"""Version of each kind of step; raised when a step would give another result for the same inputs."""

HASHED_UP_TO = 64 * 2**20
"""Larger outputs are recognised by their size, smaller ones by their SHA-256."""


SETTINGS = ("settings", "mask", "channels", "pixel", "seed")
"""Parts of a dependency that are settings; ``version`` is the version and every other part an input."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the record of a step says before it is done.

    Parameters
    ----------
    why : str
        Why the step must be done; empty when it need not.
    key : str
        Digest of what it depends on now.
    parts : dict of str to str
        Digest of each part of that.
    outputs : dict of str to list
        What it made when it was last done: name to size and SHA-256.
    sure : bool
        False where the outputs may come out as they were: the step is merely done again.
    """

    why: str
    key: str
    parts: dict[str, str]
    outputs: dict[str, Any]
    sure: bool = True

    @property
    def digest(self) -> str:
        """What a later step depends on."""
        return _digest({"key": self.key, "outputs": self.outputs})


def is_meant(step: str, words: Collection[str]) -> bool:
    """Whether `step` is named in `words`, itself or by its kind.

    Examples
    --------
    >>> [is_meant("spots MDS01", {word}) for word in ("spots", "spots MDS01", "spots MDS02")]
    [True, True, False]
    >>> [is_meant("train fbml", {word}) for word in ("train", "fbml")]
    [True, True]
    """
    kind, _, of = step.partition(" ")
    return bool({step, kind, of if kind == "train" else kind} & set(words))


class StepCache:
    """Records of the finished steps of one results folder.

    Parameters
    ----------
    root : pathlib.Path
        The results folder; outputs are named relative to it.
    again : bool
        Do every step again, whatever the records say.
    force : collection of str
        Steps or kinds of steps to do again.
    log : RunLog, optional
        Told of every step.

    Attributes
    ----------
    done : list of str
        Steps that were done in this run, in order.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> root = Path(tempfile.mkdtemp())
    >>> def make():
    ...     return [write_text(root / "a.csv", "x")]
    >>> for settings in (1, 1, 2):
    ...     cache = StepCache(root)
    ...     _ = cache.step("tables", {"settings": settings}, make)
    ...     print(cache.done)
    ['tables']
    []
    ['tables']
    """

    def __init__(
        self, root: Path, *, again: bool = False, force: Collection[str] = (), log: RunLog | None = None
    ) -> None:
        self.root = root
        self.again = again
        self.force = force
        self.log = log
        self.done: list[str] = []

    def step(self, name: str, depends_on: Mapping[str, Any], make: Callable[[], Iterable[Path]]) -> str:
        """Do the step `name` unless its record fits and its outputs are there unchanged.

        Parameters
        ----------
        name : str
            Also the name of the record: the kind of the step, and of what it is.
        depends_on : mapping
            Everything that can change the outputs, as JSON values.
        make : callable
            Makes the outputs and returns their paths, all below the root.
            Outputs of an earlier record that are not among them are removed.

        Returns
        -------
        str
            Digest of the outputs: what a later step depends on.
        """
        look = self.look(name, depends_on)
        if not look.why:
            if self.log is not None:
                self.log.unchanged(name)
            return look.digest
        with nullcontext() if self.log is None else self.log.doing(name):
            record = self._record(name)
            try:
                record.unlink(missing_ok=True)
            except OSError as error:
                msg = f"{record}: cannot be removed: {error.strerror or error}"
                raise OutputError(msg) from error
            made = {path.relative_to(self.root).as_posix(): _describe(path) for path in make()}
            self._remove(set(look.outputs) - set(made))
            document = {"key": look.key, "parts": look.parts, "outputs": made}
            write_text(record, json.dumps(document, indent=1) + "\n")
        self.done.append(name)
        return replace(look, outputs=made).digest

    def look(self, name: str, depends_on: Mapping[str, Any]) -> Look:
        """Whether and why the step `name` must be done; nothing is changed."""
        known = _read(self._record(name))
        parts = _parts(depends_on)
        key = _digest({"step": name, **depends_on})
        outputs: dict[str, Any] = known.get("outputs", {})
        if not known:
            return Look("new", key, parts, outputs)
        if known.get("key") != key:
            return Look(_changes(known.get("parts"), parts), key, parts, outputs)
        harm = {word for item in outputs.items() if (word := self._harm(*item))}
        why = f"outputs {' or '.join(sorted(harm))}" if harm else ""
        if self.again or is_meant(name, self.force):
            why = "forced"
        return Look(why, key, parts, outputs, sure=False)

    def cannot(self, name: str, why: str) -> None:
        """Be told of a step that is not done, and why."""

    def forget(self, name: str) -> None:
        """Let the step be done again by this run."""
        self.force = {*self.force, name}

    def _record(self, name: str) -> Path:
        return self.root / "work" / "steps" / f"{name}.json"

    def _harm(self, name: str, expected: Any) -> str:
        path = self._inside(name)
        if path is None or not path.is_file():
            return "missing"
        return "" if _describe(path) == expected else "changed"

    def _remove(self, names: Iterable[str]) -> None:
        for name in names:
            path = self._inside(name)
            if path is not None and path.is_file():
                path.unlink()

    def _inside(self, name: str) -> Path | None:
        """Path of an output; None when a record names something outside the results."""
        path = (self.root / name).resolve()
        return path if path.is_relative_to(self.root.resolve()) else None


def _digest(document: Any) -> str:
    return hashlib.sha256(json_text(document).encode()).hexdigest()


def _parts(depends_on: Mapping[str, Any]) -> dict[str, str]:
    """Digest of each part; settings table by table, to say which of them changed."""
    parts = {}
    for name, value in depends_on.items():
        inner = value if name == "settings" and isinstance(value, dict) else {"": value}
        parts.update({f"{name}.{key}".rstrip("."): _digest(item)[:16] for key, item in inner.items()})
    return parts


def _changes(old: Any, new: Mapping[str, str]) -> str:
    """Say which kinds of parts differ.

    Examples
    --------
    >>> _changes({"version": "a", "settings.compare": "b"}, {"version": "a", "settings.compare": "c"})
    'settings changed (compare)'
    >>> _changes({"spots": "a"}, {"spots": "b"})
    'inputs changed'
    """
    old = old if isinstance(old, dict) else {}
    differ = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    settings = [name for name in differ if name.partition(".")[0] in SETTINGS]
    words = []
    if "version" in differ:
        words.append("version changed")
    if settings:
        words.append(f"settings changed ({', '.join(name.removeprefix('settings.') for name in settings)})")
    if set(differ) - {"version", *settings}:
        words.append("inputs changed")
    return ", ".join(words) or "inputs changed"


def _describe(path: Path) -> list[Any]:
    size = path.stat().st_size
    return [size, sha256_file(path) if size <= HASHED_UP_TO else None]


def _read(record: Path) -> dict[str, Any]:
    """A record, empty when there is none or it cannot be used."""
    try:
        found = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    good = isinstance(found, dict) and isinstance(found.get("outputs"), dict)
    return found if good else {}
