"""Do a step only when its inputs, settings or version changed.

Each finished step leaves a small record: the digest of what it depended on and
the files it made. A record is removed before its step begins and written after
the step has ended, so a run that is killed leaves nothing that looks done.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from ifcyto.errors import OutputError
from ifcyto.pipeline.tables import write_text
from ifcyto.provenance import json_text, sha256_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

__all__ = ["STEP_VERSIONS", "StepCache"]

STEP_VERSIONS = {"convert": 1, "spots": 2, "fbml": 1, "tables": 2, "report": 2}
"""Version of each kind of step; raised when a step would give another result for the same inputs."""

HASHED_UP_TO = 64 * 2**20
"""Larger outputs are recognised by their size, smaller ones by their SHA-256."""


class StepCache:
    """Records of the finished steps of one results folder.

    Parameters
    ----------
    root : pathlib.Path
        The results folder; outputs are named relative to it.
    again : bool
        Do every step again, whatever the records say.

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

    def __init__(self, root: Path, *, again: bool = False) -> None:
        self.root = root
        self.again = again
        self.done: list[str] = []

    def step(self, name: str, depends_on: Mapping[str, Any], make: Callable[[], Iterable[Path]]) -> str:
        """Do the step `name` unless its record fits and its outputs are there unchanged.

        Parameters
        ----------
        name : str
            Also the name of the record.
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
        record = self.root / "work" / "steps" / f"{name}.json"
        key = hashlib.sha256(json_text({"step": name, **depends_on}).encode()).hexdigest()
        known = _read(record)
        old: dict[str, Any] = known.get("outputs", {})
        if self.again or known.get("key") != key or not all(self._unchanged(*item) for item in old.items()):
            try:
                record.unlink(missing_ok=True)
            except OSError as error:
                msg = f"{record}: cannot be removed: {error.strerror or error}"
                raise OutputError(msg) from error
            made = {path.relative_to(self.root).as_posix(): _describe(path) for path in make()}
            self._remove(set(old) - set(made))
            old = made
            write_text(record, json.dumps({"key": key, "outputs": made}, indent=1) + "\n")
            self.done.append(name)
        return hashlib.sha256(json_text({"key": key, "outputs": old}).encode()).hexdigest()

    def _unchanged(self, name: str, expected: Any) -> bool:
        path = self._inside(name)
        return path is not None and path.is_file() and _describe(path) == expected

    def _remove(self, names: Iterable[str]) -> None:
        for name in names:
            path = self._inside(name)
            if path is not None and path.is_file():
                path.unlink()

    def _inside(self, name: str) -> Path | None:
        """Path of an output; None when a record names something outside the results."""
        path = (self.root / name).resolve()
        return path if path.is_relative_to(self.root.resolve()) else None


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
