"""What is checked of the records of a CIF or RIF file before anything is decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.errors import Fault
from ifcyto.readers import kernels as k
from ifcyto.readers.tiffdirs import CODEC

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Report = Callable[[Fault], None]

__all__ = ["check_pairs", "check_strips", "repeated_numbers", "strips_in_others"]


def _tell(
    rows: NDArray[np.bool_],
    index_numbers: NDArray[np.int64],
    offsets: NDArray[np.int64],
    good: NDArray[np.bool_],
    report: Report,
    text: Callable[[int], str],
) -> None:
    for row in np.flatnonzero(rows).tolist():
        good[row] = False
        report(Fault(text(row), int(index_numbers[row]), int(offsets[row])))


def check_pairs(
    image: NDArray[np.int64],
    mask: NDArray[np.int64],
    numbers: NDArray[np.int64],
    good: NDArray[np.bool_],
    report: Report,
) -> None:
    """See that each mask is as large as its image and belongs to the same object; clears `good`."""
    masked = mask[:, k.REC_OFFSET] >= 0
    offsets = image[:, k.REC_OFFSET]
    for column, name in ((k.REC_WIDTH, "wide"), (k.REC_HEIGHT, "high")):
        differs = masked & good & (mask[:, column] != image[:, column])

        def text(row: int, column: int = column, name: str = name) -> str:
            return f"image is {image[row, column]} px {name}, its mask {mask[row, column]}"

        _tell(differs, numbers, offsets, good, report, text)
    theirs = mask[:, k.REC_ID]
    other = masked & good & (theirs >= 0) & (theirs != image[:, k.REC_ID]) & (image[:, k.REC_ID] >= 0)
    _tell(other, numbers, offsets, good, report, lambda row: f"its mask belongs to object {theirs[row]}")


def check_strips(
    records: NDArray[np.int64],
    what: str,
    numbers: NDArray[np.int64],
    rows: NDArray[np.bool_],
    size: int,
    report: Report,
    *,
    into: NDArray[np.bool_] | None = None,
) -> None:
    """See that each strip lies in the file and can hold its pixels; clears `into`, else `rows`.

    Only objects at which `rows` is True are looked at.
    """
    good = rows if into is None else into
    offsets = records[:, k.REC_OFFSET]
    codec = records[:, k.REC_CODEC]
    wanted = CODEC["greyscale" if what == "image" else "mask"]
    _tell(
        rows & (codec != wanted) & (codec != CODEC["plain"]),
        numbers,
        offsets,
        good,
        report,
        lambda row: f"expected {what} codec {wanted} or {CODEC['plain']}, found {codec[row]}",
    )
    width, height = records[:, k.REC_WIDTH], records[:, k.REC_HEIGHT]
    _tell(
        rows & good & ((width <= 0) | (height <= 0)),
        numbers,
        offsets,
        good,
        report,
        lambda row: f"expected an {what} of at least 1 x 1 px, found {width[row]} x {height[row]}",
    )
    strips, counts = records[:, k.REC_STRIPS], records[:, k.REC_COUNTS]
    _tell(
        rows & good & ((strips < 1) | (strips != counts)),
        numbers,
        offsets,
        good,
        report,
        lambda row: f"expected as many {what} strips as byte counts, found {strips[row]} and {counts[row]}",
    )
    n_bytes = records[:, k.REC_BYTES]
    single = rows & good & (strips == 1)
    stop = records[:, k.REC_STRIP] + n_bytes
    _tell(
        single & (stop > size),
        numbers,
        offsets,
        good,
        report,
        lambda row: f"{what} strip ends at {stop[row]}, the file has {size} bytes: it is truncated",
    )
    several = rows & good & (strips > 1) & (np.maximum(records[:, k.REC_STRIP], n_bytes) + 4 * strips > size)
    _tell(
        several,
        numbers,
        offsets,
        good,
        report,
        lambda row: f"the list of {strips[row]} {what} strips leaves the file",
    )
    # A nibble holds at most one pixel, a byte pair at most 256.
    most = np.where(strips == 1, n_bytes, size) * (2 if what == "image" else 128)
    plain = codec == CODEC["plain"]
    pixels = width.astype(np.float64) * height
    most = np.where(plain, most if what == "image" else most // 128, most)
    _tell(
        rows & good & (pixels > most),
        numbers,
        offsets,
        good,
        report,
        lambda row: f"claims {width[row]} x {height[row]} px, its {what} strip holds at most {most[row]}",
    )


def strips_in_others(
    spans: Mapping[str, tuple[NDArray[Any], NDArray[Any]]],
    known: Mapping[str, NDArray[np.bool_]],
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Find strips that reach into another's bytes: they could claim the file many times over.

    Parameters
    ----------
    spans : mapping of str to (offsets, byte counts)
        Per kind of record, arrays ``(N,)``.
    known : mapping of str to ndarray (N,) of bool
        Where the span is that of one strip.
    starts, stops : ndarray (N,) of int64
        The bytes that belong to each object by the chain of directories.

    Returns
    -------
    bad : ndarray (N,) of bool
        Objects with a strip outside their own bytes that overlaps another strip.
    owners : ndarray (N,) of int64
        The object that each of them reaches into.
    """
    n = len(starts)
    begin = np.concatenate([np.asarray(offsets, np.int64) for offsets, _ in spans.values()])
    end = begin + np.concatenate([np.asarray(counts, np.int64) for _, counts in spans.values()])
    single = np.concatenate([known[kind] for kind in spans])
    own = np.tile(np.arange(n), len(spans))
    outside = single & ((begin < starts[own]) | (end > stops[own]))
    bad, owners = np.zeros(n, bool), np.full(n, -1)
    if not outside.any():
        return bad, owners
    order = np.flatnonzero(single)[np.argsort(begin[single], kind="stable")]
    # A strip overlaps an earlier one when that reaches furthest so far beyond its begin, a later one
    # when that begins before its end.
    reach = np.maximum.accumulate(end[order])
    furthest = np.searchsorted(reach, reach)  # place of the strip that reaches furthest so far
    place = np.arange(len(order))
    before = np.append(False, reach[:-1] > begin[order[1:]])
    after = np.append(begin[order[1:]] < end[order[:-1]], False)
    for here in place[(before | after) & outside[order]].tolist():
        row = int(own[order[here]])
        other = order[furthest[here - 1]] if before[here] else order[here + 1]
        bad[row], owners[row] = True, own[other]
    return bad, owners


def repeated_numbers(numbers: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Find object numbers that stood before.

    Returns
    -------
    again : ndarray (N,) of bool
    first : ndarray (N,) of int64
        Row at which each number stands first.

    Examples
    --------
    >>> again, first = repeated_numbers(np.array([4, 7, 4]))
    >>> again.tolist(), first.tolist()
    ([False, False, True], [0, 1, 0])
    """
    _, rows, which = np.unique(numbers, return_index=True, return_inverse=True)
    first: NDArray[np.int64] = rows[which]
    return first != np.arange(len(numbers)), first
