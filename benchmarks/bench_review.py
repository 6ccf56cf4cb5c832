"""How fast a page of a review is read, and drawn: 100 cells of a stack of 100,000.

Run ``python benchmarks/bench_review.py``; with napari installed the page is also laid out as
layers (a viewer's model without a window). The stack is the real ``example.cif``, six channels,
its objects over and over. Outlines are off, so masks are not read. In order: page after page.
Random: every page has objects from all over the stack, as a shuffled (blinded) review shows
them; no page is read twice. With ``--overlay EXPRESSION`` the outline of a mask is computed for
every page and drawn; give it once for each outline, such as ``--overlay "Morphology(M06, Ch06)"``.
"""

from __future__ import annotations

import importlib.util
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from common import large_cif, machine, parser

from ifcyto.pipeline.convert import convert
from ifcyto.review.mosaic import mosaic
from ifcyto.review.objects import shuffled
from ifcyto.review.opening import Review, ReviewOptions, open_review
from ifcyto.review.overlay_list import OverlayList
from ifcyto.review.panels import panels_for, strips

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = 100
TARGET = 0.2


def timed(pages: Callable[[int], object], repeats: int) -> list[tuple[float, float]]:
    """Seconds of each page on the clock and of the processor, after one that is not counted."""
    pages(0)
    found = []
    for page in range(1, repeats + 1):
        start, busy = time.perf_counter(), time.process_time()
        pages(page)
        found.append((time.perf_counter() - start, time.process_time() - busy))
    return found


def show(name: str, seconds: list[tuple[float, float]]) -> None:
    middle, busy = (statistics.median(each) for each in zip(*seconds, strict=True))
    verdict = "reached" if middle < TARGET else "MISSED"
    said = f"{1000 * middle:6.1f} ms ({1000 * busy:6.1f} ms of the processor)"
    print(f"{name:42s} {said}   under {TARGET} s: {verdict}")


def picture(review: Review, size: int, masks: list[str]) -> Callable[[int], object]:
    """Read a page and put its cells side by side, with the outlines of some masks."""
    session = review.session
    over = OverlayList(review.masks)
    for text in masks:
        over.add(text)
    panels = panels_for(review.channels, review.brightfield)

    def page(number: int) -> object:
        session.go_to(number)
        rows = session.rows_on_page()
        images, masks = review.pages.read(session.objects, rows, size, masks=False, hold=over.drawing)
        fill = images.min(axis=(0, 2, 3))
        made = mosaic(
            strips(images, panels, fill), strips(masks, panels, np.zeros_like(fill)), header=12, gap=8
        )
        if over.drawing:
            made.laid(np.tile(over.read(session.objects, rows, size).lines, (1, 1, len(panels))))
        return made

    return page


def layers(review: Review, masks: list[str]) -> Callable[[int], object]:
    """Read a page and give it to napari's layers."""
    from napari.components import ViewerModel

    from ifcyto.napari_plugin.desk import Desk

    desk = Desk(ViewerModel())
    desk.take(review)
    for text in masks:
        desk.gallery.over.masks.add(text)
    return desk.go_to


def main() -> None:
    options = parser(__doc__.splitlines()[0], 100_000)
    options.set_defaults(repeats=30)
    options.add_argument(
        "--overlay", action="append", default=[], metavar="EXPRESSION", help="draw the outline of this mask"
    )
    given = options.parse_args()
    cif = large_cif(given.source, given.folder, given.objects)
    stack = cif.with_suffix(".h5")
    if not stack.exists():
        convert(cif, stack)
    print(machine())
    print(f"{given.objects} objects, pages of {PAGE}, {given.repeats} pages each; median")
    for text in given.overlay:
        print(f"with the outline of {text}")
    for name in ("in order", "random"):
        for what in ("read and laid out", "drawn as napari's layers"):
            if what.startswith("drawn") and importlib.util.find_spec("napari") is None:
                print("napari is not installed: layers are not measured")
                continue
            settings = ReviewOptions(by="bench", labels=Path("none.csv"), per_page=PAGE)
            review = open_review(stack, settings)
            if name == "random":
                review.session.show_rows(shuffled(review.session.order, 1).tolist())
            size = review.pages.usual_size()
            masks = given.overlay
            pages = picture(review, size, masks) if what.startswith("read") else layers(review, masks)
            show(f"{name}: {what}, {size} px", timed(pages, given.repeats))
            review.close()


if __name__ == "__main__":
    main()
