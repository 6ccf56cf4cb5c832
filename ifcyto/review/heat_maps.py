"""Heat maps of ``ifcyto explain`` over the cells of a page: where each lies, and in which colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.pipeline.explain import Explained
    from ifcyto.review.objects import ReviewObjects
    from ifcyto.review.panels import Panels
    from ifcyto.review.tag_file import Key

__all__ = ["HeatMaps", "HeatView", "heat_strips", "legend", "placed", "tinted"]

GRAD_CAM, OCCLUSION, BY_CHANNEL = "Grad-CAM", "occlusion", "occlusion, each channel in its panel"

WARM = np.array([[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]], np.float64)
"""From none to most: five colours of *inferno*, brighter all the way (matplotlib, public domain)."""

AGAINST = np.array([30, 130, 255], np.float64)
"""What speaks against the class; every third line of it is left out, so that colour is not the only sign."""

OPACITY = 0.75
CLIPPED = 99.5
"""Percentile of the absolute values of a file that has the brightest colour."""


@dataclass(frozen=True, slots=True, eq=False)
class HeatMaps:
    """Heat maps of objects of a review.

    Parameters
    ----------
    name : str
        Of the file.
    keys : mapping of (sample, object) to int
        Place of each object in the arrays.
    explained : Explained
    channels : tuple of int
        Place of each of the model's channels among those of the review; -1 where it is not shown.
    """

    name: str
    keys: dict[Key, int]
    explained: Explained
    channels: tuple[int, ...]

    def kinds(self) -> tuple[str, ...]:
        """What can be shown: Grad-CAM, occlusion in all channels, in each one, and these in their panels."""
        single = tuple(f"{OCCLUSION} of {label}" for label in self.explained.channels.tolist())
        return (GRAD_CAM, OCCLUSION, *single, BY_CHANNEL)

    def unit(self, kind: str) -> str:
        """What a value of the maps of a kind is."""
        return "logit" if kind == GRAD_CAM else "of the probability lost where hidden"

    def maps(self, kind: str) -> NDArray[np.float32]:
        """Maps ``(N, P, H, W)`` of one kind: one for all panels, or one a channel of the model."""
        if kind == BY_CHANNEL:
            return self.explained.by_channel
        if kind in (GRAD_CAM, OCCLUSION):
            found = self.explained.grad_cam if kind == GRAD_CAM else self.explained.occlusion
            return found[:, np.newaxis]
        place = self.kinds().index(kind) - 2
        return self.explained.by_channel[:, place : place + 1]

    def limit(self, kind: str) -> float:
        """Absolute value with the brightest colour, the same for all objects of the file; above 0."""
        values = np.abs(self.maps(kind))
        return float(np.percentile(values, CLIPPED)) or float(values.max()) or 1.0

    def said(self, objects: ReviewObjects, row: int) -> str:
        """Class that is explained and its probability; empty for an object without a map."""
        place = self.keys.get(objects.key(row))
        if place is None:
            return ""
        return f"{self.explained.classes[place]} {self.explained.probability[place]:.2f}"

    def rows(self, objects: ReviewObjects) -> list[int]:
        """Rows of the objects that have a map, in the order of the review."""
        return [row for row in range(len(objects)) if objects.key(row) in self.keys]

    def read(
        self, objects: ReviewObjects, rows: NDArray[np.int64], size: int, kind: str
    ) -> NDArray[np.float32]:
        """Maps of a page's cells, each where its image lies.

        Parameters
        ----------
        objects : ReviewObjects
        rows : ndarray (n,) of int64
        size : int
            Side of the frames, px.
        kind : str
            One of :meth:`kinds`.

        Returns
        -------
        ndarray (n, P, size, size) of float32
            NaN where the network did not look, and for objects without a map.
        """
        maps = self.maps(kind)
        found = np.full((len(rows), maps.shape[1], size, size), np.nan, np.float32)
        for place, row in enumerate(rows.tolist()):
            mine = self.keys.get(objects.key(row))
            if mine is not None:
                found[place] = placed(maps[mine], size)
        return found


def placed(maps: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Put maps of a crop into a frame about the same cell.

    Crops of the network (:func:`ifcyto.classify.cnn.crops.cut`) and frames of a page
    (:meth:`CellStack.images`) put the pixel nearest to the cell's centroid at ``(H // 2, W // 2)``.
    So pixel ``(i, j)`` of the crop is pixel ``(i + S // 2 - H // 2, j + S // 2 - W // 2)`` of the frame.

    Parameters
    ----------
    maps : ndarray (..., H, W)
    size : int
        Side S of the frame, px.

    Returns
    -------
    ndarray (..., size, size) of float32
        NaN outside the crop.

    Examples
    --------
    >>> placed(np.array([[1.0, 2.0], [3.0, 4.0]]), 3).tolist()
    [[1.0, 2.0, nan], [3.0, 4.0, nan], [nan, nan, nan]]
    """
    found = np.full((*maps.shape[:-2], size, size), np.nan, np.float32)
    ours, theirs = [], []
    for side in maps.shape[-2:]:
        shift = size // 2 - side // 2
        first, last = max(shift, 0), min(shift + side, size)
        ours.append(slice(first, last))
        theirs.append(slice(first - shift, last - shift))
    found[..., ours[0], ours[1]] = maps[..., theirs[0], theirs[1]]
    return found


