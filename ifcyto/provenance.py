"""What made a file: versions, options, seed, time and the digests of the sources.

The record goes into every file the package writes. It names no person, no
machine and no folder: of a source only its own name, size and SHA-256 are kept.
"""

from __future__ import annotations

import hashlib
import json
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["DEPENDENCIES", "json_text", "provenance", "sha256_file", "sha256_folder"]

DEPENDENCIES = ("h5py", "isal", "numba", "numpy", "scikit-image", "scikit-learn", "scipy")
"""Packages whose versions can change a result; absent ones are left out."""


def provenance(
    *, sources: Sequence[Path], options: Mapping[str, Any], seed: int | None = None
) -> dict[str, Any]:
    """Describe a run so that it can be repeated and its inputs recognised.

    Parameters
    ----------
    sources : sequence of pathlib.Path
        Input files or folders, in the order in which they were read.
    options : mapping
        Settings of the run; values become JSON, other types become text.
    seed : int or None
        Seed of the random generator, None where nothing is random.

    Returns
    -------
    dict
        ``ifcyto``, ``python``, ``platform``, ``dependencies``, ``time`` (UTC, ISO
        8601, whole seconds), ``options``, ``seed`` and ``sources``, a list of
        ``name``, ``kind`` (``file`` or ``folder``), ``size`` in bytes and ``sha256``.

    Raises
    ------
    UsageError
        A source cannot be read.

    Examples
    --------
    >>> record = provenance(sources=[], options={"workers": 2}, seed=7)
    >>> record["options"], record["seed"], record["sources"]
    ({'workers': 2}, 7, [])
    """
    return {
        "ifcyto": version_of("ifcyto") or "unknown",
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "dependencies": {name: found for name in DEPENDENCIES if (found := version_of(name)) is not None},
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "options": json.loads(json_text(options)),
        "seed": seed,
        "sources": [describe_source(Path(source)) for source in sources],
    }


def version_of(package: str) -> str | None:
    """Version of an installed package, None when it is not installed.

    Reads the package's metadata; the package itself is not imported.
    """
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def describe_source(path: Path) -> dict[str, Any]:
    """Name, kind, size and SHA-256 of one input; see :func:`provenance`."""
    folder = path.is_dir()
    try:
        size = sum(part.stat().st_size for part in files_in(path)) if folder else path.stat().st_size
    except OSError as error:
        msg = f"{path}: cannot be read for its digest: {error.strerror or error}"
        raise UsageError(msg) from error
    return {
        "name": path.name or path.resolve().name,
        "kind": "folder" if folder else "file",
        "size": size,
        "sha256": sha256_folder(path) if folder else sha256_file(path),
    }


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's content in hexadecimal; memory does not grow with the file.

    Raises
    ------
    UsageError
        The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        msg = f"{path}: cannot be read for its digest: {error.strerror or error}"
        raise UsageError(msg) from error


def sha256_folder(path: Path) -> str:
    r"""SHA-256 of a folder: what its files are called and what is in them.

    Hashed is one line per file, ``<sha256 of content>  <relative name>\n`` with
    ``/`` between folders, in the order of the names' UTF-8 bytes. That is the
    text of ``sha256sum`` on the sorted relative names, so the digest can be made
    again with standard tools. Empty folders do not count.

    Raises
    ------
    UsageError
        A file cannot be read.
    """
    digest = hashlib.sha256()
    for part in files_in(path):
        name = part.relative_to(path).as_posix()
        digest.update(f"{sha256_file(part)}  ".encode() + name.encode("utf-8", "surrogateescape") + b"\n")
    return digest.hexdigest()


def files_in(folder: Path) -> list[Path]:
    """All files below `folder`, in the order of their relative names' bytes."""
    files = [part for part in folder.rglob("*") if part.is_file()]
    return sorted(
        files, key=lambda part: part.relative_to(folder).as_posix().encode("utf-8", "surrogateescape")
    )


def json_text(document: Any) -> str:
    """Write `document` as strict ASCII JSON.

    Numpy scalars and arrays become numbers and lists, numbers that are not
    finite become null, bytes become text, anything else becomes its ``str``.

    Examples
    --------
    >>> json_text({"a": float("nan"), 1: b"x"})
    '{"a": null, "1": "x"}'
    """
    return json.dumps(plain(document), allow_nan=False)


def plain(value: Any) -> Any:
    """Turn `value` into what strict JSON can hold; see :func:`json_text`."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if hasattr(value, "items"):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        value = sorted(value, key=str)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return str(value)
