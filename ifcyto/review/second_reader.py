"""Two readers of the same objects: how far they agree, and where they do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.compare.raters import Kappa, cohen_kappa

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ifcyto.review.tag_file import Key, Tag

__all__ = ["ReaderAgreement", "compare_readers"]


@dataclass(frozen=True, slots=True, eq=False)
class ReaderAgreement:
    """What two readers said of the objects that both tagged.

    Parameters
    ----------
    classes : tuple of str
    matrix : ndarray (k, k) of int64
        Objects by class of the first reader (rows) and of the second.
    kappa : Kappa
        Cohen's, with its interval; NaN without an object that both tagged.
    disagreements : tuple of Key
        Objects that they tagged differently, in the first reader's order.
    first_only, second_only : int
        Objects that one of them tagged.
    """

    classes: tuple[str, ...]
    matrix: NDArray[np.int64]
    kappa: Kappa
    disagreements: tuple[Key, ...]
    first_only: int
    second_only: int


def compare_readers(first: Mapping[Key, Tag], second: Mapping[Key, Tag]) -> ReaderAgreement:
    """Hold one reader's tags against another's.

    Parameters
    ----------
    first, second : mapping of (sample, object) to Tag

    Returns
    -------
    ReaderAgreement

    Examples
    --------
    >>> from ifcyto.review.tag_file import Tag
    >>> one = {("", n): Tag(label) for n, label in enumerate(["BNE", "BNE", "Doublet", "Doublet"])}
    >>> other = {("", n): Tag(label) for n, label in enumerate(["BNE", "Doublet", "Doublet", "Doublet"])}
    >>> found = compare_readers(one, other)
    >>> found.matrix.tolist(), found.disagreements, found.kappa.kappa
    ([[1, 1], [0, 2]], (('', 1),), 0.5)
    """
    both = [key for key in first if key in second]
    pairs = [(first[key].label, second[key].label) for key in both]
    classes = tuple(sorted({label for pair in pairs for label in pair}))
    matrix = np.zeros((len(classes),) * 2, np.int64)
    for one, other in pairs:
        matrix[classes.index(one), classes.index(other)] += 1
    return ReaderAgreement(
        classes,
        matrix,
        cohen_kappa(matrix if len(classes) else np.zeros((1, 1), np.int64)),
        tuple(key for key, (one, other) in zip(both, pairs, strict=True) if one != other),
        len(first) - len(both),
        len(second) - len(both),
    )
