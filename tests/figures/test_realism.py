from __future__ import annotations

import numpy as np
import pytest

from ifcyto.figures.realism import example_sheet, realism_figure
from ifcyto.simulate.realism import image_profile
from ifcyto.simulate.sample import simulate_sample


@pytest.fixture(scope="module")
def batch():
    return simulate_sample(12, seed=1).batch


def test_panels_show_the_numbers_of_every_set(batch):
    profile = image_profile(batch, 0, pixel_um=0.5)
    figure = realism_figure({"BF": {"simulated": profile, "real": profile}, "DNA": {"simulated": profile}})
    assert len(figure.axes) == 8
    line = figure.axes[0].lines[0]
    assert np.array_equal(line.get_ydata(), profile.power)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["simulated", "real"]
    assert np.array_equal(figure.axes[1].lines[0].get_xdata(), profile.level)
    assert len(figure.axes[4].lines) == 1


def test_sheet_has_a_tile_for_each_image(batch):
    objects = [list(cell.images) for cell in batch.cells()[:5]]
    sheet = example_sheet(
        {"simulated": objects, "real": objects[:2]},
        {"simulated": ["BF", "CD235a", "DRAQ5"], "real": ["BF", "CD235a", "DRAQ5"]},
        size=40,
    )
    assert len(sheet.axes) == 5 * 3 + 2 * 3
    assert {axis.images[0].get_array().shape for axis in sheet.axes} == {(40, 40, 3)}
    assert {"simulated", "real", "DRAQ5"} <= {text.get_text() for text in sheet.texts}
    sheet.draw_without_rendering()
