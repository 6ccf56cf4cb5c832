"""What there is to review: objects with what is known of them, filtered and put in order."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ifcyto.errors import StudyError, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from ifcyto.review.tag_file import Key

__all__ = [
    "METHODS",
    "ReviewObjects",
    "arrange",
    "by_likeness",
    "by_sample",
    "from_results",
    "matching",
    "shuffled",
]

METHODS = ("spot", "fbml", "cnn", "manual")
"""Columns of ``classifications.csv`` with a method's verdict; a blinded reader sees none of them."""

POSITIVE = "BNE"
REGION = "called BNE by"
DISAGREEMENT = "disagreement"
LARGEST = 2**30

Value = TypeVar("Value", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class ReviewObjects:
    """Objects of one or more samples, and columns of what is known of them.

    Parameters
    ----------
    samples : ndarray (n,) of str
        Empty strings where there is one input alone.
    objects : ndarray (n,) of int64
        Object numbers.
    words : mapping of str to ndarray (n,) of str
        Stage, group, verdict of each method and the like.
    numbers : mapping of str to ndarray (n,) of float64
        Scores, probabilities, features; NaN where there is none.
    verdicts : frozenset of str
        Columns that tell what a method said, or whose cells these are; hidden from a blinded
        reader.

    Raises
    ------
    ValueError
        Lengths that differ.
    """

    samples: NDArray[np.str_]
    objects: NDArray[np.int64]
    words: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)
    numbers: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    verdicts: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        columns = [self.samples, *self.words.values(), *self.numbers.values()]
        if any(column.shape != self.objects.shape for column in columns):
            msg = f"expected columns of {len(self.objects)} objects, found other lengths"
            raise ValueError(msg)

    def __len__(self) -> int:
        return len(self.objects)

    def key(self, row: int) -> Key:
        """Sample and object number of a row."""
        return str(self.samples[row]), int(self.objects[row])

    def seen(self, *, blinded: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Names of the columns of words and of numbers that a reader may see."""
        hidden = self.verdicts if blinded else frozenset()
        return tuple(n for n in self.words if n not in hidden), tuple(
            n for n in self.numbers if n not in hidden
        )


def matching(
    found: ReviewObjects,
    words: Mapping[str, Collection[str]] | None = None,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    *,
    blinded: bool = False,
) -> NDArray[np.bool_]:
    """Which objects pass a filter.

    Parameters
    ----------
    found : ReviewObjects
    words : mapping of str to collection of str, optional
        Column to the values that pass; ``sample`` is a column too.
    ranges : mapping of str to (low, high), optional
        Column of numbers to the least and largest value that pass; NaN never does.
    blinded : bool
        Refuse columns that tell a verdict.

    Returns
    -------
    ndarray (n,) of bool

    Raises
    ------
    UsageError
        A column that is not there, or that a blinded reader may not see.
    """
    passing = np.ones(len(found), bool)
    for name, values in (words or {}).items():
        column = found.samples if name == "sample" else _column(found, found.words, name, blinded=blinded)
        passing &= np.isin(column, list(values))
    for name, (low, high) in (ranges or {}).items():
        values_of = _column(found, found.numbers, name, blinded=blinded)
        passing &= (values_of >= low) & (values_of <= high)
    return passing


def by_sample(samples: NDArray[np.str_]) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Each sample, in the order of first mention, and the places where it stands.

    Examples
    --------
    >>> [(name, places.tolist()) for name, places in by_sample(np.array(["B", "A", "B"]))]
    [('B', [0, 2]), ('A', [1])]
    """
    for sample in dict.fromkeys(samples.tolist()):
        yield sample, np.flatnonzero(samples == sample)


def arrange(
    found: ReviewObjects, rows: NDArray[np.int64], by: str, *, descending: bool = False, blinded: bool = False
) -> NDArray[np.int64]:
    """Put rows in the order of a column; those without a value come last, equals stay as they were.

    Raises
    ------
    UsageError
        A column that is not there, or that a blinded reader may not see.
    """
    if by in found.words:
        words = _column(found, found.words, by, blinded=blinded)[rows]
        values = np.unique(words, return_inverse=True)[1].astype(np.float64)
        values[words == ""] = np.nan
    else:
        values = _column(found, found.numbers, by, blinded=blinded)[rows]
    return rows[np.argsort(-values if descending else values, kind="stable")]


def shuffled(rows: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Rows in an order that depends on the seed alone."""
    return np.random.default_rng(seed).permutation(np.sort(rows))


def by_likeness(values: NDArray[np.float64], rows: NDArray[np.int64], like: int) -> NDArray[np.int64]:
    """Put rows in the order of their likeness to one object.

    Parameters
    ----------
    values : ndarray (n, F)
        Features or an embedding of all objects.
    rows : ndarray (m,) of int64
    like : int
        Row of the object; it comes first if it is among `rows`.

    Returns
    -------
    ndarray (m,) of int64

    Notes
    -----
    Euclidean distance of columns divided by their standard deviation; missing values count
    as the mean. Constant columns do not count.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        finite = np.where(np.isfinite(values), values, np.nan)
        known = np.isfinite(finite)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, finite, 0).sum(axis=0) / count
        spread = np.sqrt((np.where(known, finite - mean, 0) ** 2).sum(axis=0) / count)
    scaled = np.where(known, finite - mean, 0)[:, spread > 0] / spread[spread > 0]
    distance = ((scaled[rows] - scaled[like]) ** 2).sum(axis=1)
    distance[rows == like] = -1
    return rows[np.argsort(distance, kind="stable")]


def from_results(path: Path | str) -> ReviewObjects:
    """Candidates of a study that was run, in the order of its table.

    Parameters
    ----------
    path : path-like
        ``classifications.csv``.

    Returns
    -------
    ReviewObjects
        With ``stage``, ``group`` and the verdicts; ``called BNE by`` says which methods did,
        such as ``fbml only``; ``disagreement`` counts the classes given, less one.

    Raises
    ------
    StudyError
        The table is missing or is none of ours.
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            msg = f"{path}: expected at most {LARGEST} bytes"
            raise StudyError(msg)
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file, strict=True) if row.get("candidate") == "1"]
            empty = {"sample", "object", "stage", "candidate"}
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror or error}; run the study first"
        raise StudyError(msg) from error
    except (UnicodeDecodeError, csv.Error) as error:
        msg = f"{path}: expected a table of a run: {error}"
        raise StudyError(msg) from error
    if rows and not empty <= rows[0].keys():
        msg = (
            f"{path}: expected the columns of classifications.csv, found {', '.join(map(str, rows[0]))[:200]}"
        )
        raise StudyError(msg)
    return _from_rows(path, rows)


def _from_rows(path: Path, rows: Sequence[Mapping[str, str]]) -> ReviewObjects:
    def words(name: str) -> NDArray[np.str_]:
        return np.array([row.get(name) or "" for row in rows], np.str_)

    verdicts = {name: words(name) for name in METHODS}
    ran = {name: column for name, column in verdicts.items() if (column != "").any()}
    try:
        objects = np.array([int(row["object"]) for row in rows], np.int64)
        scores = {
            name: np.array([float(row.get(name) or "nan") for row in rows])
            for name in ("fbml_score", "cnn_probability")
        }
    except ValueError as error:
        msg = f"{path}: expected numbers: {error}"
        raise StudyError(msg) from error
    known = {name: values for name, values in scores.items() if np.isfinite(values).any()}
    judged = {name: column for name, column in ran.items() if name != "manual"}
    region = _regions(ran, len(rows))
    different = np.array([
        len({column[i] for column in judged.values() if column[i]}) for i in range(len(rows))
    ], np.float64)  # fmt: skip
    return ReviewObjects(
        words("sample"),
        objects,
        {"stage": words("stage"), "group": words("group"), REGION: region, **ran},
        {**known, DISAGREEMENT: np.maximum(different - 1, 0)},
        frozenset({*METHODS, *scores, REGION, DISAGREEMENT, "group"}),
    )


def _regions(verdicts: Mapping[str, NDArray[np.str_]], n: int) -> NDArray[np.str_]:
    """Which methods called an object a BNE: the region of a Venn diagram that it is in."""
    called = {name: column == POSITIVE for name, column in verdicts.items()}
    names = []
    for i in range(n):
        mine = [name for name, column in called.items() if column[i]]
        names.append("none" if not mine else f"{mine[0]} only" if len(mine) == 1 else " and ".join(mine))
    return np.array(names, np.str_)


def _column(
    found: ReviewObjects, columns: Mapping[str, NDArray[Value]], name: str, *, blinded: bool
) -> NDArray[Value]:
    if blinded and name in found.verdicts:
        msg = (
            f"{name!r} tells what a method said or whose cells these are, which a blinded reader does not see"
        )
        raise UsageError(msg)
    if name not in columns:
        msg = f"expected a column among {', '.join(columns) or 'none'}, found {name!r}"
        raise UsageError(msg)
    return columns[name]
