"""Write a population as IDEAS lists it (``.pop``): ``formats``, "Other inputs"."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ifcyto._output import replacing
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["write_pop"]

LINE_END = "\r\n"
"""IDEAS is a Windows program. Readers of ours take any line end."""


def write_pop(path: Path | str, objects: Iterable[int], *, overwrite: bool = False) -> Path:
    r"""Write one population as IDEAS does: a blank line, then one object number a line.

    Parameters
    ----------
    path : path-like
    objects : iterable of int
        Object numbers from 0; written in rising order, each once.
    overwrite : bool

    Raises
    ------
    UsageError
        An object number is negative.
    OutputError
        The file exists and `overwrite` is False, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> write_pop(Path(tempfile.mkdtemp()) / "BNE.pop", [12, 7]).read_bytes()
    b'\r\n7\r\n12\r\n'
    """
    path = Path(path)
    numbers = sorted({int(number) for number in objects})
    if numbers and numbers[0] < 0:
        msg = f"{path}: expected object numbers from 0, found {numbers[0]}"
        raise UsageError(msg)
    with (
        replacing(path, overwrite=overwrite) as temporary,
        temporary.open("w", encoding="ascii", newline="") as file,
    ):
        file.write(LINE_END)
        file.writelines(f"{number}{LINE_END}" for number in numbers)
    return path
