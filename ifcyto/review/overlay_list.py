"""Outlines that the reader asked for: their masks, colours and lines, and whether spots are numbered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.errors import UsageError
from ifcyto.masks.expression import MaskCall, nodes
from ifcyto.review.overlays import LINES, Line, borders, line_pattern, piece_centres

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.review.objects import ReviewObjects
    from ifcyto.review.page_masks import PageMasks, Pieces

__all__ = ["COLOURS", "MOST", "SPOT_COLOURS", "Drawn", "Overlay", "OverlayList"]

COLOURS = ("#00FF9C", "#FF9E80", "#6FC3FF", "#FFFFFF", "#CDB0FF", "#FFF200")
"""Of the outlines, in the order of adding; the line differs too."""

SPOT_COLOURS = ("#FFE100", "#00E5FF", "#FF6EC7", "#7CFF6B", "#FF8A3D", "#B9A2FF")
"""Of spots 1, 2, ...; the seventh has the first again. Each spot has its number beside it."""

MOST = len(COLOURS)
"""Outlines at a time."""

FIRST_SPOT = 100
"""Value of spot 1 among the values that are drawn."""

NAMED = 40
"""Letters of an expression that stand for a name that was not given."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """One mask that is drawn.

    Parameters
    ----------
    name : str
    text : str
        Name or expression in the grammar of the masks.
    colour : str
        ``#RRGGBB``.
    line : {"solid", "dashed", "dotted"}
    shown : bool
    spots : bool
        Draw every piece in a colour of its own, with its number, and tell the Spot Count.

    Raises
    ------
    UsageError
        A name or a colour that cannot be.
    """

    name: str
    text: str
    colour: str
    line: Line = "solid"
    shown: bool = True
    spots: bool = False

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.name.isprintable() or len(self.name) > 100:
            msg = f"expected the name of an outline, in printable letters, found {self.name[:40]!r}"
            raise UsageError(msg)
        digits = set(self.colour[1:].lower()) - set("0123456789abcdef")
        if len(self.colour) != 7 or self.colour[0] != "#" or digits:
            msg = f"outline {self.name}: expected a colour #RRGGBB, found {self.colour[:20]!r}"
            raise UsageError(msg)


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """What is drawn over the cells of a page.

    Parameters
    ----------
    lines : ndarray (n, H, W) of uint8
        0 nothing, 1 to :data:`MOST` the outline of that place in the list, from
        :data:`FIRST_SPOT` on a spot; the last of the list lies on top.
    counts : ndarray (n,) of int64, or None
        Spot Count of the mask whose spots are numbered; None where none is.
    cells, numbers : ndarray (m,) of int64
        Cell and number of each numbered spot.
    centres : ndarray (m, 2) of float64
        Row and column of its middle in the frame.
    """

    lines: NDArray[np.uint8]
    counts: NDArray[np.int64] | None
    cells: NDArray[np.int64]
    numbers: NDArray[np.int64]
    centres: NDArray[np.float64]

    def said(self, place: int) -> str:
        """Spot Count of a cell in words; empty where no spots are numbered."""
        if self.counts is None:
            return ""
        count = int(self.counts[place])
        return "1 spot" if count == 1 else f"{count} spots"


class OverlayList:
    """The outlines of a review; they stay from page to page.

    Parameters
    ----------
    masks : PageMasks
    rule : str
        Mask whose Spot Count is the plain rule; empty where there is none.
    blinded : bool
        Refuse spots and the mask of the plain rule: they tell its verdict.

    Attributes
    ----------
    items : tuple of Overlay
    shown : bool
        Whether outlines are drawn at all.
    """

    def __init__(self, masks: PageMasks, *, rule: str = "", blinded: bool = False) -> None:
        self.masks = masks
        self.rule = rule
        self.blinded = blinded
        self.items: tuple[Overlay, ...] = ()
        self.shown = True

    # --- the list --------------------------------------------------------------------

    def ready(self) -> list[tuple[str, str]]:
        """Masks to choose from: what each one is, and its text.

        The mask of the plain rule first, unless the reader is blinded, then those of the channels
        and their union.

        Raises
        ------
        UsageError, StackError
            There is no stack, or it is damaged.
        """
        images = self.masks.images()
        own = "stored mask" if self.masks.pages.stack(self.masks.first()).has_masks else "mask"
        found = [("nuclei of the plain rule", self.rule)] if self.rule and not self.blinded else []
        found += [(f"{own} of {channel.label}", f"M{channel.number:02d}") for channel in images]
        return [*found, ("all channels together", "MC")]

    def add(self, text: str, *, name: str = "", spots: bool = False) -> Overlay:
        """Add a mask; it takes a colour and a line that are free.

        Parameters
        ----------
        text : str
            A name or an expression of the grammar.
        name : str
            By default the text.
        spots : bool

        Raises
        ------
        UsageError
            It is no mask (the text is shown with a caret under the place), it is in the list already,
            the list is full, or a blinded reader asks for what tells a verdict.
        """
        text = text.strip()
        if not text:
            msg = "expected a mask such as M05 or Erode(M05, 2), found nothing"
            raise UsageError(msg)
        if any(item.text == text for item in self.items):
            msg = f"expected a mask that is not in the list yet, found {text[:NAMED]!r}"
            raise UsageError(msg)
        if len(self.items) >= MOST:
            msg = f"expected at most {MOST} outlines at a time, found one more: remove one first"
            raise UsageError(msg)
        self._permit(text, spots=spots)
        colour = next(each for each in COLOURS if all(item.colour != each for item in self.items))
        line = min(LINES, key=lambda each: [item.line for item in self.items].count(each))
        made = Overlay(name.strip() or _short(text), text, colour, line, spots=spots)
        self.items = (*(replace(item, spots=item.spots and not spots) for item in self.items), made)
        self.shown = True
        return made

    def remove(self, place: int) -> None:
        """Take one out of the list."""
        self.items = (*self.items[:place], *self.items[place + 1 :])

    def change(self, place: int, **values: Any) -> None:
        """Change fields of one; only one has its spots numbered at a time.

        Raises
        ------
        UsageError
            As :meth:`add`; nothing changes then.
        """
        item = replace(self.items[place], **values)
        self._permit(item.text, spots=item.spots)
        others = [replace(each, spots=each.spots and not item.spots) for each in self.items]
        self.items = (*others[:place], item, *others[place + 1 :])

    def turn(self) -> None:
        """Show all outlines, or hide them all."""
        self.shown = not self.shown

    def number_spots(self) -> None:
        """Turn the numbers of spots on or off: of the first mask; of the plain rule's where there is none.

        Raises
        ------
        UsageError
            The reader is blinded, or there is no mask.
        """
        numbered = [place for place, item in enumerate(self.items) if item.spots]
        if numbered:
            self.change(numbered[0], spots=False)
        elif self.items:
            self.change(0, spots=True, shown=True)
        elif self.blinded or self.rule:
            self.add(self.rule or "MC", name="nuclei", spots=True)
        else:
            msg = "expected a mask whose spots are numbered, found none: add one in the tab Overlays"
            raise UsageError(msg)

    def _permit(self, text: str, *, spots: bool) -> None:
        expression = self.masks.expression(text)
        if not self.blinded:
            return
        parts = list(nodes(expression))
        nuclear = any(isinstance(part, MaskCall) and part.function == "Nuclei" for part in parts)
        if spots or nuclear or (self.rule and self.masks.expression(self.rule) in parts):
            msg = (
                "spots and the nuclei of the plain rule tell its verdict, which a blinded reader does not see"
            )
            raise UsageError(msg)

    # --- the page --------------------------------------------------------------------

    @property
    def drawing(self) -> bool:
        """Whether there is an outline to draw."""
        return self.shown and any(item.shown for item in self.items)

    def colours(self) -> dict[int | None, str]:
        """Colour of each value of :attr:`Drawn.lines`; None: of any other."""
        found: dict[int | None, str] = {None: "transparent", 0: "transparent"}
        found |= {place: item.colour for place, item in enumerate(self.items, start=1)}
        found |= {FIRST_SPOT + place: colour for place, colour in enumerate(SPOT_COLOURS)}
        return found

    def read(self, objects: ReviewObjects, rows: NDArray[np.int64], size: int) -> Drawn:
        """Compute the outlines of a page's cells, of these alone.

        Parameters
        ----------
        objects : ReviewObjects
        rows : ndarray (n,) of int64
        size : int
            Side of the frames, px.

        Raises
        ------
        UsageError, StackError
            As :meth:`ifcyto.review.page_masks.PageMasks.read`.
        """
        lines = np.zeros((len(rows), size, size), np.uint8)
        found = Drawn(lines, None, *piece_centres(lines))
        for place, item in enumerate(self.items, start=1):
            if item.shown and self.shown:
                pieces = self.masks.read(objects, rows, size, item.text)
                border = borders(pieces.labels > 0)
                if item.spots:
                    colour = (pieces.labels - 1) % len(SPOT_COLOURS) + FIRST_SPOT
                    lines[border] = colour[border]
                    found = Drawn(lines, pieces.counts, *piece_centres(pieces.labels))
                else:
                    lines[border & line_pattern(item.line, size, size)] = place
        return found

    def pieces(self, objects: ReviewObjects, row: int, size: int) -> list[tuple[Overlay, Pieces]]:
        """Masks of one cell with what they look like, for a picture larger than its pixels."""
        rows = np.array([row], np.int64)
        return [
            (item, self.masks.read(objects, rows, size, item.text))
            for item in self.items
            if item.shown and self.shown
        ]


def _short(text: str) -> str:
    return text if len(text) <= NAMED else f"{text[: NAMED - 3]}..."
