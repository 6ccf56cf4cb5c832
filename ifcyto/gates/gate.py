"""A gate: a shape on named features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.errors import GateError, UsageError
from ifcyto.gates.scales import LINEAR, Scale

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ifcyto.gates.shapes import Shape

__all__ = ["Gate"]


@dataclass(frozen=True, slots=True)
class Gate:
    """A shape on one feature or two.

    Parameters
    ----------
    name : str
    features : tuple of str
        Columns on its axes, x first.
    shape : Shape
        In data units.
    scales : tuple of Scale
        One an axis; empty when all are linear. They matter to ovals and polygons only.
    colour, light_colour : str
        On a dark and on a light ground, as IDEAS names colours.
    comment : str

    Raises
    ------
    GateError
        Features, axes and scales do not fit together; or a point of an oval or a
        polygon has no place on a logarithmic axis.

    Examples
    --------
    >>> from ifcyto.gates.shapes import Range
    >>> gate = Gate("Focused", ("Gradient RMS_M01_BF",), Range(50))
    >>> gate.member([48.0, 50.0, float("nan")]).tolist()
    [False, True, False]
    """

    name: str
    features: tuple[str, ...]
    shape: Shape
    scales: tuple[Scale, ...] = ()
    colour: str = ""
    light_colour: str = ""
    comment: str = ""

    def __post_init__(self) -> None:
        kind, n_axes = self.shape.kind, self.shape.n_axes
        for what, found in (("features", self.features), ("scales", self.scales or self.features)):
            if len(found) != n_axes or not all(found):
                axes = f"the axes of a {kind} ({n_axes})"
                msg = f"gate {self.name!r}: expected {what} for {axes}, found {len(found)}"
                raise GateError(msg)
        if all(scale.kind == "linear" for scale in self.scales):
            object.__setattr__(self, "scales", ())  # so that equal gates compare equal
        for point in self.shape.corners():
            for value, scale in zip(point, self.axes, strict=True):
                if np.isnan(scale.place(np.array(value))):
                    msg = f"gate {self.name!r}: expected a point above 0 on a log axis, found {value:g}"
                    raise GateError(msg)

    @property
    def axes(self) -> tuple[Scale, ...]:
        """Scale of each axis."""
        return self.scales or (LINEAR,) * self.shape.n_axes

    def member(self, *values: ArrayLike) -> NDArray[np.bool_]:
        """Which objects are inside.

        Parameters
        ----------
        *values : array_like (n,)
            One array an axis: the values of :attr:`features`, in their order.

        Returns
        -------
        ndarray (n,) of bool
            False where a value is NaN.

        Raises
        ------
        UsageError
            Another number of arrays is given, or they differ in length.
        """
        arrays = [np.asarray(value, np.float64) for value in values]
        alike = {array.ndim for array in arrays} == {1} and len({len(array) for array in arrays}) == 1
        if len(arrays) != self.shape.n_axes or not alike:
            found = ", ".join(str(array.shape) for array in arrays) or "nothing"
            msg = (
                f"gate {self.name!r}: expected {self.shape.n_axes} arrays of the same length "
                f"({', '.join(self.features)}), found {found}"
            )
            raise UsageError(msg)
        return self.shape.member(arrays, self.axes)
