"""Tags on disk: a table of labels that grows with every tag and survives a crash."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ifcyto._output import replacing
from ifcyto.errors import OutputError, StudyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Key", "Tag", "TagFile"]

Key: TypeAlias = tuple[str, int]
"""Sample and object number; the sample is empty where there is one input alone."""

OWN = ("sample", "object", "label", "by", "when")
"""Columns in the order in which a new file has them."""

LARGEST = 256 * 2**20
"""Bytes of a file that is read."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One object's class, and who gave it when.

    Parameters
    ----------
    label : str
    by : str
    when : str
        ISO 8601, in UTC.
    others : tuple of str
        Values of further columns of the file, which are kept.
    """

    label: str
    by: str = ""
    when: str = ""
    others: tuple[str, ...] = ()


class TagFile:
    """Tags of one reader in one file, ``[sample,]object,label,by,when``.

    A tag of an object that had none is appended as one line and flushed to the disk; any
    other change writes the file anew under a temporary name and renames it. So the file is
    a sound table of labels at every moment, and a crash costs the last tag at most.

    Parameters
    ----------
    path : path-like
        Made with the first tag; read first if it is there.
    by : str
        Who tags.
    samples : bool
        Whether the objects are those of several samples: then there is a column ``sample``.

    Attributes
    ----------
    notes : list of str
        What was repaired on reading: a last line that a crash had cut short.

    Raises
    ------
    StudyError
        The file is there and is no table of labels; it is left as it is.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "labels.csv"
    >>> tags = TagFile(path, by="AB", samples=False)
    >>> tags.set({("", 7): "BNE", ("", 9): "Doublet"})
    >>> tags.set({("", 9): None})
    >>> {number: tag.label for (_, number), tag in TagFile(path, by="AB", samples=False).tags.items()}
    {7: 'BNE'}
    """

    def __init__(self, path: Path | str, *, by: str, samples: bool) -> None:
        self.path = Path(path)
        self.by = by
        self.samples = samples
        self.notes: list[str] = []
        self.columns: tuple[str, ...] = OWN if samples else OWN[1:]
        self.tags: dict[Key, Tag] = {}
        self._whole = True  # the file is ours and complete: a line may be appended
        if self.path.exists():
            self._read()

    def set(self, labels: Mapping[Key, str | None]) -> None:
        """Give objects a class, or take it away (None), and save that.

        Raises
        ------
        OutputError
            The disk refuses; the tags in memory are then as they were before.
        """
        when = datetime.now(UTC).isoformat(timespec="seconds")
        changed = {
            key: Tag(label, self.by, when, self.tags[key].others if key in self.tags else ())
            for key, label in labels.items()
            if label is not None and (key not in self.tags or self.tags[key].label != label)
        }
        gone = [key for key, label in labels.items() if label is None and key in self.tags]
        if not changed and not gone:
            return
        after = {key: tag for key, tag in self.tags.items() if key not in gone} | changed
        if gone or not self._whole or any(key in self.tags for key in changed) or not self.path.exists():
            self._write(after)
        else:
            self._append(changed)
        self.tags = after

    def _append(self, rows: Mapping[Key, Tag]) -> None:
        before = None
        try:
            before = self.path.stat().st_size
            with self.path.open("ab") as file:
                file.write(self._text(rows.items()).encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            self._undo_append(before)
            raise self._refused(error) from error

    def _undo_append(self, size: int | None) -> None:
        """Cut off what a full disk left of a line."""
        try:
            if size is not None:
                os.truncate(self.path, size)
        except OSError:
            self._whole = False  # the next tag writes the file anew

    def _write(self, rows: Mapping[Key, Tag]) -> None:
        with replacing(self.path, overwrite=True) as temporary, temporary.open("wb") as file:
            file.write((",".join(self.columns) + "\n" + self._text(rows.items())).encode())
            file.flush()
            os.fsync(file.fileno())
        self._whole = True

    def _text(self, rows: Iterable[tuple[Key, Tag]]) -> str:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        own = {name: place for place, name in enumerate(OWN)}
        for (sample, number), tag in rows:
            values = (sample, str(number), tag.label, tag.by, tag.when)
            others = iter((*tag.others, *[""] * len(self.columns)))
            writer.writerow([values[own[name]] if name in own else next(others) for name in self.columns])
        return text.getvalue()

    def _refused(self, error: OSError) -> OutputError:
        return OutputError(f"{self.path}: the tag cannot be saved: {error.strerror or error}")

    def _read(self) -> None:
        try:
            if self.path.stat().st_size > LARGEST:
                msg = f"{self.path}: expected at most {LARGEST} bytes of labels"
                raise StudyError(msg)
            raw = self.path.read_bytes()
            text = raw.decode("utf-8-sig")
            rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        except OSError as error:
            msg = f"{self.path}: cannot be read: {error.strerror or error}"
            raise StudyError(msg) from error
        except (UnicodeDecodeError, csv.Error) as error:
            msg = f"{self.path}: expected a CSV file in UTF-8: {error}"
            raise StudyError(msg) from error
        rows = [row for row in rows if any(row)]
        if not rows:
            return
        header = [name.strip() for name in rows[0]]
        wanted = ("sample", "object", "label") if self.samples else ("object", "label")
        if any(header.count(name) != 1 for name in wanted) or len(set(header)) < len(header):
            msg = f"{self.path}: expected the columns {','.join(wanted)}, found {','.join(header)[:200]}"
            raise StudyError(msg)
        complete = text.endswith("\n")
        for line, row in enumerate(rows[1:], start=2):
            last = line == len(rows) and not complete
            if last and self._is_cut(header, row):
                self.notes.append(f"{self.path}: the last line was cut short, and its tag is lost: {row}")
                continue
            self._take(line, header, row)
        extra = tuple(name for name in header if name not in OWN)
        self.columns = (*self.columns, *extra)
        self._whole = tuple(header) == self.columns and complete and not raw.startswith(b"\xef\xbb\xbf")

    def _is_cut(self, header: Sequence[str], row: Sequence[str]) -> bool:
        """Whether a last line without an end lacks values, or the end of its time."""
        when = row[header.index("when")] if "when" in header and len(row) == len(header) else ""
        return len(row) < len(header) or ("when" in header and len(when) != len("2026-01-31T23:59:59+00:00"))

    def _take(self, line: int, header: Sequence[str], row: Sequence[str]) -> None:
        if len(row) != len(header):
            msg = f"{self.path}: line {line}: expected {len(header)} values, found {len(row)}"
            raise StudyError(msg)
        values = dict(zip(header, (value.strip() for value in row), strict=True))
        number = values["object"]
        if not (number.isascii() and number.isdigit() and len(number) < 19):
            msg = f"{self.path}: line {line}: expected an object number, found {number[:40]!r}"
            raise StudyError(msg)
        key = (values["sample"] if self.samples else "", int(number))
        if key in self.tags:
            msg = f"{self.path}: line {line}: object {number} occurs twice; every object may have one row"
            raise StudyError(msg)
        if values["label"]:
            others = tuple(values[name] for name in header if name not in OWN)
            self.tags[key] = Tag(values["label"], values.get("by", ""), values.get("when", ""), others)