def tinted(values: NDArray[np.float32], limit: float) -> NDArray[np.uint8]:
    """Colours of a heat map, to lie over an image.

    Parameters
    ----------
    values : ndarray (..., H, W)
        NaN is transparent, and so is 0.
    limit : float
        Value with the brightest colour.

    Returns
    -------
    ndarray (..., H, W, 4) of uint8
        Red, green, blue and opacity.

    Examples
    --------
    >>> tinted(np.array([[0.0, 1.0, -1.0, np.nan]]), 1.0)[0, :, 3].tolist()
    [0, 191, 0, 0]
    """
    share = np.clip(np.nan_to_num(values) / limit, -1.0, 1.0)
    strength = np.abs(share)
    at = strength * (len(WARM) - 1)
    low = np.minimum(at.astype(np.int64), len(WARM) - 2)
    part = (at - low)[..., np.newaxis]
    colour = WARM[low] * (1 - part) + WARM[low + 1] * part
    against = share < 0
    colour[against] = AGAINST
    opacity = 255 * OPACITY * np.minimum(2 * strength, 1.0)
    row, column = np.ogrid[: values.shape[-2], : values.shape[-1]]
    gap = np.broadcast_to((row + column + 1) % 3 == 0, values.shape)
    opacity[against & gap] = 0
    return np.concatenate([colour, opacity[..., np.newaxis]], axis=-1).astype(np.uint8)


def legend(limit: float, *, signed: bool, width: int = 240, height: int = 14) -> NDArray[np.uint8]:
    """Colours from the least to the most, on grey.

    Parameters
    ----------
    limit : float
    signed : bool
        From ``-limit`` on instead of from 0.
    width, height : int
        px

    Returns
    -------
    ndarray (height, width, 3) of uint8
    """
    values = np.linspace(-limit if signed else 0.0, limit, width, dtype=np.float32)
    colours = tinted(np.broadcast_to(values, (height, width)), limit).astype(np.float64)
    opacity = colours[..., 3:] / 255
    found: NDArray[np.uint8] = (96 * (1 - opacity) + colours[..., :3] * opacity).astype(np.uint8)
    return found


