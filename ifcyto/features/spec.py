"""What a feature is: name, arguments, unit, formula, source and how sure we are of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Confidence", "FeatureSpec", "Scalar", "Takes"]

NAN = float("nan")


class Takes(StrEnum):
    """Arguments of a feature, in IDEAS' words and order.

    A mask is given to the function by its name, an image by its place on the
    images' first axis, a scalar as a number, a choice as a boolean.
    """

    NOTHING = "No Parameters"
    MASK = "Mask Only"
    IMAGE = "Image Only"
    MASK_IMAGE = "Mask and Image"
    MASK_SCALAR = "Mask and Scalar"
    IMAGE_SCALAR = "Image and Scalar"
    MASK_IMAGE_SCALAR = "Mask, Image and Scalar"
    TWO_MASKS_IMAGE = "Two Masks and Image"
    TWO_IMAGES = "Similarity"
    """One mask and two images."""
    THREE_IMAGES = "Mask and Three Images"
    DELTA = "Delta Centroid"
    """Mask, image, intensity-weighted or not; then the same for the second centroid."""

    @property
    def arguments(self) -> str:
        """One letter an argument: m mask, i image, s scalar, b boolean."""
        return ARGUMENTS[self]


ARGUMENTS = {
    Takes.NOTHING: "",
    Takes.MASK: "m",
    Takes.IMAGE: "i",
    Takes.MASK_IMAGE: "mi",
    Takes.MASK_SCALAR: "ms",
    Takes.IMAGE_SCALAR: "is",
    Takes.MASK_IMAGE_SCALAR: "mis",
    Takes.TWO_MASKS_IMAGE: "mmi",
    Takes.TWO_IMAGES: "mii",
    Takes.THREE_IMAGES: "miii",
    Takes.DELTA: "mibmib",
}


class Confidence(StrEnum):
    """How a definition was settled; the words of ``ideas_features`` section 0."""

    VERIFIED = "VERIFIED"
    """An identity that holds on real IDEAS output."""
    VERIFIED_STAT = "VERIFIED-STAT"
    """A quantitative signature seen in real IDEAS output; the formula is an approximation."""
    DOCUMENTED = "DOC"
    """Published or documented; not tested on real output. An approximation."""
    INFERRED = "INFERRED"
    """A best guess. An approximation."""
    OWN = "OWN"
    """Not a feature of IDEAS."""

    @property
    def is_approximation(self) -> bool:
        """Whether the value may differ from IDEAS'."""
        return self not in {Confidence.VERIFIED, Confidence.OWN}


@dataclass(frozen=True, slots=True)
class Scalar:
    """The number that a feature takes, with IDEAS' label and limits.

    Parameters
    ----------
    label : str
        As on IDEAS' spinner: ``Granularity``, ``Diameter``.
    default, low, high : int
    """

    label: str
    default: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """Declaration of one feature.

    Parameters
    ----------
    name : str
        As IDEAS writes it.
    group : str
        As IDEAS groups features: ``Size``, ``Location``, ``Shape``, ``Texture``,
        ``Signal Strength``, ``Comparison``, ``System``; ``Beyond IDEAS`` for others.
    takes : Takes
    unit : str
        ``um``, ``um2``, ``px``, ``rad``, ``counts``, ``%``, ...; empty for a pure number.
    function : callable
        ``function(work, *arguments) -> (n,) float64`` for the objects of a
        :class:`ifcyto.features.workspace.Workspace`. It need not care for empty
        masks or pixels that are not finite: :func:`~ifcyto.features.workspace.evaluate` does.
    formula : str
        One line, in the notation of ``ideas_features`` section 4.
    source : str
        Paper, manual, or section of ``ideas_features``.
    confidence : Confidence
    scalar : Scalar, optional
        For features that take one.
    dtype : str
        numpy dtype that holds every value that is not NaN.
    empty : float
        Value for an object whose (first) mask is empty: 0 for sums and counts, else NaN.
    """

    name: str
    group: str
    takes: Takes
    unit: str
    function: Callable[..., object]
    formula: str
    source: str
    confidence: Confidence
    scalar: Scalar | None = None
    dtype: str = "float64"
    empty: float = NAN

    def letters(self, count: int) -> str:
        """One letter for each of `count` arguments, as :attr:`Takes.arguments`; a number may follow."""
        return self.takes.arguments.ljust(count, "s")
