"""Declarations of the mask functions that look at the shape of masks, or choose among their parts.

Grammar, codes and limits: ``ideas_features`` 2.3 (DOC); what the functions
return: section 3, with its confidence.
"""

from __future__ import annotations

from ifcyto.features.spec import Confidence
from ifcyto.masks.spec import Argument, Gives, Kind, MaskSpec, choice, number, whole

__all__ = ["COMPONENT_FEATURES", "SPECS"]

COMPONENT_FEATURES = (
    (0, "Area"),
    (6, "Aspect Ratio"),
    (15, "Mean Pixel"),
    (16, "Median Pixel"),
    (17, "Max Pixel"),
    (18, "Min Pixel"),
    (20, "Intensity"),
    (24, "Bright Detail Intensity R3"),
    (25, "Bright Detail Intensity R7"),
    (26, "Gradient RMS"),
    (29, "Bright Detail Similarity R3"),
    (34, "Contrast"),
    (53, "Saturation Count"),
    (61, "Circularity"),
    (63, "Thickness Min"),
    (64, "Thickness Max"),
)
"""Code and name of the features by which components are ranked."""

OF_TWO_IMAGES = frozenset({29})
OF_SHAPE = frozenset({0, 6, 61, 63, 64})
OF_IMAGES = frozenset(code for code, _ in COMPONENT_FEATURES) - OF_SHAPE

START = Argument("start", Kind.MASK)
SHAPE = "ifcyto.masks.shape"
SECTION = "ideas_features 3"

SPECS = (
    MaskSpec(
        name="Dilate",
        arguments=(START, whole("n", 0, 19)),
        function=f"{SHAPE}:dilate",
        formula="grown by n pixels",
        source=SECTION,
        confidence=Confidence.DOCUMENTED,
    ),
    MaskSpec(
        name="Erode",
        arguments=(START, whole("n", 0, 19)),
        function=f"{SHAPE}:erode",
        formula="shrunk by n pixels; outside the image is outside the mask",
        source=SECTION,
        confidence=Confidence.DOCUMENTED,
    ),
    MaskSpec(
        name="Fill",
        arguments=(START,),
        function=f"{SHAPE}:fill",
        formula="holes filled; the background is 4-connected",
        source=SECTION,
        confidence=Confidence.DOCUMENTED,
    ),
    MaskSpec(
        name="Range",
        arguments=(
            START,
            whole("area_min", 0, 5000),
            whole("area_max", 0, 5000),
            number("ratio_min", 0, 1),
            number("ratio_max", 0, 1),
        ),
        function=f"{SHAPE}:area_range",
        formula="components with an area (um2) and an aspect ratio within the limits",
        source=SECTION,
        confidence=Confidence.DOCUMENTED,
        layouts=("start, area_min-area_max, ratio_min-ratio_max",),
    ),
    MaskSpec(
        name="Component",
        arguments=(
            START,
            Argument("image", Kind.IMAGE, only_for=("feature", OF_IMAGES)),
            Argument("image2", Kind.IMAGE, only_for=("feature", OF_TWO_IMAGES)),
            Argument("feature", Kind.CHOICE, words=COMPONENT_FEATURES, gives=Gives.WORD),
            choice("ascending", "Descending", "Ascending"),
            whole("rank", 1, 100),
            Argument("end", Kind.FIXED, default="4095"),
        ),
        function=f"{SHAPE}:component",
        formula="the 4-connected component of the given rank by a feature",
        source=SECTION,
        confidence=Confidence.DOCUMENTED,
        layouts=(
            "rank, feature, start, ascending",
            "rank, feature, start, image, ascending",
            "rank, feature, start, image, image2, ascending",
        ),
    ),
    MaskSpec(
        name="Interface",
        arguments=(Argument("first", Kind.MASK), Argument("second", Kind.MASK), whole("width", 0, 19)),
        function=f"{SHAPE}:interface",
        formula="first And Dilate(second And Not first, width)",
        source=SECTION,
        confidence=Confidence.INFERRED,
    ),
)
"""In the order of the documentation."""
