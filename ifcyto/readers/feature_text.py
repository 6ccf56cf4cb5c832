"""Feature values as text: the tables that IDEAS exports, and CSV.

One line of names, then one line an object; the first column is the object number
(``formats``, "Other inputs"). Columns are separated by tabs, or by commas or
semicolons. Numbers may have a decimal comma, as IDEAS writes them on a German or
French Windows, where the separator leaves no doubt.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.errors import FormatError
from ifcyto.readers.columns import FeatureColumns, check_names, is_object_number, whole_numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["read_feature_text"]

LABEL_NAMES = frozenset({"label", "population", "class"})
SEPARATORS = "\t;,"
HEAD_LINES = 20
"""Lines in which the names of the columns are looked for."""
MISSING = re.compile(
    r"(?i)(?<=[\t;,])(-?(?:1\.#(?:qnan|ind|inf)\w*|infinity|∞|n/?a|n\. ?def\.))?(?=[\t;,\r\n]|$)"
)
"""Nothing, or a word for a number that is none, where a value should be."""


def read_feature_text(path: Path | str) -> FeatureColumns:
    r"""Read a table of features written by IDEAS, or a CSV file.

    Parameters
    ----------
    path : path-like
        UTF-8, UTF-16 with a byte order mark, or else Windows-1252. Lines before the one
        that names the object number are passed over.

    Returns
    -------
    FeatureColumns
        A column ``label``, ``population`` or ``class`` gives the labels. Values that are
        empty or not finite are NaN.

    Raises
    ------
    FormatError
        The file cannot be read, no column holds object numbers, a name or an object number
        stands twice, or a line holds something else than numbers.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.txt"
    >>> _ = path.write_text("Object Number\tArea_M01\n7\t80.5\n2\tNaN\n")
    >>> table = read_feature_text(path)
    >>> table.objects.tolist(), table.names, table.values.tolist()
    ([7, 2], ('Area_M01',), [[80.5], [nan]])
    """
    path = Path(path)
    text = _decoded(path)
    start, separator, names = _header(path, text)
    number = next(i for i, name in enumerate(names) if is_object_number(name))
    label = next((i for i, name in enumerate(names) if name.casefold() in LABEL_NAMES), None)
    body = text[start:]
    labels: tuple[str, ...] = ()
    if label is not None or '"' in body:
        body, labels = _without(path, body, separator, label, len(names))
        names = [name for i, name in enumerate(names) if i != label]
        number -= label is not None and label < number
        separator = "\t"
    check_names(path, names)
    numbers = _numbers(path, body, separator, len(names))
    objects = whole_numbers(path, numbers[:, number])
    values = np.delete(numbers, number, axis=1)
    values[~np.isfinite(values)] = np.nan
    features = tuple(name for i, name in enumerate(names) if i != number)
    return FeatureColumns(path, objects, features, values, labels=labels, sample=path.stem)


def _decoded(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FormatError(path, f"cannot be read: {error.strerror or error}") from error
    if b"\x00" in data[:4096] and data[:2] not in {b"\xff\xfe", b"\xfe\xff"}:
        raise FormatError(path, "expected a table of features as text, found a binary file")
    for encoding in ("utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FormatError(path, "expected text in UTF-8 or Windows-1252, found other bytes")


def _header(path: Path, text: str) -> tuple[int, str, list[str]]:
    """Where the values begin, what separates them, and the names of the columns."""
    end = 0
    for _ in range(HEAD_LINES):
        begin, end = end, text.find("\n", end) + 1
        line = text[begin : end or len(text)].strip("\r\n")
        for separator in SEPARATORS:
            try:
                names = [name.strip() for name in next(csv.reader([line], delimiter=separator), [])]
            except csv.Error:
                continue
            if separator in line and any(map(is_object_number, names)):
                while names and not names[-1]:
                    names.pop()  # a separator at the end of the line
                return end or len(text), separator, names
        if is_object_number(line):
            return end or len(text), "\t", [line.strip()]
        if not end:
            break
    msg = f"expected a line with the column Object Number among the first {HEAD_LINES}, found none"
    raise FormatError(path, msg)


def _without(path: Path, body: str, separator: str, label: int | None, n: int) -> tuple[str, tuple[str, ...]]:
    """Body with tabs between its values and without the labels; and these."""
    lines: list[str] = []
    labels: list[str] = []
    try:
        for row in csv.reader(io.StringIO(body), delimiter=separator):
            if not any(row):
                continue
            if len(row) < n:
                msg = f"expected {n} values, found {len(row)} in row {len(lines) + 1}"
                raise FormatError(path, msg)
            if label is not None:
                labels.append(row.pop(label).strip())
            lines.append("\t".join(row))
    except csv.Error as error:
        raise FormatError(path, f"cannot be read as a table: {error}") from error
    return "\n".join(lines), tuple(labels)


def _numbers(path: Path, body: str, separator: str, n: int) -> NDArray[np.float64]:
    """Values ``(N, n)`` of a text that holds nothing else."""
    body = body.strip("\r\n")
    if separator != "," and "," in body:
        if "." in body:
            raise FormatError(path, "expected decimal points or decimal commas, found both")
        body = body.replace(",", ".")
    if not body.strip():
        return np.empty((0, n))
    try:
        values = _parsed(body, separator)
    except ValueError:
        # A word or a gap where a number should be is slow to find, and rare.
        try:
            values = _parsed(_filled(body), separator)
        except ValueError as error:
            reason = str(error).partition(";")[0].split(" (")[0]
            raise FormatError(path, f"expected a table of numbers: {reason}") from error
    if values.shape[1] > n and np.isnan(values[:, n:]).all():
        values = values[:, :n]  # a separator at the end of each line
    if values.shape[1] != n:
        raise FormatError(path, f"expected {n} values a line, found {values.shape[1]}")
    return values


def _parsed(body: str, separator: str) -> NDArray[np.float64]:
    lines = io.StringIO(body)
    return np.loadtxt(lines, delimiter=separator, comments=None, ndmin=2, dtype=np.float64)


def _filled(body: str) -> str:
    """Body with NaN where there is nothing or a word for it."""
    filled = (MISSING.sub("NaN", line) for line in body.splitlines())
    return "\n".join(filled)
