"""What of a cell stands side by side: its channels one by one, and several laid over each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["MODES", "Mode", "Panels", "panels_for", "strips"]

Mode = Literal["side by side", "overlay"]

MODES: tuple[Mode, ...] = ("side by side", "overlay")

COMPOSITE = "merge"


@dataclass(frozen=True, slots=True)
class Panels:
    """Panels of a cell, from left to right.

    Parameters
    ----------
    channels : tuple of tuple of int
        Channels drawn in each panel.
    names : tuple of str
        Of the panels.
    """

    channels: tuple[tuple[int, ...], ...]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.channels)


def panels_for(names: Sequence[str], brightfield: Sequence[bool], mode: Mode = "side by side") -> Panels:
    """Choose the panels of a cell.

    Parameters
    ----------
    names : sequence of str (C,)
        Of the channels.
    brightfield : sequence of bool (C,)
    mode : {"side by side", "overlay"}
        One panel a channel, and one with all fluorescence channels where there are two or more;
        or one panel with all channels.

    Examples
    --------
    >>> panels_for(["BF", "CD235a", "DRAQ5"], [True, False, False])
    Panels(channels=((0,), (1,), (2,), (1, 2)), names=('BF', 'CD235a', 'DRAQ5', 'merge'))
    >>> panels_for(["BF", "DNA"], [True, False], "overlay").channels
    ((0, 1),)
    """
    every = tuple(range(len(names)))
    if mode == "overlay":
        return Panels((every,), (COMPOSITE,))
    lit = tuple(channel for channel in every if not brightfield[channel])
    single = tuple((channel,) for channel in every)
    if len(lit) < 2:
        return Panels(single, tuple(names))
    return Panels((*single, lit), (*names, COMPOSITE))


def strips(images: NDArray[Any], panels: Panels, fill: NDArray[Any]) -> NDArray[Any]:
    """Lay each cell out as a strip of panels, one plane a channel.

    A channel has its pixels in the panels where it is drawn, and `fill` elsewhere; added up in
    their colours, the planes give the strip.

    Parameters
    ----------
    images : ndarray (n, C, H, W)
    panels : Panels
        P of them.
    fill : ndarray (C,)
        What is black in each channel.

    Returns
    -------
    ndarray (n, C, H, P * W)
        In the dtype of `images`.
    """
    n, channels, height, width = images.shape
    if panels.channels == (tuple(range(channels)),):
        return images
    found = np.empty((n, channels, height, len(panels) * width), images.dtype)
    found[:] = fill[np.newaxis, :, np.newaxis, np.newaxis]
    for place, drawn in enumerate(panels.channels):
        for channel in drawn:
            found[:, channel, :, place * width : (place + 1) * width] = images[:, channel]
    return found
