"""The nuclear mask of ifcyto as a mask function: ``Nuclei(MC, DRAQ5, 0.5, 5, 0.3, 0.7, 4, 0.3)``."""

from __future__ import annotations

from dataclasses import astuple
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.masks.expression import MaskCall, MaskName
from ifcyto.masks.nuclear import NuclearRule, nuclear_mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.features.workspace import Workspace

__all__ = ["bne_mask", "nuclei"]


def nuclei(
    work: Workspace,
    start: NDArray[np.bool_],
    image: int,
    smoothing_um: float,
    noise_sd: float,
    fraction: float,
    saddle_ratio: float,
    min_area_um2: float,
    min_share: float,
) -> NDArray[np.bool_]:
    """Nuclei of every object, those that touch separated; see :func:`ifcyto.masks.nuclear.nuclear_mask`.

    Parameters
    ----------
    work : Workspace
    start : ndarray (P,) of bool
        Only these pixels can be nuclear; an object without such a pixel is searched
        as a whole.
    image : int
        Place of the DNA channel on the images' first axis.
    smoothing_um, noise_sd, fraction, saddle_ratio, min_area_um2, min_share : float
        As in :class:`ifcyto.masks.nuclear.NuclearRule`.

    Returns
    -------
    ndarray (P,) of bool
    """
    rule = NuclearRule(smoothing_um, noise_sd, fraction, saddle_ratio, min_area_um2, min_share)
    pixels, (starts, heights, widths) = work.image(image), work.geometry
    means, sds = (values[:, image] for values in (work.planes.background_mean, work.planes.background_sd))
    out = np.zeros(len(pixels), bool)
    for i in range(len(work)):
        part, shape = slice(starts[i], starts[i + 1]), (heights[i], widths[i])
        found = nuclear_mask(
            pixels[part].reshape(shape),
            start[part].reshape(shape),
            float(means[i]),
            float(sds[i]),
            pixel_size_um=work.planes.pixel_size_um,
            rule=rule,
        )
        out[part] = found.ravel()
    return out


def bne_mask(start: str, image: str, rule: NuclearRule | None = None) -> MaskCall:
    """Nuclei whose number tells a binucleated erythroblast: the mask that Spot Count is taken on.

    Parameters
    ----------
    start : str
        Name of the mask in which nuclei are searched, usually ``MC``.
    image : str
        Name or role of the DNA channel.
    rule : NuclearRule, optional

    Returns
    -------
    MaskCall

    Examples
    --------
    >>> from ifcyto.masks.grammar import shown
    >>> shown(bne_mask("MC", "DRAQ5"))
    'Nuclei(MC, DRAQ5, 0.5, 5, 0.3, 0.7, 4, 0.3)'
    """
    numbers = (plain(value) for value in astuple(rule or NuclearRule()))
    return MaskCall("Nuclei", (MaskName(start), image, *numbers))


def plain(value: float) -> Decimal:
    """Decimal of a number without exponent and without zeros at its end."""
    text = format(Decimal(repr(float(value))), "f")
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)