def heat_strips(colours: NDArray[np.uint8], channels: tuple[int, ...], panels: Panels) -> NDArray[np.uint8]:
    """Lay coloured maps out as the panels of the cells.

    Parameters
    ----------
    colours : ndarray (n, P, H, W, 4) of uint8
        One map for all panels, or one for each channel of the model.
    channels : tuple of int (P,)
        Place of each of these channels among those of the review.
    panels : Panels

    Returns
    -------
    ndarray (n, H, panels * W, 4) of uint8
        Maps of single channels lie in the panels of these channels, and nowhere else.
    """
    if colours.shape[1] == 1:
        return np.tile(colours[:, 0], (1, 1, len(panels), 1))
    nothing = np.zeros_like(colours[:, 0])
    own: dict[tuple[int, ...], NDArray[np.uint8]] = {
        (channel,): colours[:, place] for place, channel in enumerate(channels)
    }
    return np.concatenate([own.get(drawn, nothing) for drawn in panels.channels], axis=2)


class HeatView:
    """Which heat maps are shown, and whether; a blinded reader gets none.

    Parameters
    ----------
    blinded : bool

    Attributes
    ----------
    maps : HeatMaps or None
    kind : str
        One of :meth:`HeatMaps.kinds`.
    shown : bool
    """

    def __init__(self, *, blinded: bool) -> None:
        self.blinded = blinded
        self.maps: HeatMaps | None = None
        self.kind = GRAD_CAM
        self.shown = True
        self._limits: dict[str, float] = {}

    @property
    def drawn(self) -> HeatMaps | None:
        """The maps, if they are to be drawn."""
        return self.maps if self.shown and not self.blinded else None

    def permit(self) -> None:
        """See that the reader may look at heat maps.

        Raises
        ------
        UsageError
            The reader is blinded.
        """
        if self.blinded:
            msg = "a heat map tells what a network said, which a blinded reader does not see"
            raise UsageError(msg)

    def take(self, maps: HeatMaps | None) -> None:
        """Show other maps, or none.

        Raises
        ------
        UsageError
            The reader is blinded.
        """
        if maps is not None:
            self.permit()
            if self.kind not in maps.kinds():
                self.kind = GRAD_CAM
        self.maps, self.shown = maps, True
        self._limits = {}

    def turn(self) -> None:
        """Show the maps, or hide them.

        Raises
        ------
        UsageError
            The reader is blinded, or no maps were loaded.
        """
        self.permit()
        if self.maps is None:
            msg = "expected heat maps, found none: load a file of ifcyto explain in the tab Overlays"
            raise UsageError(msg)
        self.shown = not self.shown

    def colours(self, objects: ReviewObjects, rows: NDArray[np.int64], size: int) -> NDArray[np.uint8] | None:
        """Coloured maps ``(n, P, size, size, 4)`` of a page's cells; None where none are drawn."""
        if self.drawn is None:
            return None
        values = self.drawn.read(objects, rows, size, self.kind)
        return tinted(values, self.limit())

    def panels(
        self, objects: ReviewObjects, rows: NDArray[np.int64], size: int, panels: Panels, count: int
    ) -> NDArray[np.uint8] | None:
        """Coloured maps ``(n, count, size, size, 4)`` of each panel of a picture; None where none are drawn.

        The composite of a single dye is a panel of a picture, and none of the gallery: it has the dye's.
        """
        colours = self.colours(objects, rows, size)
        if colours is None:
            return None
        strips = heat_strips(colours, self.channels(), panels)
        parts = np.split(strips, len(panels), axis=2)
        return np.stack(parts + parts[-1:] * (count - len(parts)), axis=1)

    def limit(self) -> float:
        """Value with the brightest colour: :meth:`HeatMaps.limit`, found once."""
        if self.kind not in self._limits:
            self._limits[self.kind] = 1.0 if self.maps is None else self.maps.limit(self.kind)
        return self._limits[self.kind]

    def channels(self) -> tuple[int, ...]:
        """Places of the model's channels among those of the review."""
        return () if self.maps is None else self.maps.channels

    def scale(self) -> tuple[float, float, str]:
        """Least and largest value of the legend, and the unit; Grad-CAM is never below 0."""
        if self.maps is None:
            return 0.0, 1.0, ""
        limit = self.limit()
        return (0.0 if self.kind == GRAD_CAM else -limit), limit, self.maps.unit(self.kind)
