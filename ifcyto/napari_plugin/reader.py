"""What napari opens by itself: the first cells of a stack, an image file or a study that was run."""

from __future__ import annotations

import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifcyto.review.opening import Review

__all__ = ["get_reader", "read"]

FIRST = 100
"""Cells that are shown; the widget "Review cells" shows them all."""

LARGEST_STUDY = 2**20


def get_reader(path: str | list[str]) -> Callable[[str], list[tuple[Any, dict[str, Any], str]]] | None:
    """Take a path if its content is ours; other people's files are left to others."""
    if isinstance(path, list):
        return None
    file = Path(path)
    if file.suffix.lower() == ".toml":
        ours = _is_study(file)
    elif file.suffix.lower() == ".h5":
        from ifcyto.stack.open import is_cell_stack

        ours = is_cell_stack(file)
    else:
        ours = _is_images(file)
    return read if ours else None


def read(path: str) -> list[tuple[Any, dict[str, Any], str]]:
    """Read the first cells as layers: one image a channel, and outlines of the masks.

    Raises
    ------
    IfcytoError
        The file is not sound.
    """
    from ifcyto.pipeline.convert import convert
    from ifcyto.readers.registry import open_acquisition
    from ifcyto.review.opening import open_review
    from ifcyto.stack.open import is_cell_stack

    file = Path(path)
    with tempfile.TemporaryDirectory(prefix="ifcyto-") as folder:
        if file.suffix.lower() != ".toml" and not is_cell_stack(file):
            with open_acquisition(file) as reader:
                first = reader.object_numbers[:FIRST].tolist()
            part = Path(folder) / f"{file.stem}.h5"
            convert(file, part, objects=first)
            file = part
        review = open_review(file)
        try:
            return _layers(review)
        finally:
            review.close()


def _layers(review: Review) -> list[tuple[Any, dict[str, Any], str]]:
    from napari.components import ViewerModel

    from ifcyto.napari_plugin.gallery import Gallery

    review.session.set_per_page(FIRST)
    gallery = Gallery(ViewerModel(), review, mode="overlay")
    gallery.draw()
    gallery.show_outlines(visible=True)
    return [layer.as_layer_data_tuple() for layer in gallery.every_layer() if layer.name != "tags"]


def _is_study(path: Path) -> bool:
    try:
        if path.stat().st_size > LARGEST_STUDY:
            return False
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(document.get("study"), dict) and isinstance(document.get("samples"), list)


def _is_images(path: Path) -> bool:
    from ifcyto.errors import FormatError
    from ifcyto.readers.registry import reader_class

    try:
        return reader_class(path).__module__.rpartition(".")[2] in {"cif", "daf"}
    except FormatError:
        return False
