"""What the tabs and keys of the window share: the open review, its gallery, and what can be done. No Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from ifcyto.errors import IfcytoError, UsageError
from ifcyto.napari_plugin.gallery import Gallery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from napari.components import ViewerModel

    from ifcyto.review.opening import Review
    from ifcyto.review.panels import Mode
    from ifcyto.review.session import TagClass, View

__all__ = ["Change", "Desk"]

Change = Literal["review", "page", "marks"]
"""Another review; another page; other tags or another selection on the same page."""


class Desk:
    """Carries out what the reader asks for, and tells the watchers what changed.

    Parameters
    ----------
    viewer : napari.components.ViewerModel

    Attributes
    ----------
    review : Review or None
    gallery : Gallery or None
    watchers : list of callable
        Called with a :data:`Change`.
    advance : bool
        After one cell was tagged, select the next one.
    message : str
        What went wrong last; empty after something that went well.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self.viewer = viewer
        self.review: Review | None = None
        self.gallery: Gallery | None = None
        self.watchers: list[Callable[[Change], None]] = []
        self.advance = True
        self.message = ""
        self._anchor: int | None = None

    # --- errors ----------------------------------------------------------------------

    def attempt(self, action: Callable[[], object]) -> bool:
        """Do something; an error of ours or of the disk becomes :attr:`message`. True if it went well."""
        try:
            action()
        except IfcytoError as error:
            self.message = str(error)
        except OSError as error:
            self.message = f"{error.filename or 'input or output'}: {error.strerror or error}"
        else:
            self.message = ""
            return True
        self.tell("marks")
        return False

    def tell(self, change: Change) -> None:
        """Tell the watchers."""
        for watcher in list(self.watchers):
            watcher(change)

    # --- the review ------------------------------------------------------------------

    def take(self, review: Review) -> bool:
        """Show an opened review in place of the one before."""
        self.close()
        self.review = review
        self.gallery = Gallery(self.viewer, review)
        self._anchor = None
        shown = self.attempt(self.gallery.draw)
        if shown and not len(review.session.objects):
            self.message = "There is no object to review: the study has no candidates, or the file is empty."
        self.tell("review")
        return shown

    def close(self) -> None:
        """Close the review; its tags are on disk."""
        if self.gallery is not None:
            self.gallery.close()
        if self.review is not None:
            self.review.close()
        self.gallery = self.review = None

    @property
    def open(self) -> Review:
        """The open review.

        Raises
        ------
        UsageError
            There is none.
        """
        if self.review is None:
            msg = "no review is open: open a study, a stack or an image file first"
            raise UsageError(msg)
        return self.review

    # --- pages -----------------------------------------------------------------------

    def draw(self) -> bool:
        """Draw the page of the session."""
        gallery = self.gallery
        done = gallery is not None and self.attempt(gallery.draw)
        self.tell("page")
        return done

    def turn(self, step: int) -> None:
        """Turn pages forward or back."""
        if self.review is not None:
            self.go_to(self.review.session.page + step)

    def go_to(self, page: int) -> None:
        """Turn to a page, counted from 0."""
        if self.review is not None:
            self.review.session.go_to(page)
            self.draw()

    def show(self, view: View) -> bool:
        """Show other objects or another order."""
        session = self.open.session
        return self.attempt(lambda: session.show(view)) and self.draw()

    def show_rows(self, rows: Iterable[int]) -> bool:
        """Show just these rows, in their order."""
        self.open.session.show_rows(rows)
        return self.draw()

    def lay_out(
        self, *, mode: Mode | None = None, size: int | None = None, per_page: int | None = None
    ) -> None:
        """Draw in another way: panels, side of a cell in px, cells a page."""
        if self.gallery is None:
            return
        session = self.open.session
        if per_page is not None and not self.attempt(lambda: session.set_per_page(per_page)):
            return
        self.gallery.size = size or self.gallery.size
        if mode is not None and mode != self.gallery.mode:
            self.gallery.set_mode(mode)
        self.draw()

    def outline(self) -> None:
        """Show or hide the outlines of the masks."""
        gallery = self.gallery
        if gallery is not None and self.attempt(lambda: gallery.show_outlines(visible=not gallery.outlined)):
            self.tell("marks")

    # --- what lies over the cells ------------------------------------------------------

    def lay_over(self, action: Callable[[Gallery], object]) -> bool:
        """Change what lies over the cells, and draw it; True if both went well."""
        gallery = self.gallery
        if gallery is None:
            return False
        done = self.attempt(lambda: action(gallery)) and self.attempt(gallery.lay_over)
        if done:
            self.tell("marks")
        return done

    def show_typed(self) -> None:
        """Show or hide the outlines that the reader asked for."""
        if self.gallery is not None and not self.gallery.over.masks.items:
            self.message = "No outline was asked for: type a mask in the tab Overlays."
            self.tell("marks")
        else:
            self.lay_over(lambda gallery: gallery.over.masks.turn())

    def number_spots(self) -> None:
        """Number the spots of a mask, or take the numbers away."""
        self.lay_over(lambda gallery: gallery.over.masks.number_spots())

    def show_heat(self) -> None:
        """Show or hide the heat map."""
        self.lay_over(lambda gallery: gallery.over.heat.turn())

    # --- selection -------------------------------------------------------------------

    def click(self, row: int, *, add: bool = False, to: bool = False) -> None:
        """Select a cell; with `add` beside the others, with `to` all from the cell clicked before."""
        session = self.open.session
        if to:
            session.select_to(row, self._anchor)
        else:
            session.select(row, add=add)
            self._anchor = row
        self._marked()

    def move(self, across: int, down: int = 0) -> None:
        """Move the selection along a row of cells, or to the next row."""
        if self.gallery is None or self.gallery.made is None:
            return
        session = self.open.session
        before = session.page
        session.move(across + down * self.gallery.made.columns)
        self._anchor = next(iter(session.selection), None)
        self._after(before)

    def select_page(self) -> None:
        """Select all cells of the page."""
        if self.review is not None:
            self.review.session.select_page()
            self._marked()

    def select_shown(self) -> None:
        """Select all cells that are shown, on every page."""
        if self.review is not None:
            self.review.session.select_shown()
            self._marked()

    def next_untagged(self) -> None:
        """Turn to the first shown cell without a tag."""
        if self.review is None:
            return
        session = self.review.session
        before = session.page
        if session.go_to_untagged():
            self._after(before)
        else:
            self.message = "Every object that is shown has a tag."
            self.tell("marks")

    def chosen(self) -> list[int]:
        """Selected rows, in the order that is shown."""
        session = self.open.session
        return [row for row in session.order.tolist() if row in session.selection]

    # --- tags ------------------------------------------------------------------------

    def tag(self, label: str | None) -> bool:
        """Give the selection a class, or take it away (None)."""
        if self.gallery is None or self.gallery.made is None:
            self.message = self.message or "No cells are shown, so none is tagged."
            self.tell("marks")
            return False
        session = self.open.session
        if not session.selection:
            self.message = "Select a cell first: click it, or move with the arrows; A selects the page."
            self.tell("marks")
            return False
        if not self.attempt(lambda: session.tag(label)):
            return False
        if self.advance and label is not None and len(session.selection) == 1:
            self.move(1)
        self._marked()
        return True

    def tag_by_key(self, key: str) -> None:
        """Give the selection the class that has this key; 0 takes the tag away."""
        if self.review is None:
            return
        label = next((c.name for c in self.review.session.classes if c.key == key), None)
        if label is not None or key == "0":
            self.tag(label)
        else:
            self.message = f"No class has the key {key}."
            self.tell("marks")

    def undo(self) -> None:
        """Take the last tagging back."""
        self._step(forward=False)

    def redo(self) -> None:
        """Do again what was taken back."""
        self._step(forward=True)

    def set_classes(self, classes: Iterable[TagClass]) -> bool:
        """Take other classes, colours or keys."""
        session = self.open.session
        done = self.attempt(lambda: session.set_classes(tuple(classes)))
        if done:
            self._marked()
        return done

    def values(self) -> tuple[tuple[str, ...], np.ndarray]:
        """Columns of numbers that may be seen: names, and values ``(n, F)`` of all objects."""
        review = self.open
        _, names = review.session.objects.seen(blinded=review.session.blinded)
        objects = review.session.objects
        columns = [objects.numbers[name] for name in names]
        return names, np.column_stack(columns) if columns else np.zeros((len(objects), 0))

    # --- inside ----------------------------------------------------------------------

    def _step(self, *, forward: bool) -> None:
        if self.review is None:
            return
        session = self.review.session
        before = session.page
        done: list[bool] = []
        if self.attempt(lambda: done.append(session.redo() if forward else session.undo())):
            if not done[0]:
                self.message = (
                    "There is nothing to do again." if forward else "There is nothing to take back."
                )
            self._after(before)

    def _after(self, page: int) -> None:
        if self.review is not None and self.review.session.page != page:
            self.draw()
        else:
            self._marked()

    def _marked(self) -> None:
        if self.gallery is not None:
            self.gallery.mark()
        self.tell("marks")
