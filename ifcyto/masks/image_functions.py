"""Declarations of the mask functions that look at an image: bright parts, details, lines.

Grammar, codes and limits: ``ideas_features`` 2.3 (DOC); what the functions
return: section 3, with its confidence.
"""

from __future__ import annotations

from ifcyto.features.spec import Confidence
from ifcyto.masks.spec import Argument, Gives, Kind, MaskSpec, choice, number, whole

__all__ = ["SPECS"]

START = Argument("start", Kind.MASK)
IMAGE = Argument("image", Kind.IMAGE)
DARK = choice("dark", "Bright", "Dark")

INTENSITY, PIECES = "ifcyto.masks.intensity", "ifcyto.masks.pieces"
SECTION = "ideas_features 3"
HIGHEST = 65535
"""Largest limit of Intensity: IDEAS' own is 4095, its 12 bits; other instruments have 16."""

SPECS = (
    MaskSpec(
        name="Threshold",
        arguments=(START, IMAGE, whole("percent", 0, 100)),
        function=f"{INTENSITY}:threshold",
        formula="I > max - percent/100 (max - min), extremes taken inside the starting mask",
        source=SECTION,
        confidence=Confidence.VERIFIED_STAT,
    ),
    MaskSpec(
        name="Intensity",
        arguments=(START, IMAGE, whole("low", 0, HIGHEST), whole("high", 0, HIGHEST)),
        function=f"{INTENSITY}:intensity",
        formula="low <= I <= high inside the starting mask, background not subtracted",
        source=SECTION,
        confidence=Confidence.DOCUMENTED,
        layouts=("start, image, low-high",),
    ),
    MaskSpec(
        name="AdaptiveErode",
        arguments=(START, IMAGE, whole("coefficient", 0, 100)),
        function=f"{INTENSITY}:adaptive_erode",
        formula="dim pixels leave the boundary first; a coefficient of 100 changes nothing",
        source=SECTION,
        confidence=Confidence.INFERRED,
    ),
    MaskSpec(
        name="Morphology",
        arguments=(START, IMAGE),
        function=f"{INTENSITY}:morphology",
        formula="all inside the outermost strong contour of the image",
        source=SECTION,
        confidence=Confidence.INFERRED,
    ),
    MaskSpec(
        name="Object",
        arguments=(START, IMAGE, choice("tight", "Default", "Tight")),
        function=f"{INTENSITY}:object_mask",
        formula="the whole cell without background noise; Tight follows the outline more closely",
        source=f"{SECTION}; that the code 0 is Default is inferred",
        confidence=Confidence.INFERRED,
    ),
    MaskSpec(
        name="Inspire",
        arguments=(START, IMAGE),
        function=f"{INTENSITY}:inspire",
        formula="a global threshold on the image in place of the mask of the acquisition",
        source=SECTION,
        confidence=Confidence.INFERRED,
    ),
    MaskSpec(
        name="System",
        arguments=(START, IMAGE, whole("weight", 0, 100)),
        function=f"{INTENSITY}:system",
        formula="the default segmentation with another sensitivity",
        source=SECTION,
        confidence=Confidence.INFERRED,
    ),
    MaskSpec(
        name="LevelSet",
        arguments=(
            START,
            IMAGE,
            Argument(
                "kind",
                Kind.CHOICE,
                words=((1, "Combined"), (2, "Dim"), (3, "Middle"), (4, "Bright")),
                gives=Gives.CODE,
            ),
            number("scale", 0, 10),
        ),
        function=f"{INTENSITY}:level_set",
        formula="dim, middle or bright zone of the smoothed image, or the contours between them",
        source=SECTION,
        confidence=Confidence.INFERRED,
    ),
    MaskSpec(
        name="Spot",
        arguments=(
            START,
            IMAGE,
            DARK,
            number("ratio", 0, 100),
            whole("radius", 0, 30),
            Argument("minimum_radius", Kind.INTEGER, 0, 30, optional=True),
        ),
        function=f"{PIECES}:spot",
        formula="top-hat of the given radius over background >= ratio inside the starting mask",
        source=SECTION,
        confidence=Confidence.INFERRED,
        layouts=("start, image, dark, ratio, radius", "start, image, dark, ratio, radius, minimum_radius"),
    ),
    MaskSpec(
        name="Peak",
        arguments=(START, IMAGE, DARK, number("ratio", 0, 100)),
        function=f"{PIECES}:peak",
        formula="regions about the maxima (minima) that stand out by the ratio, one a peak",
        source=SECTION,
        confidence=Confidence.INFERRED,
    ),
    MaskSpec(
        name="Valley",
        arguments=(START, IMAGE, whole("width", 1, 10)),
        function=f"{PIECES}:valley",
        formula="a band across the dark gap between two bright parts",
        source=SECTION,
        confidence=Confidence.INFERRED,
    ),
    MaskSpec(
        name="Watershed",
        arguments=(
            START,
            Argument("image", Kind.IMAGE, only_for=("weighted", frozenset({1})), default=0),
            choice("weighted", "", "IW", default=0),
            choice("inverted", "", "Inv", default=0),
            whole("smoothing", 0, 10, default=0),
            whole("line", 1, 20, default=1),
        ),
        function=f"{PIECES}:watershed",
        formula="the starting mask cut along watershed lines of the image (IW) or of the distance",
        source=f"{SECTION}; without IW IDEAS shows the mask alone: forms with numbers are ifcyto's",
        confidence=Confidence.INFERRED,
        layouts=(
            "start",
            "start, smoothing, line",
            "start, inverted, smoothing, line",
            "start, image, weighted, smoothing, line",
            "start, image, weighted, inverted, smoothing, line",
        ),
    ),
    MaskSpec(
        name="Skeleton",
        arguments=(START, IMAGE, choice("thick", "Thin", "Thick")),
        function=f"{PIECES}:skeleton",
        formula="medial line of the shape (Thin) or ridge of the image (Thick)",
        source=SECTION,
        confidence=Confidence.INFERRED,
    ),
    MaskSpec(
        name="Nuclei",
        arguments=(
            START,
            IMAGE,
            number("smoothing_um", 0, 20),
            number("noise_sd", 0, 100),
            number("fraction", 0, 1),
            number("saddle_ratio", 0, 1),
            number("min_area_um2", 0, 5000),
            number("min_share", 0, 1),
        ),
        function="ifcyto.masks.nuclei:nuclei",
        formula="smoothed image above noise and a fraction of its maximum, cut at deep saddles",
        source="ifcyto.masks.nuclear",
        confidence=Confidence.OWN,
    ),
)
"""In the order of the documentation."""
