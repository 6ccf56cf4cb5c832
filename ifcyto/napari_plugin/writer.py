"""What napari saves through the plugin: the page that is shown, as raw pixels with object numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ifcyto.errors import UsageError
from ifcyto.writers.page_tiff import PlacedCell, write_page_tiff

__all__ = ["PAGE", "write_page"]

PAGE = "ifcyto page"
"""Key of a layer's metadata under which the gallery says which cells it shows."""


def write_page(path: str, layers: list[tuple[Any, dict[str, Any], str]]) -> list[str]:
    """Write image layers of one page as a TIFF, byte for byte as they are.

    Raises
    ------
    UsageError
        Layers that are not of one page of the gallery.
    OutputError
        The disk refuses.
    """
    pages = [meta.get("metadata", {}).get(PAGE) for _, meta, _ in layers]
    if not pages or pages[0] is None or any(page != pages[0] for page in pages):
        msg = f"{path}: expected the image layers of one page of a review, found other layers"
        raise UsageError(msg)
    page = pages[0]
    write_page_tiff(
        path,
        np.stack([np.asarray(data) for data, _, _ in layers]),
        channels=[str(meta["name"]) for _, meta, _ in layers],
        cells=[PlacedCell(**cell) for cell in page["cells"]],
        pixel_size_um=page["pixel_size_um"],
        overwrite=True,
    )
    return [path]
