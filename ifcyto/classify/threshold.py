"""Leave what is not probable enough ``Unknown``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.classify.scorer import UNKNOWN
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["apply_threshold"]


def apply_threshold(
    labels: ArrayLike, probability: ArrayLike, threshold: float | Mapping[str, float]
) -> NDArray[np.str_]:
    """Keep a class where it is probable enough.

    Parameters
    ----------
    labels : array_like (n,) of str
        Class given to each object.
    probability : array_like (n,)
        Of that class; NaN where it is not known.
    threshold : float or mapping of str to float
        Probability from 0 to 1 that an object needs to keep its class: one for all classes, or
        one for each class named; the others are kept.

    Returns
    -------
    ndarray (n,) of str
        ``Unknown`` below the threshold and where the probability is NaN.

    Raises
    ------
    UsageError
        A threshold outside 0 to 1, or lengths that differ.

    Examples
    --------
    >>> apply_threshold(["BNE", "BNE", "Doublet"], [0.9, 0.6, 0.5], {"BNE": 0.8}).tolist()
    ['BNE', 'Unknown', 'Doublet']
    """
    given, p = np.asarray(labels, np.str_), np.asarray(probability, np.float64)
    if given.ndim != 1 or given.shape != p.shape:
        msg = f"threshold: expected a probability for every class, found {p.shape} and {given.shape}"
        raise UsageError(msg)
    limits: Mapping[str, float] = threshold if isinstance(threshold, Mapping) else {"": threshold}
    for name, limit in limits.items():
        if not 0 <= limit <= 1:
            of = f" for {name}" if name else ""
            msg = f"threshold: expected a probability from 0 to 1{of}, found {limit:g}"
            raise UsageError(msg)
    other = limits.get("", 0.0)
    needed = np.array([limits.get(name, other) for name in given.tolist()], np.float64)
    with np.errstate(invalid="ignore"):
        kept = p >= needed
    return np.where(kept, given, UNKNOWN)
