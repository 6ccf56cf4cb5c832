"""Contrast: a dyed channel is shown in full, one of noise stays dark."""

from __future__ import annotations

import numpy as np

from ifcyto.figures.channels import display_range
from ifcyto.pipeline.convert import convert
from ifcyto.review.contrast import contrast
from ifcyto.samples.demo import write_demo_cif
from ifcyto.stack.cell_stack import CellStack


def test_dyed_channels_are_shown_in_full_and_an_empty_one_dark(tmp_path, rng):
    convert(write_demo_cif(tmp_path / "a.cif", n_cells=20), tmp_path / "a.h5")
    with CellStack.open(tmp_path / "a.h5") as stack:
        images = stack.images(np.arange(20), size=64)
    bright = [True, False, False]
    plain = [display_range(list(images[:, c]), brightfield=bright[c]) for c in range(3)]
    assert contrast(images, bright) == plain
    empty = rng.normal(0, 10, (20, 1, 64, 64))
    _, high = contrast(empty, [False])[0]
    assert high > 5 * display_range(list(empty), brightfield=False)[1]
    steps = np.repeat(rng.integers(34, 39, (20, 1, 8, 8)), 8, axis=2).repeat(8, axis=3).astype(np.int16)
    assert contrast(steps, [False])[0][1] > 5 * 4 + 30  # few counts, however smooth, are no signal
    assert contrast(np.zeros((0, 2, 8, 8)), [True, False]) == [(0.0, 1.0), (0.0, 1.0)]
