"""The transformations of Gating-ML 2.0: back from the scaled axis to data units.

References
----------
Spidlen et al. 2015, "ISAC's Gating-ML 2.0 data exchange standard for gating
description", Cytometry A 87A:683-687. Moore & Parks 2012, "Update for the Logicle data
scale including operational code implementations", Cytometry A 81A:273-277. Bagwell 2005,
"HyperLog - a flexible log-like transform", Cytometry A 64A:34-42.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.optimize import brentq

from ifcyto.errors import GateError
from ifcyto.gates.scales import LINEAR, Scale

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["Transform"]

LN10 = math.log(10)
MOST_DECADES = 50
"""Of an axis; a real one has some five, and more than these leave the range of numbers."""


@dataclass(frozen=True, slots=True)
class Transform:
    """A transformation of one axis; all of them rise, so that ranges need just their ends.

    Parameters
    ----------
    kind : str
        ``flin``, ``flog``, ``fasinh``, ``logicle`` or ``hyperlog``.
    t, w, m, a : float
        The parameters that the standard calls T, W, M and A.

    Raises
    ------
    GateError
        The kind is not of the standard, or the parameters are not those that it allows.

    Examples
    --------
    >>> import numpy as np
    >>> Transform("flog", t=10000, m=5).inverse(np.array([1.0, 1.2])).round(6).tolist()
    [10000.0, 100000.0]
    """

    PARAMETERS: ClassVar[Mapping[str, str]] = {
        "flin": "TA", "flog": "TM", "fasinh": "TMA", "logicle": "TWMA", "hyperlog": "TWMA"
    }  # fmt: skip

    kind: str
    t: float
    w: float = 0.5
    m: float = 4.5
    a: float = 0.0

    def __post_init__(self) -> None:
        t, w, m, a = self.t, self.w, self.m, self.a
        if self.kind not in self.PARAMETERS:
            msg = f"the transformation {self.kind[:60]!r} is not one of Gating-ML 2.0"
            raise GateError(msg)
        rules = {
            "flin": 0 <= a <= t,
            "flog": m > 0,
            "fasinh": m > 0 and 0 <= a <= m,
            "logicle": m > 0 and 0 <= w <= m / 2 and -w <= a <= m - 2 * w,
            "hyperlog": m > 0 and 0 < w <= m / 2 and -w <= a <= m - 2 * w,
        }
        if not (all(map(math.isfinite, (t, w, m, a))) and t > 0 and m <= MOST_DECADES and rules[self.kind]):
            found = ", ".join(
                f"{name} {getattr(self, name.lower()):g}" for name in self.PARAMETERS[self.kind]
            )
            msg = f"expected parameters of {self.kind} that the standard allows, found {found}"
            raise GateError(msg)

    @property
    def scale(self) -> Scale | None:
        """Axis of ours on which the same lines are straight; None where there is none."""
        return {"flin": LINEAR, "flog": Scale("log")}.get(self.kind)

    def inverse(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Value in data units of each place on the scaled axis."""
        t, m, a = self.t, self.m, self.a
        with np.errstate(over="ignore", invalid="ignore"):
            if self.kind == "flin":
                return places * (t + a) - a
            if self.kind == "flog":
                return np.asarray(t * 10 ** ((places - 1) * m))
            if self.kind == "fasinh":
                return np.sinh(((m + a) * places - a) * LN10) * (t / math.sinh(m * LN10))
            return self._biexponential(places) if self.kind == "logicle" else self._hyperlog(places)

    def _corner(self) -> tuple[float, float, float, float]:
        """Width of the linear part, its middle, its end and the slope, in the terms of the papers."""
        w, second = self.w / (self.m + self.a), self.a / (self.m + self.a)
        return w, second + w, second + 2 * w, (self.m + self.a) * LN10

    def _biexponential(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        w, middle, end, b = self._corner()
        d = b if w == 0 else brentq(lambda d: 2 * (math.log(d) - math.log(b)) + w * (d + b), 1e-300, b)
        ratio = math.exp(end * (b + d))
        offset = math.exp(b * middle) - ratio / math.exp(d * middle)
        size = self.t / (math.exp(b) - offset - ratio / math.exp(d))
        upper = np.abs(places - middle) + middle
        found = size * (np.exp(b * upper) - ratio * np.exp(-d * upper) - offset)
        return np.where(places < middle, -found, found)

    def _hyperlog(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        w, middle, end, b = self._corner()
        ratio = math.exp(b * end) / w
        offset = math.exp(b * middle) + ratio * middle
        size = self.t / (math.exp(b) + ratio - offset)
        upper = np.abs(places - middle) + middle
        found = size * (np.exp(b * upper) + ratio * upper - offset)
        return np.where(places < middle, -found, found)
