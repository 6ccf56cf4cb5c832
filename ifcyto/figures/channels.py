"""How channels look: colours of the dyes, contrast, and the composite of several.

Pixels in, colours out; nothing here knows of figures.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_rgb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["ChannelLook", "channel_look", "colourise", "composite", "display_range", "scaled"]

_KNOWN: tuple[tuple[str, str | None], ...] = (
    (r"\b(bf|brightfield|bright field)\b", None),
    (r"cd235|glycophorin|\bgpa\b|\bpe\b", "#FFB000"),
    (r"draq|\bdna\b|dapi|hoechst|\bpi\b|propidium|7-?aad|nucle", "#FF4DFF"),
    (r"\bssc\b|scatter", "#56B4E9"),
)
_OTHERS = ("#00C795", "#F0E442", "#FF7A3D", "#8FB4FF", "#FF9EBB", "#B48CFF")
_PERCENTILES = {True: (0.5, 99.5), False: (20.0, 99.8)}  # by "is brightfield"


@dataclass(frozen=True, slots=True)
class ChannelLook:
    """Name of a channel and the colour of its brightest pixel; None for brightfield, shown in grey."""

    name: str
    colour: str | None


def channel_look(name: str, position: int = 0) -> ChannelLook:
    """Look of a channel by its name.

    Brightfield is grey, CD235a orange, DNA dyes magenta, scatter sky blue; all of
    these differ for colour-blind readers too. Other names take a colour by their
    position.

    Examples
    --------
    >>> channel_look("CD235a").colour, channel_look("Ch01 BF").colour
    ('#FFB000', None)
    """
    for pattern, shade in _KNOWN:
        if re.search(pattern, name, re.IGNORECASE):
            return ChannelLook(name, shade)
    return ChannelLook(name, _OTHERS[position % len(_OTHERS)])


def display_range(planes: Sequence[NDArray[Any]], *, brightfield: bool) -> tuple[float, float]:
    """Contrast limits of one channel: robust percentiles over all pixels of all images together.

    Parameters
    ----------
    planes : sequence of ndarray (H, W)
        The channel's image in every tile.
    brightfield : bool
        0.5th and 99.5th percentile for brightfield; 20th and 99.8th otherwise, which
        turns the background black. A channel that holds only noise shows that noise:
        give it a fixed range, or leave it out.

    Returns
    -------
    low, high : float
        In the unit of the pixels; `high` is above `low` for constant images too.
    """
    pixels = np.concatenate([np.asarray(plane).ravel() for plane in planes])
    pixels = pixels[np.isfinite(pixels)]
    if not pixels.size:
        return 0.0, 1.0
    low, high = np.percentile(pixels, _PERCENTILES[brightfield])
    return float(low), float(high) if high > low else float(low) + 1.0


def scaled(plane: NDArray[Any], limits: tuple[float, float]) -> NDArray[np.float64]:
    """Pixels between the limits as 0 to 1; what lies outside is clipped, NaN is 0."""
    low, high = limits
    values = (np.asarray(plane, np.float64) - low) / (high - low)
    return np.nan_to_num(np.clip(values, 0.0, 1.0))


def colourise(values: NDArray[np.float64], look: ChannelLook) -> NDArray[np.float64]:
    """Turn values 0 to 1, ``(H, W)``, into RGB ``(H, W, 3)``: grey, or black to the channel's colour."""
    shade = np.array(to_rgb(look.colour or "#FFFFFF"))
    rgb: NDArray[np.float64] = values[:, :, np.newaxis] * shade
    return rgb


def composite(values: Sequence[NDArray[np.float64]], looks: Sequence[ChannelLook]) -> NDArray[np.float64]:
    """Blend the channels of one cell into one RGB image ``(H, W, 3)``.

    The fluorescence channels are blended by the *screen* rule,
    ``1 - (1 - a)(1 - b)``, which never clips. Where there is only one of them it is
    laid over the brightfield image at half brightness, as it would otherwise repeat
    its own panel.
    """
    coloured = [i for i, look in enumerate(looks) if look.colour is not None]
    dark = np.ones((*values[0].shape, 3))
    for i in coloured:
        dark *= 1.0 - colourise(values[i], looks[i])
    if len(coloured) == 1:
        for i, look in enumerate(looks):
            if look.colour is None:
                dark *= 1.0 - 0.5 * colourise(values[i], look)
    rgb: NDArray[np.float64] = 1.0 - dark
    return rgb
