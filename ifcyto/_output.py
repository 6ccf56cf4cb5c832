"""Write an output under a temporary name and give it its own when it is complete."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ifcyto.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["refuse_existing", "replacing"]


def refuse_existing(path: Path | str, *, overwrite: bool) -> None:
    """Raise :class:`OutputError` if `path` exists and may not be replaced."""
    if Path(path).exists() and not overwrite:
        msg = f"{path}: exists already: choose another name or allow overwriting"
        raise OutputError(msg)


@contextmanager
def replacing(path: Path | str, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it when the block ends well.

    The folder is made if need be. When the block fails the temporary file is
    removed and what stood under `path` is untouched.

    Raises
    ------
    OutputError
        `path` exists and `overwrite` is False, or the disk refuses.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "a.txt"
    >>> with replacing(target) as temporary:
    ...     _ = temporary.write_text("complete")
    >>> target.read_text()
    'complete'
    """
    path = Path(path)
    refuse_existing(path, overwrite=overwrite)
    temporary = path.with_name(f".{path.name}.part-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        msg = f"{path}: cannot be written: {error.strerror or error}"
        raise OutputError(msg) from error
    finally:
        with suppress(OSError):  # gone already: renamed, or never made
            temporary.unlink()
