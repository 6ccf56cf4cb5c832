"""Axes of gates: linear, logarithmic, and linear-logarithmic as IDEAS draws them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from ifcyto.errors import GateError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LINEAR", "Scale"]


@dataclass(frozen=True, slots=True)
class Scale:
    """How an axis places values. Gates keep their points in data units.

    Parameters
    ----------
    kind : {"linear", "log", "linlog"}
        ``linlog`` is linear up to `until`, logarithmic beyond, on both sides of 0:
        t(v) = v / h for |v| <= h, else sign(v) (1 + ln(|v| / h)), with h = `until`.
    until : float
        Of ``linlog``, in data units; above 0.

    Raises
    ------
    GateError
        There is no such kind, or `until` is no positive number.

    Notes
    -----
    The formula of ``linlog`` is that of the R package IFC (INFERRED: no gate of the
    real files depends on it). Its slope is continuous; the base of the logarithm cancels.

    Examples
    --------
    >>> Scale("linlog", 1000.0).place(np.array([-500.0, 1000.0, 1000.0 * np.e])).tolist()
    [-0.5, 1.0, 2.0]
    >>> Scale("log").place(np.array([1.0, 0.0])).tolist()
    [0.0, nan]
    """

    KINDS: ClassVar[tuple[str, ...]] = ("linear", "log", "linlog")

    kind: Literal["linear", "log", "linlog"] = "linear"
    until: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in self.KINDS:
            msg = f"expected a scale among {', '.join(self.KINDS)}, found {str(self.kind)[:40]!r}"
            raise GateError(msg)
        if not (math.isfinite(self.until) and self.until > 0):
            msg = f"expected a linear-logarithmic scale with a positive linear range, found {self.until}"
            raise GateError(msg)

    def place(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Position ``(n,)`` of each value on the axis; NaN where it has none."""
        if self.kind == "linear":
            return values
        with np.errstate(all="ignore"):
            if self.kind == "log":
                return np.log(np.where(values > 0, values, np.nan))
            size = np.abs(values) / self.until
            beyond = np.sign(values) * (1 + np.log(np.where(size > 1, size, 1.0)))
            return np.where(size > 1, beyond, values / self.until)

    def data(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Value ``(n,)`` in data units at each position; the inverse of :meth:`place`.

        Examples
        --------
        >>> Scale("linlog", 1000.0).data(np.array([-0.5, 1.0])).tolist()
        [-500.0, 1000.0]
        """
        if self.kind == "linear":
            return places
        with np.errstate(over="ignore"):
            if self.kind == "log":
                return np.exp(places)
            size = np.abs(places)
            beyond = np.sign(places) * np.exp(np.maximum(size, 1.0) - 1)
            return np.where(size > 1, beyond, places) * self.until


LINEAR = Scale()
"""The plain axis."""
