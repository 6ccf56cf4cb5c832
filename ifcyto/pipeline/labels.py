"""Read the small CSV tables of a study: stages, manual tags, truth."""

from __future__ import annotations

import csv
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeVar

from ifcyto.errors import StudyError
from ifcyto.pipeline.study_model import LABELS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

__all__ = [
    "nearest",
    "object_number",
    "read_labels",
    "read_stages",
    "read_truth",
    "table_header",
    "table_rows",
]

MAX_OBJECT = 2**63 - 1

K = TypeVar("K")


def read_stages(path: Path) -> dict[int, str]:
    """Read ``object,population``: object number to stage, in the order of the file.

    Raises
    ------
    StudyError
        The file is missing, has other columns, or an object twice; the message
        names file and line.
    """
    stages: dict[int, str] = {}
    for line, (number, stage) in table_rows(path, ("object", "population")):
        _add(stages, object_number(path, line, number), stage, path, line)
    return stages


def read_labels(path: Path, *, known: Collection[str] | None = LABELS) -> dict[int, str]:
    """Read ``object,label[,probability,by,when]``: object number to label.

    Rows with an empty label are objects that were looked at and not judged; they
    are left out.

    Parameters
    ----------
    path : pathlib.Path
    known : collection of str or None
        Labels that may occur; None for any.

    Raises
    ------
    StudyError
        As in :func:`read_stages`, or a label is not known.
    """
    labels: dict[int, str] = {}
    for line, (number, label) in table_rows(path, ("object", "label"), may_be_empty=("label",)):
        _add(labels, object_number(path, line, number), _label(path, line, label, known), path, line)
    return {number: label for number, label in labels.items() if label}


def read_truth(
    path: Path, *, samples: Collection[str], known: Collection[str] | None = LABELS
) -> dict[tuple[str, int], str]:
    """Read ``sample,object,label``: sample and object number to label.

    Raises
    ------
    StudyError
        As in :func:`read_labels`, or a sample is not in the study.
    """
    labels: dict[tuple[str, int], str] = {}
    for line, (sample, number, label) in table_rows(
        path, ("sample", "object", "label"), may_be_empty=("label",)
    ):
        if sample not in samples:
            msg = f"{path}: line {line}: the study has no sample {sample!r}{nearest(sample, samples)}"
            raise StudyError(msg)
        key = (sample, object_number(path, line, number))
        _add(labels, key, _label(path, line, label, known), path, line)
    return {key: label for key, label in labels.items() if label}


def table_rows(
    path: Path, columns: Sequence[str], *, may_be_empty: Sequence[str] = ()
) -> Iterator[tuple[int, list[str]]]:
    """Line number and the values of `columns` of every row that is not blank.

    Parameters
    ----------
    path : pathlib.Path
    columns : sequence of str
        Each MUST be there once; others are ignored.
    may_be_empty : sequence of str
        Of `columns`, those in which a value may be missing.

    Raises
    ------
    StudyError
        The file is missing or no CSV file in UTF-8, a column is missing, or a row is not whole.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            for column in columns:
                if header.count(column) != 1:
                    msg = (
                        f"{path}: line 1: expected the columns {','.join(columns)}, "
                        f"found {','.join(header)[:200] or 'an empty file'}"
                    )
                    raise StudyError(msg)
            places = [header.index(column) for column in columns]
            for row in reader:
                if not any(row):
                    continue
                if len(row) != len(header):
                    msg = f"{path}: line {reader.line_num}: expected {len(header)} values, found {len(row)}"
                    raise StudyError(msg)
                values = [row[place].strip() for place in places]
                for name, value in zip(columns, values, strict=True):
                    if not value and name not in may_be_empty:
                        msg = f"{path}: line {reader.line_num}: expected a value for {name}, found none"
                        raise StudyError(msg)
                yield reader.line_num, values
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror or error}"
        raise StudyError(msg) from error
    except (UnicodeDecodeError, csv.Error) as error:
        msg = f"{path}: expected a CSV file in UTF-8: {error}"
        raise StudyError(msg) from error


def table_header(path: Path) -> list[str]:
    """Names of the columns of a CSV table.

    Raises
    ------
    StudyError
        The file is missing or no CSV file in UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [name.strip() for name in next(csv.reader(file, strict=True), [])]
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror or error}"
        raise StudyError(msg) from error
    except (UnicodeDecodeError, csv.Error) as error:
        msg = f"{path}: expected a CSV file in UTF-8: {error}"
        raise StudyError(msg) from error


def object_number(path: Path, line: int, text: str) -> int:
    """Object number from the text of a table.

    Raises
    ------
    StudyError
        It is none.
    """
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
    if not 0 <= number <= MAX_OBJECT:
        msg = f"{path}: line {line}: expected an object number, found {text[:40]!r}"
        raise StudyError(msg)
    return number


def _label(path: Path, line: int, label: str, known: Collection[str] | None) -> str:
    if label and known is not None and label not in known:
        msg = (
            f"{path}: line {line}: expected a label out of {', '.join(known)}, "
            f"found {label[:40]!r}{nearest(label, known)}"
        )
        raise StudyError(msg)
    return label


def _add(table: dict[K, str], key: K, value: str, path: Path, line: int) -> None:
    if key in table:
        number = key[-1] if isinstance(key, tuple) else key
        msg = f"{path}: line {line}: object {number} occurs twice; every object may have one row"
        raise StudyError(msg)
    table[key] = value


def nearest(word: str, known: Collection[str]) -> str:
    """End of a message that names the known word most like `word`; empty when none is like it.

    Examples
    --------
    >>> nearest("bne", ["BNE", "Doublet"])
    "; did you mean 'BNE'?"
    """
    by_lower = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), by_lower, n=1)
    return f"; did you mean {by_lower[close[0]]!r}?" if close else ""
