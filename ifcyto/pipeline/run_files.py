"""The files of a results folder: who may write there, and all of a kind at once or none."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from ifcyto._output import replacing
from ifcyto.errors import OutputError
from ifcyto.pipeline.results import FORMAT, VERSION
from ifcyto.provenance import json_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "check_folder",
    "make_empty",
    "make_folder",
    "move_into_place",
    "pretty",
    "read_results",
    "write_together",
]


def check_folder(root: Path, *, overwrite: bool) -> None:
    """Refuse a folder that is not ours, or that a newer version wrote; nothing is made.

    Raises
    ------
    OutputError
        The folder holds other things than results, or results of a newer
        version, and `overwrite` is False; or it cannot be read.
    """
    try:
        strange = root.exists() and any(root.iterdir()) and not (root / "work" / "steps").is_dir()
    except OSError as error:
        msg = f"{root}: the folder of the results cannot be made: {error.strerror or error}"
        raise OutputError(msg) from error
    if overwrite:
        return
    if strange and not _is_ours(root):
        msg = f"{root}: holds other files than results of ifcyto; choose another folder or overwrite it"
        raise OutputError(msg)
    found = read_results(root).get("version", VERSION)
    if isinstance(found, int) and found > VERSION:
        msg = (
            f"{root}: holds results of a newer ifcyto (format version {found}, this one writes {VERSION}); "
            "update ifcyto, choose another folder, or overwrite it"
        )
        raise OutputError(msg)


def _is_ours(root: Path) -> bool:
    """Whether the folder holds results whose ``work`` was deleted, which is allowed."""
    return bool(read_results(root)) and (root / "report.html").is_file()


def make_folder(root: Path) -> None:
    """Make the folder and the place of its step records.

    Raises
    ------
    OutputError
        The disk refuses.
    """
    try:
        (root / "work" / "steps").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{root}: the folder of the results cannot be made: {error.strerror or error}"
        raise OutputError(msg) from error


def make_empty(folder: Path) -> None:
    """Make a folder for unfinished files; what a killed run left in it goes.

    Raises
    ------
    OutputError
        The disk refuses.
    """
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{folder}: cannot be made: {error.strerror or error}"
        raise OutputError(msg) from error


def read_results(root: Path) -> dict[str, Any]:
    """Content of ``results.json``; empty when there is none of ours."""
    try:
        document = json.loads((root / "results.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    ours = isinstance(document, dict) and document.get("format") == FORMAT
    return document if ours else {}


def write_together(root: Path, texts: Mapping[str, Iterable[str]]) -> list[Path]:
    """Write text files, each in pieces; all get their names when the last is complete.

    Parameters
    ----------
    root : pathlib.Path
    texts : mapping of str to iterable of str
        Name to the pieces of the text.

    Returns
    -------
    list of pathlib.Path

    Raises
    ------
    OutputError
        The disk refuses; what stood there before is untouched.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> [path.name for path in write_together(Path(tempfile.mkdtemp()), {"a.csv": ["x", "y"], "b.csv": []})]
    ['a.csv', 'b.csv']
    """
    with ExitStack() as files:
        for name, pieces in texts.items():
            temporary = files.enter_context(replacing(root / name, overwrite=True))
            with temporary.open("w", encoding="utf-8", newline="") as file:
                file.writelines(pieces)
    return [root / name for name in texts]


def move_into_place(paths: Sequence[Path], stage: Path, root: Path) -> list[Path]:
    """Move finished files from below `stage` to the same places below `root`.

    Raises
    ------
    OutputError
        The disk refuses.
    """
    targets = [root / path.relative_to(stage) for path in paths]
    for path, target in zip(paths, targets, strict=True):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
        except OSError as error:
            msg = f"{target}: cannot be written: {error.strerror or error}"
            raise OutputError(msg) from error
    return targets


def pretty(document: Any) -> str:
    """Strict JSON for people: the keys in their order, one level a line."""
    return json.dumps(json.loads(json_text(document)), indent=1) + "\n"
