"""Write feature values as IDEAS exports them: tab-separated text, object number first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ifcyto._output import replacing
from ifcyto.errors import UsageError
from ifcyto.readers.columns import OBJECT_NUMBER

if TYPE_CHECKING:
    from ifcyto.readers.columns import FeatureColumns

__all__ = ["write_feature_text"]

AT_ONCE = 1000
"""Objects turned into text in one go."""
LINE_END = "\r\n"


def write_feature_text(table: FeatureColumns, path: Path | str, *, overwrite: bool = False) -> Path:
    r"""Write ``Object Number`` and the features, one line an object.

    Numbers are written so that they come back bit by bit; what is not known is ``NaN``.
    Classes are not written: this form has no place for text.

    Parameters
    ----------
    table : FeatureColumns
    path : path-like
    overwrite : bool

    Raises
    ------
    UsageError
        A name holds a tab or an end of line.
    OutputError
        The file exists and `overwrite` is False, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from ifcyto.readers.columns import FeatureColumns
    >>> path = Path(tempfile.mkdtemp()) / "a.txt"
    >>> table = FeatureColumns(path, np.array([7]), ("Area_M01",), np.array([[80.5]]))
    >>> write_feature_text(table, path).read_bytes()
    b'Object Number\tArea_M01\r\n7\t80.5\r\n'
    """
    path = Path(path)
    for name in table.names:
        if not name.isprintable():
            msg = f"{path}: expected names without tabs and ends of line, found {name[:60]!a}"
            raise UsageError(msg)
    with (
        replacing(path, overwrite=overwrite) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        file.write("\t".join((OBJECT_NUMBER, *table.names)) + LINE_END)
        for first in range(0, len(table), AT_ONCE):
            rows = table.values[first : first + AT_ONCE].tolist()
            for number, row in zip(table.objects[first : first + AT_ONCE].tolist(), rows, strict=True):
                words = ("NaN" if value != value else repr(value) for value in row)
                file.write("\t".join((str(number), *words)) + LINE_END)
    return path
