"""The pictures of the documents are made by what is in the package: in small here, all when asked for."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("napari.components", reason="the review extra is not installed")

pytestmark = pytest.mark.gui

SCRIPT = Path(__file__).parents[2] / "docs" / "review_shots.py"
GREEN = (0x00, 0xFF, 0x9C)


@pytest.fixture
def shots(qt, monkeypatch):
    """The script, with few cells a page."""
    spec = importlib.util.spec_from_file_location("review_shots", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PER_PAGE", 6)
    return module


def near(path, colour):
    """Pixels of a picture that are nearly of a colour."""
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    return int((np.abs(pixels - colour) < 30).all(axis=-1).sum())


def test_masks_and_spots_are_pictured(shots, study, tmp_path):
    shots.masks_and_spots(study, tmp_path / "masks.png")
    assert near(tmp_path / "masks.png", (0xFF, 0xE1, 0x00)) > 20  # spot 1
    assert near(tmp_path / "masks.png", (0xFF, 0x9E, 0x80)) > 20  # the first mask that was typed


def test_a_message_ends_the_script(shots, study, tmp_path):
    window = shots.opened(study)
    window.desk.tag("BNE")
    with pytest.raises(SystemExit, match="Select a cell first"):
        shots.shoot(window, tmp_path / "no.png")
    assert not (tmp_path / "no.png").exists()
    window.close()
    window.desk.viewer.close()


@pytest.mark.slow
def test_plots_and_the_large_cell_are_pictured(shots, study, stack, tmp_path):
    shots.blinded_study(study, tmp_path / "study.png")
    shots.large_cell(study, tmp_path / "cell.png")
    shots.gate(stack, tmp_path, "DRAQ5", tmp_path / "plot.png")
    shots.bars(stack, tmp_path, tmp_path / "bars.png")
    assert near(tmp_path / "cell.png", GREEN) > near(tmp_path / "study.png", GREEN) + 50
    assert near(tmp_path / "bars.png", (0x56, 0xB4, 0xE9)) > 500


@pytest.mark.slow
def test_all_pictures_are_made(shots, shared_data, tmp_path):
    shots.main(shared_data, tmp_path)
    made = {path.name for path in tmp_path.glob("*.png")}
    assert {"review_example.png", "review_plot.png", "review_bars.png", "review_study.png"} <= made
    assert {"review_masks.png", "review_cell.png"} <= made
