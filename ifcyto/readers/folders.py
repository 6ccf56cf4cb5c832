"""What lies in a folder of image files, listed once, in natural order."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.errors import FormatError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = [
    "IMAGE_SUFFIXES",
    "TIFF_SUFFIXES",
    "Listing",
    "describe_holes",
    "list_folder",
    "name_some",
    "natural_key",
    "peek",
    "split_suffix",
]

TIFF_SUFFIXES = (".ome.tif", ".ome.tiff", ".tif", ".tiff")
"""Longest first, so that ``.ome`` goes with the suffix."""

IMAGE_SUFFIXES = (*TIFF_SUFFIXES, ".png", ".jpg", ".jpeg")

_PEEK = 256


@dataclass(frozen=True, slots=True)
class Listing:
    """Names of the images, other files and subfolders of one folder.

    Hidden entries (first letter a dot) are left out. What is no plain file (a pipe, a
    link to nothing) is among `others`.
    """

    images: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)


def list_folder(path: Path, *, most: int | None = None, natural: bool = True) -> Listing:
    """List a folder.

    Parameters
    ----------
    path : pathlib.Path
    most : int, optional
        Stop after so many entries, whichever come first.
    natural : bool
        Sort names by :func:`natural_key`; otherwise as plain text, which is much faster.

    Raises
    ------
    FormatError
        The folder cannot be read.
    """
    listing = Listing()
    try:
        with os.scandir(path) as entries:
            for entry in islice(entries, most):
                if entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    listing.folders.append(entry.name)
                elif split_suffix(entry.name)[1] and entry.is_file():
                    listing.images.append(entry.name)
                else:
                    listing.others.append(entry.name)
    except OSError as error:
        raise FormatError(path, f"cannot be listed: {error.strerror or error}") from error
    for names in (listing.images, listing.others, listing.folders):
        names.sort(key=natural_key if natural else None)
    return listing


def peek(path: Path) -> Listing:
    """List a few entries of a folder, for sniffing; empty when it cannot be read."""
    try:
        return list_folder(path, most=_PEEK)
    except FormatError:
        return Listing()


def split_suffix(name: str) -> tuple[str, str]:
    """Split a file name into stem and image suffix in lower case (empty: no image).

    Examples
    --------
    >>> split_suffix("a_7_Ch1.ome.TIF"), split_suffix("notes.txt")
    (('a_7_Ch1', '.ome.tif'), ('notes.txt', ''))
    """
    low = name.lower()
    for suffix in IMAGE_SUFFIXES:
        if low.endswith(suffix):
            return name[: -len(suffix)], suffix
    return name, ""


def natural_key(name: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """Key that sorts ``cell9`` before ``cell10``; ties are settled by the plain name.

    Examples
    --------
    >>> sorted(["cell10", "cell9", "Cell1"], key=natural_key)
    ['Cell1', 'cell9', 'cell10']
    """
    parts = re.split(r"([0-9]+)", name.lower())
    key = tuple(
        (1, 0, part) if i % 2 == 0 else (0, len(part.lstrip("0")), part.lstrip("0"))
        for i, part in enumerate(parts)
    )
    return key, name


def describe_holes(numbers: NDArray[np.int64]) -> str | None:
    """Say which object numbers are missing between the first and the last; None when none is.

    Parameters
    ----------
    numbers : ndarray (N,) of int64
        Unique, in any order.

    Examples
    --------
    >>> describe_holes(np.array([2, 3, 6]))
    'object numbers run from 2 to 6 with 2 missing: 4, 5'
    """
    ordered = np.sort(numbers)
    gaps = np.flatnonzero(np.diff(ordered) > 1)
    if not len(gaps):
        return None
    missing = int(ordered[-1]) - int(ordered[0]) + 1 - len(ordered)
    starts = (range(int(ordered[g]) + 1, int(ordered[g + 1])) for g in gaps)
    some = list(islice((number for span in starts for number in span), 5))
    more = " ..." if missing > len(some) else ""
    return (
        f"object numbers run from {ordered[0]} to {ordered[-1]} with {missing} missing: "
        f"{', '.join(map(str, some))}{more}"
    )


def name_some(names: list[str], *, most: int = 3) -> str:
    """First few of a list of names, for a message."""
    return ", ".join(names[:most]) + (" ..." if len(names) > most else "")
