"""The state of a review: which objects are shown, which are selected, and what they were tagged."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.errors import UsageError
from ifcyto.review.objects import ReviewObjects, arrange, matching, shuffled

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from ifcyto.review.tag_file import Key, TagFile

__all__ = ["DEFAULT_CLASSES", "Session", "TagClass", "View"]

UNTAGGED = "untagged"


@dataclass(frozen=True, slots=True)
class TagClass:
    """A class that can be given.

    Parameters
    ----------
    name : str
    colour : str
        ``#RRGGBB``; the name is shown beside it, so that colour is never the only sign.
    key : str
        One of ``1`` to ``9``.

    Raises
    ------
    UsageError
        A name, colour or key that cannot be.
    """

    name: str
    colour: str
    key: str

    def __post_init__(self) -> None:
        if (
            not self.name.strip()
            or not self.name.isprintable()
            or self.name[0] in "=+-@"
            or len(self.name) > 100
        ):
            msg = f"expected the name of a class, in printable letters, found {self.name[:40]!r}"
            raise UsageError(msg)
        if (
            len(self.colour) != 7
            or self.colour[0] != "#"
            or set(self.colour[1:].lower()) - set("0123456789abcdef")
        ):
            msg = f"class {self.name}: expected a colour #RRGGBB, found {self.colour[:20]!r}"
            raise UsageError(msg)
        if self.key not in tuple("123456789"):
            msg = f"class {self.name}: expected a key from 1 to 9, found {self.key[:20]!r}"
            raise UsageError(msg)


DEFAULT_CLASSES = (
    TagClass("BNE", "#D55E00", "1"),
    TagClass("Doublet", "#0072B2", "2"),
    TagClass("Irregular", "#009E73", "3"),
    TagClass("Unknown", "#999999", "4"),
)
"""The study's classes, in colours that colour-blind readers can tell apart (Okabe and Ito)."""


@dataclass(frozen=True, slots=True)
class View:
    """What is asked to be shown.

    Parameters
    ----------
    words : mapping of str to collection of str
        As in :func:`ifcyto.review.objects.matching`; ``tag`` is a column too, with
        ``untagged`` for objects without one.
    ranges : mapping of str to (low, high)
    rows : tuple of int or None
        Only these rows, such as those inside a gate or of a cell of a confusion matrix.
    sort : str
        Column to order by; empty: the order of the input.
    descending : bool
    """

    words: Mapping[str, Collection[str]]
    ranges: Mapping[str, tuple[float, float]]
    rows: tuple[int, ...] | None = None
    sort: str = ""
    descending: bool = False


EVERYTHING = View({}, {})


