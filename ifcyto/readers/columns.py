"""What a file of feature values holds, whatever its format: objects, names and numbers."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.errors import FormatError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = [
    "OBJECT_NUMBER",
    "FeatureColumns",
    "check_names",
    "is_object_number",
    "legal_names",
    "plain_name",
    "whole_numbers",
]

OBJECT_NUMBER = "Object Number"
"""Name of the column of object numbers, as IDEAS writes it."""

NUMBER_NAMES = frozenset({"objectnumber", "object", "objectno", "objectid"})
ILLEGAL = re.compile(r"[\x00-\x1f\x7f,/$|\\]")
"""Letters that ``$PnN`` of an FCS file may not hold (the comma), or that its readers take for separators."""
LARGEST = 2**53
"""Object numbers beyond are not exact as float64."""


@dataclass(frozen=True, slots=True, eq=False)
class FeatureColumns:
    """Values of some features of some objects.

    Parameters
    ----------
    path : pathlib.Path
        Where they come from; for messages.
    objects : ndarray (N,) of int64
        Object numbers, each once.
    names : tuple of str
        F names, each once; the object number is not among them.
    values : ndarray (N, F) of float64
        NaN where a feature is not known.
    labels : tuple of str
        Class of each object, empty for one that was not judged; no entries when
        nothing is said of classes.
    probabilities : ndarray (N,) of float64, or None
        Of the class that was given.
    markers : tuple of str
        What each feature shows (``CD235a``), empty for none; no entries when nothing is said.
    sample : str
    pixel_size_um : float or None
        Of the images that were measured.
    notes : tuple of str
        What a user should know though nothing is wrong.

    Raises
    ------
    UsageError
        Shapes do not fit together.
    """

    path: Path
    objects: NDArray[np.int64]
    names: tuple[str, ...]
    values: NDArray[np.float64]
    labels: tuple[str, ...] = ()
    probabilities: NDArray[np.float64] | None = None
    markers: tuple[str, ...] = ()
    sample: str = ""
    pixel_size_um: float | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n, f = len(self.objects), len(self.names)
        fits = (
            self.values.shape == (n, f)
            and len(self.labels) in {0, n}
            and len(self.markers) in {0, f}
            and (self.probabilities is None or self.probabilities.shape == (n,))
        )
        if not fits:
            msg = f"{self.path}: expected values of {n} objects and {f} features, found {self.values.shape}"
            raise UsageError(msg)

    def __len__(self) -> int:
        return len(self.objects)

    def column(self, name: str) -> NDArray[np.float64]:
        """Values ``(N,)`` of one feature.

        Raises
        ------
        UsageError
            There is no such feature.
        """
        if name not in self.names:
            msg = f"{self.path}: no feature {name!r} among {len(self.names)}"
            raise UsageError(msg)
        return self.values[:, self.names.index(name)]


def is_object_number(name: str) -> bool:
    """Say whether a column of this name holds object numbers.

    Examples
    --------
    >>> [is_object_number(name) for name in ("Object Number", "object", "object_number", "Area_M01")]
    [True, True, True, False]
    """
    return "".join(letter for letter in name.casefold() if letter.isalnum()) in NUMBER_NAMES


def plain_name(name: str) -> str:
    """Name as ``$PnN`` of an FCS file may be; see :func:`legal_names`.

    Examples
    --------
    >>> plain_name("Area_Dilate(M01, 2)")
    'Area_Dilate(M01; 2)'
    """
    return " ".join(ILLEGAL.sub(lambda found: ";" if found[0] == "," else "_", name).split()) or "_"


def legal_names(names: Sequence[str], taken: Sequence[str] = ()) -> list[str]:
    """Names of parameters in FCS and Gating-ML: printable, without commas, all different whatever the case.

    Parameters
    ----------
    names : sequence of str
    taken : sequence of str
        Names that others have.

    Examples
    --------
    >>> legal_names(["Area_M01", "area_m01", "G2/M"], taken=["Object Number"])
    ['Area_M01', 'area_m01 2', 'G2_M']
    """
    found = []
    known = {name.casefold() for name in taken}
    for name in names:
        plain = plain_name(name)
        legal, n = plain, 1
        while legal.casefold() in known:
            n += 1
            legal = f"{plain} {n}"
        known.add(legal.casefold())
        found.append(legal)
    return found


def check_names(path: Path, names: Sequence[str]) -> None:
    """Raise :class:`FormatError` when a name is empty or stands twice."""
    if not all(names):
        raise FormatError(path, f"expected a name for every column, found none for {names.index('') + 1}")
    name, times = Counter(names).most_common(1)[0] if names else ("", 0)
    if times > 1:
        raise FormatError(path, f"expected every column once, found {name[:60]!r} {times} times")


def whole_numbers(path: Path, values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Object numbers from numbers; whole, from 0, each once.

    Raises
    ------
    FormatError
        They are not.
    """
    good = np.isfinite(values) & (values >= 0) & (values <= LARGEST) & (values == np.floor(values))
    if not good.all():
        row = int(np.flatnonzero(~good)[0])
        msg = f"expected an object number, found {values[row]:g} in row {row + 1}"
        raise FormatError(path, msg)
    numbers = values.astype(np.int64)
    unique, counts = np.unique(numbers, return_counts=True)
    if len(unique) < len(numbers):
        repeated = int(unique[counts > 1][0])
        msg = f"expected every object number once, found {len(numbers) - len(unique)} repeated"
        raise FormatError(path, msg, object_number=repeated)
    return numbers
