"""Size: area, diameter, axes, box, perimeter, thickness (``ideas_features`` 5.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifcyto.features.spec import Confidence, FeatureSpec, Takes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.features.workspace import Workspace

__all__ = ["SPECS", "area", "diameter"]


def area(work: Workspace, mask: str) -> NDArray[np.float64]:
    """Area of a mask in square micrometres: N p^2."""
    values: NDArray[np.float64] = work.count(mask) * np.float64(work.planes.pixel_size_um**2)
    return values


def diameter(work: Workspace, mask: str) -> NDArray[np.float64]:
    """Diameter of the disc of the same area: 2 sqrt(Area / 3.14); IDEAS writes 3.14, not pi."""
    values: NDArray[np.float64] = 2 * np.sqrt(area(work, mask) / 3.14)
    return values


SPECS = (
    FeatureSpec(
        name="Area",
        group="Size",
        takes=Takes.MASK,
        unit="um2",
        function=area,
        formula="N p^2",
        source="ideas_features 5.1",
        confidence=Confidence.VERIFIED,
        empty=0.0,
    ),
    FeatureSpec(
        name="Diameter",
        group="Size",
        takes=Takes.MASK,
        unit="um",
        function=diameter,
        formula="2 sqrt(Area / 3.14)",
        source="ideas_features 5.1",
        confidence=Confidence.VERIFIED,
    ),
)