class Session:
    """One reader at work on the objects of a study or of a file.

    Parameters
    ----------
    objects : ReviewObjects
    tags : TagFile
    classes : sequence of TagClass
    per_page : int
    blinded : bool
        Hide every method's verdict and show the objects in an order that only the seed decides.
    seed : int

    Attributes
    ----------
    order : ndarray (m,) of int64
        Rows that are shown, page after page.
    page : int
        From 0.
    selection : set of int
        Selected rows.
    view : View

    Raises
    ------
    UsageError
        Classes that share a name or a key; fewer than one object a page.
    """

    def __init__(
        self,
        objects: ReviewObjects,
        tags: TagFile,
        *,
        classes: Sequence[TagClass] = DEFAULT_CLASSES,
        per_page: int = 100,
        blinded: bool = False,
        seed: int = 0,
    ) -> None:
        self.objects = objects
        self.tags = tags
        self.blinded = blinded
        self.seed = seed
        self.classes: tuple[TagClass, ...] = ()
        self.set_classes(classes)
        self.selection: set[int] = set()
        self.page, self.per_page = 0, 1
        self.view = EVERYTHING
        self.order = self._rows(EVERYTHING)
        self.set_per_page(per_page)
        self._past: list[dict[Key, tuple[str | None, str | None]]] = []
        self._future: list[dict[Key, tuple[str | None, str | None]]] = []
        self._place = {objects.key(row): row for row in range(len(objects))}

    def set_classes(self, classes: Sequence[TagClass]) -> None:
        """Take other classes, names, colours or keys; tags that were given stay."""
        for what, values in (("names", [c.name for c in classes]), ("keys", [c.key for c in classes])):
            if len(set(values)) < len(values) or not values:
                msg = f"expected classes with different {what}, found {', '.join(values) or 'none'}"
                raise UsageError(msg)
        self.classes = tuple(classes)

    def add_columns(
        self,
        words: Mapping[str, NDArray[np.str_]] | None = None,
        numbers: Mapping[str, NDArray[np.float64]] | None = None,
    ) -> None:
        """Learn more of the objects; columns of the same names are replaced."""
        old = self.objects
        self.objects = replace(
            old, words={**old.words, **(words or {})}, numbers={**old.numbers, **(numbers or {})}
        )

    # --- what is shown ---------------------------------------------------------------

    @property
    def n_pages(self) -> int:
        """Pages of the view; 1 for an empty one."""
        return max(1, math.ceil(len(self.order) / self.per_page))

    def rows_on_page(self) -> NDArray[np.int64]:
        """Rows of the page that is shown, in reading order."""
        first = self.page * self.per_page
        return self.order[first : first + self.per_page]

    def show(self, view: View) -> None:
        """Show other objects or another order, from the first page; the selection ends.

        Raises
        ------
        UsageError
            A column that is not there or that a blinded reader may not see; nothing changes then.
        """
        order = self._rows(view)
        self.view, self.order = view, order
        self.page = 0
        self.selection.clear()

    def show_rows(self, rows: Iterable[int]) -> None:
        """Show just these rows, in their order."""
        self.view = replace(self.view, rows=tuple(rows), sort="")
        self.order = np.array(self.view.rows, np.int64)
        self.page = 0
        self.selection.clear()

    def set_per_page(self, per_page: int) -> None:
        """Show more or fewer objects a page; the first one of the page stays on the page.

        Raises
        ------
        UsageError
            Fewer than one.
        """
        if per_page < 1:
            msg = f"expected one object a page or more, found {per_page}"
            raise UsageError(msg)
        first = self.page * self.per_page
        self.per_page = per_page
        self.page = min(first // per_page, self.n_pages - 1)

    def select_to(self, row: int, start: int | None) -> None:
        """Select all from one shown row to another, both with them; the last one alone without a start."""
        order = self.order.tolist()
        if start not in order or row not in order:
            self.selection = {row}
            return
        first, last = sorted((order.index(start), order.index(row)))
        self.selection = set(order[first : last + 1])

    def go_to(self, page: int) -> None:
        """Turn to a page; to the nearest that there is."""
        self.page = min(max(page, 0), self.n_pages - 1)
        self.selection.clear()

    def go_to_untagged(self) -> bool:
        """Turn to the page of the first shown object without a tag and select it; False if all have one."""
        for place, row in enumerate(self.order.tolist()):
            if self.label(row) is None:
                self.go_to(place // self.per_page)
                self.selection = {row}
                return True
        return False

    def _rows(self, view: View) -> NDArray[np.int64]:
        words = {name: values for name, values in view.words.items() if name != "tag"}
        passing = matching(self.objects, words, view.ranges, blinded=self.blinded)
        rows = np.flatnonzero(passing)
        if view.rows is not None:
            rows = rows[np.isin(rows, view.rows)]
        if "tag" in view.words:
            wanted = set(view.words["tag"])
            rows = np.array(
                [row for row in rows.tolist() if (self.label(row) or UNTAGGED) in wanted], np.int64
            )
        if view.sort:
            return arrange(self.objects, rows, view.sort, descending=view.descending, blinded=self.blinded)
        return shuffled(rows, self.seed) if self.blinded else rows

    # --- selection -------------------------------------------------------------------

    def select(self, row: int, *, add: bool = False) -> None:
        """Select one row, or turn its selection over beside the others (`add`)."""
        if add:
            self.selection ^= {row}
        else:
            self.selection = {row}

    def select_shown(self) -> None:
        """Select all that is shown, on every page: a whole cluster, say."""
        self.selection = set(self.order.tolist())

    def select_page(self) -> None:
        """Select all of the page."""
        self.selection = set(self.rows_on_page().tolist())

    def move(self, step: int) -> None:
        """Move the selection along the order, over the end of a page too."""
        places = {row: place for place, row in enumerate(self.order.tolist())}
        mine = [places[row] for row in self.selection if row in places]
        start = (max(mine) if step > 0 else min(mine)) if mine else self.page * self.per_page - (step > 0)
        place = min(max(start + step, 0), len(self.order) - 1)
        if place >= 0:
            self.go_to(place // self.per_page)
            self.selection = {int(self.order[place])}

    # --- tags ------------------------------------------------------------------------

    def label(self, row: int) -> str | None:
        """Class that a row was given; None without one."""
        tag = self.tags.tags.get(self.objects.key(row))
        return None if tag is None else tag.label

    def tag(self, label: str | None, rows: Iterable[int] | None = None) -> None:
        """Give rows (the selection) a class, or take it away (None); saved when this returns.

        Raises
        ------
        UsageError
            A class that is not among `classes`.
        OutputError
            The disk refuses; nothing has changed then.
        """
        if label is not None and label not in {c.name for c in self.classes}:
            msg = f"expected a class among {', '.join(c.name for c in self.classes)}, found {label!r}"
            raise UsageError(msg)
        chosen = sorted(self.selection if rows is None else rows)
        change = {
            self.objects.key(row): (self.label(row), label) for row in chosen if self.label(row) != label
        }
        if change:
            self._apply(change, 1)
            self._past.append(change)
            self._future.clear()

    def undo(self) -> bool:
        """Take the last tagging back, and show it; False if there is none."""
        return self._step(self._past, self._future, 0)

    def redo(self) -> bool:
        """Do again what was taken back last; False if there is nothing."""
        return self._step(self._future, self._past, 1)

    def _step(
        self,
        source: list[dict[Key, tuple[str | None, str | None]]],
        target: list[dict[Key, tuple[str | None, str | None]]],
        side: int,
    ) -> bool:
        if not source:
            return False
        change = source[-1]
        self._apply(change, side)
        target.append(source.pop())
        rows = [self._place[key] for key in change]
        places = np.flatnonzero(np.isin(self.order, rows))
        if len(places):
            self.go_to(int(places[0]) // self.per_page)
            self.selection = set(rows)
        return True

    def _apply(self, change: Mapping[Key, tuple[str | None, str | None]], side: int) -> None:
        self.tags.set({key: labels[side] for key, labels in change.items()})

    def counts(self) -> dict[str, int]:
        """Objects of each class in the review, then ``untagged``."""
        found = dict.fromkeys((c.name for c in self.classes), 0)
        done = 0
        for key, tag in self.tags.tags.items():
            if key in self._place:
                found[tag.label] = found.get(tag.label, 0) + 1
                done += 1
        return {**found, UNTAGGED: len(self.objects) - done}
