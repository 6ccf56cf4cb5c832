"""Features that IDEAS does not have: patterns, moments, granularity, radial distribution.

All are of Confidence OWN: they claim no likeness to IDEAS. In the formulas, J is
the image less its background and w = abs(J) in the mask (the weights of
``ideas_features`` 5.2), so that brightfield, where J has both signs, is treated
as fluorescence is. They are computed object by object and are much slower than
IDEAS' own features: about a millisecond an object for all of one mask and image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from mahotas.features import zernike_moments
from scipy.ndimage import distance_transform_edt
from skimage import feature, measure

from ifcyto.features.spec import Confidence, FeatureSpec, Takes
from ifcyto.features.texture import detail_sum
from ifcyto.features.workspace import column_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from ifcyto.features.workspace import Workspace

__all__ = ["SPECS", "granularity_spectrum", "hu_moments", "patterns", "radial_distribution", "zernike"]

lbp: Any = feature.local_binary_pattern
measures: Any = measure
"""scikit-image says the types of some functions only; these are taken as they come."""
ZERNIKE_DEGREE = 4
ZERNIKE = ((2, 0), (2, 2), (3, 1), (3, 3), (4, 0), (4, 2), (4, 4))
"""Order and repetition; (0, 0) is constant and (1, 1) is 0 about the centroid, so both are left out."""
RADII = tuple(range(1, 9))
SHELLS = 4
PATTERNS = 10
"""Codes of a uniform pattern of 8 neighbours: 0..8, and 9 for every other pattern."""
GRADES = 65535

Object = tuple[int, "NDArray[Any]", "NDArray[np.bool_]", "NDArray[np.float64]"]


def _objects(work: Workspace, mask: str, image: int) -> Iterator[Object]:
    """Place, image, mask and w of each object that has pixels in the mask, all of them finite."""
    flat, inside = work.image(image), work.mask(mask)
    background = work.planes.background_mean[:, image]
    starts, heights, widths = work.geometry
    for i in np.flatnonzero(work.count(mask)).tolist():
        part, shape = slice(starts[i], starts[i + 1]), (heights[i], widths[i])
        plane, within = flat[part].reshape(shape), inside[part].reshape(shape)
        if np.isfinite(plane[within]).all():
            yield i, plane, within, np.where(within, np.abs(plane - background[i]), 0.0)


def _whole(plane: NDArray[Any]) -> NDArray[Any]:
    """The plane in whole numbers: one of real numbers is graded into 65536 levels, NaN as the lowest."""
    if plane.dtype.kind != "f":
        return plane
    finite = np.isfinite(plane)
    low, high = plane[finite].min(), plane[finite].max()
    known = np.clip(np.where(finite, plane, low), low, high)
    graded: NDArray[Any] = np.rint((known - low) * (GRADES / max(high - low, 1e-300))).astype(np.int32)
    return graded


def patterns(work: Workspace, mask: str, image: int) -> NDArray[np.float64]:
    """Block: entropy (bits) of the local binary patterns in the mask, and share of uniform ones, ``(n, 2)``.

    A pattern says which of 8 neighbours at distance 1 (interpolated on the
    diagonals) are at least as bright as the pixel; rotations of a uniform
    pattern (at most two changes around the circle) count as one. Beyond the
    border the outermost pixels are repeated. Ojala et al. 2002, IEEE Trans.
    Pattern Anal. Mach. Intell. 24:971.
    """
    out = np.full((len(work), 2), np.nan)
    for i, plane, within, _ in _objects(work, mask, image):
        padded = np.pad(_whole(plane), 1, mode="edge")
        codes = lbp(padded, 8, 1, method="uniform")[1:-1, 1:-1][within]
        share = np.bincount(codes.astype(np.int64), minlength=PATTERNS) / codes.size
        some = share[share > 0]
        out[i] = max(0.0, -(some * np.log2(some)).sum()), share[: PATTERNS - 1].sum()
    return out


def hu_moments(work: Workspace, mask: str, image: int) -> NDArray[np.float64]:
    """Block: the seven moment invariants of w, scaled to a mean of 1 in the mask, ``(n, 7)``.

    Unchanged by translation, rotation, size and gain; the seventh turns its
    sign in a mirror. Hu 1962, IRE Trans. Inf. Theory 8:179. NaN where w is 0.
    """
    out = np.full((len(work), 7), np.nan)
    for i, _, within, weights in _objects(work, mask, image):
        total = weights.sum()
        if total > 0:
            central = measures.moments_central(weights * (np.count_nonzero(within) / total), order=3)
            out[i] = measures.moments_hu(measures.moments_normalized(central, order=3))
    return out


def zernike(work: Workspace, mask: str, image: int) -> NDArray[np.float64]:
    """Block: absolute Zernike moments of w in the order of ZERNIKE, ``(n, 7)``.

    About the centroid of w, in the circle through the farthest pixel of the
    mask (radius at least 1); w is scaled to a sum of 1. Teague 1980, J. Opt.
    Soc. Am. 70:920. NaN where w is 0.
    """
    orders = [(n, m) for n in range(ZERNIKE_DEGREE + 1) for m in range(n + 1) if (n - m) % 2 == 0]
    chosen = [orders.index(order) for order in ZERNIKE]
    out = np.full((len(work), len(ZERNIKE)), np.nan)
    for i, _, within, weights in _objects(work, mask, image):
        total = weights.sum()
        if total > 0:
            places = np.array(np.nonzero(within), np.float64)
            centre = places @ weights[within] / total
            radius = max(np.sqrt(((places - centre[:, None]) ** 2).sum(axis=0)).max(), 1.0)
            # The farthest pixel itself must not fall outside by rounding.
            moments = zernike_moments(weights, radius * (1 + 1e-12), degree=ZERNIKE_DEGREE, cm=centre)
            out[i] = moments[chosen]
    return out


def granularity_spectrum(work: Workspace, mask: str, image: int) -> NDArray[np.float64]:
    """Block: what an opening by a disc of radius r takes away beyond radius r - 1, ``(n, 8)``.

    The sum over the mask of opening(r - 1) - opening(r), r = 1..8, over the sum
    of w. Serra 1982, Image Analysis and Mathematical Morphology. NaN where w is 0.
    """
    removed = np.array([np.zeros(len(work))] + [work.once(detail_sum, mask, image, r) for r in RADII])
    totals = np.zeros(len(work))
    for i, _, _, weights in _objects(work, mask, image):
        totals[i] = weights.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        values: NDArray[np.float64] = (np.diff(removed, axis=0) / totals).T
    return values


def radial_distribution(work: Workspace, mask: str, image: int) -> NDArray[np.float64]:
    """Block: share of w in four shells of the mask, from the core to the edge, ``(n, 4)``.

    The shells have equal depth: a pixel's distance to the nearest pixel
    outside the mask (all pixels beyond the image are outside), over the largest
    such distance. NaN where w is 0.
    """
    out = np.full((len(work), SHELLS), np.nan)
    for i, _, within, weights in _objects(work, mask, image):
        total = weights.sum()
        if total > 0:
            depth = distance_transform_edt(np.pad(within, 1))[1:-1, 1:-1][within]
            shells = SHELLS - np.ceil(SHELLS * depth / depth.max()).astype(np.int64)
            out[i] = np.bincount(shells, weights=weights[within], minlength=SHELLS) / total
    return out


def _spec(
    name: str, block: Callable[..., NDArray[np.float64]], column: int, formula: str, source: str
) -> FeatureSpec:
    return FeatureSpec(
        name=name,
        group="Beyond IDEAS",
        takes=Takes.MASK_IMAGE,
        unit="bit" if name.endswith("Entropy") else "",
        function=column_of(block, column),
        formula=formula,
        source=source,
        confidence=Confidence.OWN,
    )


SPECS = (
    _spec("LBP Entropy", patterns, 0, "-sum h log2 h over 10 local patterns", "Ojala et al. 2002"),
    _spec("LBP Uniform", patterns, 1, "share of uniform local patterns", "Ojala et al. 2002"),
    *(_spec(f"Hu {k + 1}", hu_moments, k, f"moment invariant {k + 1} of w", "Hu 1962") for k in range(7)),
    *(
        _spec(f"Zernike {n} {m}", zernike, k, f"abs Z({n}, {m}) of w", "Teague 1980")
        for k, (n, m) in enumerate(ZERNIKE)
    ),
    *(
        _spec(
            f"Granularity Spectrum {r}",
            granularity_spectrum,
            r - 1,
            f"sum opening{r - 1}(I) - opening{r}(I) / sum w",
            "Serra 1982",
        )
        for r in RADII
    ),
    *(
        _spec(
            f"Radial Distribution {k + 1}",
            radial_distribution,
            k,
            f"share of w in shell {k + 1} of {SHELLS} from core to edge",
            "this project",
        )
        for k in range(SHELLS)
    ),
)
"""LBP Entropy and Uniform, Hu, Zernike, Granularity Spectrum and Radial Distribution."""
