"""Make `small.h5`, the frozen cell stack of version 1: run once, with ifcyto 0.1.0.

The pixels come from a formula, so a test can make them again without this file
and without a random generator: see `pixels` and `masks` below.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ifcyto.cells import Cell, Channel
from ifcyto.stack.write import write_stack

NUMBERS = (3, 1, 40, 7, 1_000_000)
SHAPES = ((6, 9), (11, 4), (1, 1), (8, 8), (5, 12))
CHANNELS = (
    Channel(1, "BF", brightfield=True, detector="420-480 nm", pixel_size_um=0.5),
    Channel(5, "DRAQ5 ä", role="DRAQ5", pixel_size_um=0.5),
    Channel(12, "Ch12"),
)


def pixels(number: int, shape: tuple[int, int]) -> np.ndarray:
    """Values from -40 to 170 that depend on object, channel, row and column."""
    channel, row, column = np.indices((len(CHANNELS), *shape))
    return ((17 * number + 5 * channel + 3 * row + column) % 211 - 40).astype(np.int16)


def masks(number: int, shape: tuple[int, int]) -> np.ndarray:
    """Values 0 to 3, another pattern in each channel."""
    channel, row, column = np.indices((len(CHANNELS), *shape))
    return ((number + channel + row * column) % 4).astype(np.uint8)


def facts(number: int) -> dict[str, object]:
    """One fact of each kind; object 40 has no label."""
    known = {
        "flow_speed": number / 8,
        "camera_line": 2 * number,
        "background_mean": number % 7 + np.arange(3) / 4,
    }
    return known if number == 40 else {**known, "label": f"Größe {number}"}


def main() -> None:
    """Write the file beside this script."""
    cells = [
        Cell(number, pixels(number, shape), masks(number, shape), facts(number))
        for number, shape in zip(NUMBERS, SHAPES, strict=True)
    ]
    path = Path(__file__).parent / "small.h5"
    write_stack(cells, path, channels=CHANNELS, metadata={"instrument": "simulated"}, overwrite=True)


if __name__ == "__main__":
    main()
