"""Open napari with a review, as the command line does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import napari

from ifcyto.napari_plugin.window import ReviewWindow

if TYPE_CHECKING:
    from pathlib import Path

    from ifcyto.review.opening import ReviewOptions

__all__ = ["launch", "start"]

TITLE = "ifcyto review"


def start(path: Path | str, options: ReviewOptions, *, second: Path | str | None = None) -> ReviewWindow:
    """Open a window in which the review is being opened; the widget is returned at once."""
    viewer = napari.Viewer(title=TITLE)
    window = ReviewWindow(viewer)
    viewer.window.add_dock_widget(window, name=TITLE, area="right")
    window.second = second
    window.open(path, options)
    return window


def launch(path: Path | str, options: ReviewOptions, *, second: Path | str | None = None) -> None:
    """Open a window with a review and wait until it is closed."""
    start(path, options, second=second)
    napari.run()
