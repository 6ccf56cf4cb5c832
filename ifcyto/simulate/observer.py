"""The blinded observer: sees objects with two bodies in the DNA image, and errs at a stated rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.simulate.sample import Truth

__all__ = ["CONFUSIONS", "ERROR", "LABELS", "VISIBLE", "observe", "visible"]

LABELS = ("BNE", "Doublet", "Irregular")
"""What an observer tags."""

ERROR = 0.05
"""Share of wrong tags of every class, unless told otherwise (approximation)."""

CONFUSIONS = np.array([[0.0, 0.1, 0.9], [0.5, 0.0, 0.5], [0.9, 0.1, 0.0]])
"""Where a wrong tag goes, by true class (rows) and tag (columns) in the order of :data:`LABELS`.

An approximation after S0's confusion table, in which BNE and irregular are mixed up and
doublets hardly ever.
"""

VISIBLE = 0.7
"""An object shows two bodies when the light between them falls to this share of the lower peak.

As in the default rule of candidates.
"""


def visible(truth: Truth) -> NDArray[np.bool_]:
    """Objects ``(n,)`` that an observer looks at: of a class that is tagged, with two bodies to see."""
    shown: NDArray[np.bool_] = np.isin(truth.kinds, LABELS) & (truth.saddle <= VISIBLE)
    return shown


def observe(truth: Truth, *, error: float, rng: np.random.Generator) -> NDArray[np.str_]:
    """Tag objects as a person would.

    Parameters
    ----------
    truth : Truth
        Of ``n`` objects.
    error : float
        Probability of a wrong tag, from 0 to 1, the same for every class.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray (n,) of str
        One of :data:`LABELS`, or empty for objects that are not looked at.

    Raises
    ------
    UsageError
        `error` is not a probability.
    """
    if not 0 <= error <= 1:
        msg = f"expected an observer's error from 0 to 1, found {error}"
        raise UsageError(msg)
    n = len(truth.kinds)
    true = np.argmax(truth.kinds[:, None] == np.array(LABELS), axis=1)
    wrong, draw = rng.random(n) < error, rng.random(n)
    other = (draw[:, None] >= np.cumsum(CONFUSIONS, axis=1)[true]).sum(axis=1)
    tagged = np.array(LABELS)[np.where(wrong, np.minimum(other, len(LABELS) - 1), true)]
    return np.where(visible(truth), tagged, "")
