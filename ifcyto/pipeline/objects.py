"""Which objects and which channels of an input a user means."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.cells import CellBatch
from ifcyto.errors import FormatError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.cells import Channel

__all__ = ["ObjectChoice", "choose_channels", "objects_per_source", "read_objects", "select_channels"]

ObjectChoice = Path | str | Sequence[int] | None
"""A ``.pop`` or CSV file, object numbers, or None for all objects."""


def read_objects(path: Path | str) -> NDArray[np.int64]:
    r"""Read object numbers from a population file.

    Two forms are known: IDEAS' ``.pop`` (a first line that is blank or a name,
    then one object number a line) and CSV with a column ``object`` or
    ``object_number`` (``label,object_number``).

    Returns
    -------
    ndarray (n,) of int64
        In the order of the file.

    Raises
    ------
    FormatError
        The file cannot be read, or a line holds no object number.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.pop"
    >>> _ = path.write_text("\n12\n7\n")
    >>> read_objects(path).tolist()
    [12, 7]
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            rows = [[part.strip() for part in row] for row in csv.reader(file)]
    except (OSError, csv.Error) as error:
        raise FormatError(path, f"cannot be read as a list of objects: {error}") from error
    column = _number_column(rows)
    numbers = []
    for line, row in enumerate(rows, start=1):
        text = row[column] if column < len(row) else ""
        if (line == 1 and not _is_number(text)) or not any(row):
            continue  # the header or name, blank in most .pop files; blank lines
        if not _is_number(text) or int(text) >= 2**63:
            found = ",".join(row)[:40]
            raise FormatError(path, f"expected an object number, found {found!r}", where=f"line {line}")
        numbers.append(int(text))
    return np.array(numbers, np.int64)


def _number_column(rows: list[list[str]]) -> int:
    """Place of the object numbers: by the header, or else the last column of the first full row."""
    header = [name.lower().replace(" ", "_") for name in rows[0]] if rows else []
    for name in ("object_number", "object"):
        if name in header:
            return header.index(name)
    first = next((row for row in rows[1:] if any(row)), [""])
    return max(len(first) - 1, 0)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def objects_per_source(
    objects: ObjectChoice | Sequence[ObjectChoice], n_sources: int
) -> list[NDArray[np.int64] | None]:
    """Sort out which objects of each source are wanted.

    Parameters
    ----------
    objects : path, sequence of int, None, or a sequence of these
        One choice goes with one source; several sources need one choice each.
    n_sources : int

    Returns
    -------
    list of (ndarray of int64 or None)
        One entry a source, None for all objects.

    Raises
    ------
    UsageError
        The numbers of choices and of sources differ.
    FormatError
        A population file cannot be read.

    Examples
    --------
    >>> objects_per_source([3, 4], 1)[0].tolist()
    [3, 4]
    """
    if objects is None:
        return [None] * n_sources
    choices: list[Any] = (
        [objects] if isinstance(objects, (str, Path)) or not _is_nested(objects) else list(objects)
    )
    if len(choices) != n_sources:
        msg = (
            f"object numbers belong to one file: expected {n_sources} lists for {n_sources} inputs, "
            f"found {len(choices)}"
        )
        raise UsageError(msg)
    return [None if choice is None else _numbers(choice) for choice in choices]


def _is_nested(objects: Any) -> bool:
    kinds = (str, Path, Sequence, np.ndarray)
    return any(choice is None or isinstance(choice, kinds) for choice in objects)


def _numbers(choice: Any) -> NDArray[np.int64]:
    if isinstance(choice, (str, Path)):
        return read_objects(choice)
    return np.asarray(choice, np.int64)


def choose_channels(channels: Sequence[Channel], wanted: Sequence[str | int] | None) -> list[int]:
    """Find channels by name, role, label or number.

    Returns
    -------
    list of int
        Positions in `channels`, rising, each once.

    Raises
    ------
    UsageError
        A channel is not there, or a name stands for several.

    Examples
    --------
    >>> from ifcyto.cells import Channel
    >>> choose_channels([Channel(1, "BF"), Channel(5, "DRAQ5")], ["draq5"])
    [1]
    """
    if wanted is None:
        return list(range(len(channels)))
    found = set()
    for want in wanted:
        places = _matches(channels, str(want).strip())
        if len(places) != 1:
            known = ", ".join(channel.label for channel in channels)
            what = f"{len(places)} channels" if places else "none"
            msg = f"expected one channel called {want!r}, found {what}; the file has {known}"
            raise UsageError(msg)
        found.add(places[0])
    if not found:
        msg = "expected at least one channel to keep, found none"
        raise UsageError(msg)
    return sorted(found)


def _matches(channels: Sequence[Channel], want: str) -> list[int]:
    if _is_number(want):
        return [i for i, channel in enumerate(channels) if channel.number == int(want)]
    text = want.casefold()
    names = [
        {channel.name.casefold(), channel.role.casefold(), channel.label.casefold()} for channel in channels
    ]
    named = [i for i, known in enumerate(names) if text in known]
    return named or [i for i, c in enumerate(channels) if text in {f"ch{c.number}", f"ch{c.number:02d}"}]


def select_channels(batch: CellBatch, keep: Sequence[int]) -> CellBatch:
    """Keep some channels of a batch, in their order in the file.

    Parameters
    ----------
    batch : CellBatch
    keep : sequence of int
        Positions, rising.

    Returns
    -------
    CellBatch
        `batch` itself when all channels are kept.
    """
    if len(keep) == batch.n_channels:
        return batch
    pattern = np.zeros(batch.n_channels, bool)
    pattern[list(keep)] = True
    planes = np.repeat(batch.heights.astype(np.int64) * batch.widths, batch.n_channels)
    chosen = np.repeat(np.tile(pattern, len(batch)), planes)
    facts = {name: values[:, pattern] if values.ndim == 2 else values for name, values in batch.facts.items()}
    masks = None if batch.masks is None else batch.masks[chosen]
    return CellBatch(
        batch.object_numbers,
        batch.heights,
        batch.widths,
        len(keep),
        batch.pixels[chosen],
        masks,
        facts,
    )
