"""Named sets of features: which columns a table gets when nobody lists them.

===========  ==============================================================================
``basic``    size, shape and brightness of every channel in its own mask, and the spot count
``ideas``    every feature of IDEAS: each channel in its own mask, each pair of channels in MC, each
             triple of channels that are not brightfield in MC
``fbml``     what a classifier may learn from: ``ideas`` without position, time, background
             and saturation, and the nuclear mask where the DNA channel is known
``beyond``   what IDEAS does not have, of each channel in its own mask
===========  ==============================================================================
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from ifcyto.errors import UsageError
from ifcyto.features.define import define
from ifcyto.features.registry import FEATURES
from ifcyto.features.spec import Confidence, Takes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifcyto.cells import Channel
    from ifcyto.features.define import FeatureDefinition
    from ifcyto.features.spec import FeatureSpec

__all__ = ["SETS", "feature_set", "image_names"]

SETS = ("basic", "ideas", "fbml", "beyond")

BASIC = (
    "Area", "Diameter", "Height", "Width", "Length", "Perimeter", "Major Axis", "Minor Axis", "Aspect Ratio",
    "Circularity", "Elongatedness", "Centroid X", "Centroid Y", "Spot Count", "Intensity", "Mean Pixel",
    "Median Pixel", "Max Pixel", "Min Pixel", "Std Dev", "Aspect Ratio Intensity", "Bkgd Mean",
    "Saturation Percent", "Object Number", "Flow Speed",
)  # fmt: skip
"""Features of the set ``basic``."""

LEAKING = {"Centroid X", "Centroid Y", "Centroid X Intensity", "Centroid Y Intensity", "Valley X", "Valley Y"}
"""Where an object lies in its image says nothing of what it is."""

LEAKING_PREFIXES = ("Bkgd", "Saturation", "Raw ")
PAIRED = {Takes.TWO_IMAGES, Takes.DELTA}


def image_names(channels: Sequence[Channel]) -> list[str]:
    """Name of each channel in the names of features: its role, else its name.

    A name that two channels share gives way to the short name, ``Ch05``.

    Examples
    --------
    >>> from ifcyto.cells import Channel
    >>> image_names([Channel(1, "BF"), Channel(5, "DAPI", role="DRAQ5"), Channel(9, "BF")])
    ['Ch01', 'DRAQ5', 'Ch09']
    """
    names = [channel.role or channel.name for channel in channels]
    return [
        name if names.count(name) == 1 else f"Ch{channel.number:02d}"
        for name, channel in zip(names, channels, strict=True)
    ]


def feature_set(
    name: str, channels: Sequence[Channel], *, nuclear_mask: str = "", dna: str = ""
) -> list[FeatureDefinition]:
    """Define the features of a named set for these channels.

    Parameters
    ----------
    name : str
        One of :data:`SETS`.
    channels : sequence of Channel
    nuclear_mask : str
        Name or definition of the nuclear mask; only ``fbml`` uses it.
    dna : str
        Name of the DNA image for the nuclear mask's features.

    Returns
    -------
    list of FeatureDefinition
        Without repetition: first what takes no image, then channel by channel, then pairs, then triples.

    Raises
    ------
    UsageError
        There is no such set.

    Examples
    --------
    >>> from ifcyto.cells import Channel
    >>> [column.name for column in feature_set("basic", [Channel(4, "BF")])][:2]
    ['Flow Speed', 'Object Number']
    """
    if name not in SETS:
        msg = f"expected a feature set of {', '.join(SETS)}, found {name!r}"
        raise UsageError(msg)
    images = image_names(channels)
    masks = [f"M{channel.number:02d}" for channel in channels]
    specs = [spec for spec in FEATURES.values() if _belongs(spec, name)]
    columns = list(_single(specs, masks, images))
    if name in {"ideas", "fbml"}:
        columns += _of_the_cell(specs, images)
        columns += _pairs(specs, masks, images)
        columns += _triples(specs, [i for i, c in zip(images, channels, strict=True) if not c.brightfield])
    if name == "fbml" and nuclear_mask and dna:
        columns += _of_nuclei(specs, nuclear_mask, dna)
    return list({column.name: column for column in columns}.values())


def _belongs(spec: FeatureSpec, name: str) -> bool:
    own = spec.confidence == Confidence.OWN
    if name == "beyond":
        return own
    if name == "basic":
        return spec.name in BASIC
    if name == "fbml" and (
        spec.group == "System" or spec.name in LEAKING or spec.name.startswith(LEAKING_PREFIXES)
    ):
        return False
    return not own


def _single(
    specs: Sequence[FeatureSpec], masks: Sequence[str], images: Sequence[str]
) -> Iterator[FeatureDefinition]:
    """Features without arguments, then those of each channel in its own mask."""
    for spec in specs:
        if spec.takes == Takes.NOTHING:
            yield define(spec.name)
    for mask, image in zip(masks, images, strict=True):
        for spec in specs:
            if spec.takes not in PAIRED | {Takes.NOTHING, Takes.TWO_MASKS_IMAGE, Takes.THREE_IMAGES}:
                yield _define(spec, [mask], [image])


def _of_the_cell(specs: Sequence[FeatureSpec], images: Sequence[str]) -> Iterator[FeatureDefinition]:
    """Features of the mask of the whole cell, and of each image in it."""
    for spec in specs:
        if spec.takes == Takes.MASK:
            yield define(spec.name, "MC")
    for image in images:
        for spec in specs:
            if spec.takes == Takes.MASK_IMAGE and spec.group == "Signal Strength":
                yield define(spec.name, "MC", image)


def _pairs(
    specs: Sequence[FeatureSpec], masks: Sequence[str], images: Sequence[str]
) -> Iterator[FeatureDefinition]:
    """Features of two channels, for every pair; of a channel's mask within the cell's."""
    for (mask, image), (mask2, image2) in combinations(zip(masks, images, strict=True), 2):
        for spec in specs:
            if spec.takes == Takes.TWO_IMAGES:
                yield define(spec.name, "MC", image, image2)
            elif spec.takes == Takes.DELTA:
                yield define(spec.name, mask, image, True, mask2, image2, True)
    for mask, image in zip(masks, images, strict=True):
        for spec in specs:
            if spec.takes == Takes.TWO_MASKS_IMAGE:
                yield define(spec.name, mask, "MC", image)


def _triples(specs: Sequence[FeatureSpec], images: Sequence[str]) -> Iterator[FeatureDefinition]:
    """Features of three channels in the mask of the whole cell, for every triple."""
    for three in combinations(images, 3):
        for spec in specs:
            if spec.takes == Takes.THREE_IMAGES:
                yield define(spec.name, "MC", *three)


def _of_nuclei(specs: Sequence[FeatureSpec], mask: str, image: str) -> Iterator[FeatureDefinition]:
    for spec in specs:
        if spec.takes in {Takes.MASK, Takes.MASK_IMAGE, Takes.MASK_IMAGE_SCALAR}:
            yield _define(spec, [mask], [image])


def _define(spec: FeatureSpec, masks: Sequence[str], images: Sequence[str]) -> FeatureDefinition:
    given = {"m": iter(masks), "i": iter(images)}
    default = spec.scalar.default if spec.scalar is not None else 0
    return define(
        spec.name, *(next(given[kind]) if kind in given else default for kind in spec.takes.arguments)
    )
