"""Sheets of heat maps from arrays: those of a run, and one that a user asks for."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.errors import OutputError, UsageError
from ifcyto.pipeline import draw_network as room
from ifcyto.pipeline.draw import Album
from ifcyto.pipeline.draw_network import MOST_DRAWN, draw_explained, draw_heat_maps
from ifcyto.pipeline.explain import CellMaps, Explained
from ifcyto.pipeline.heat_cells import ExplainedCell
from ifcyto.pipeline.run_explain import ExplainedCells


@pytest.fixture
def sheets(monkeypatch) -> list:
    """Cells, title and class of each sheet that is drawn."""
    drawn = []

    def keep(tiles, **words):
        drawn.append((tiles, words))
        return original(tiles, **words)

    original = room.heat_map_sheet
    monkeypatch.setattr(room, "heat_map_sheet", keep)
    return drawn


def explained(rng, n: int, classes=("BNE",)) -> Explained:
    maps = rng.random((n, 8, 8), np.float32)
    return Explained(
        np.arange(n), np.resize(classes, n), np.full(n, 0.75), rng.integers(0, 99, (n, 2, 8, 8)),
        np.array(["BF", "DRAQ5"]), maps, maps - 0.5, np.stack([maps, maps], 1),
    )  # fmt: skip


def test_a_user_gets_a_sheet_of_the_objects_asked_for(rng, tmp_path, sheets):
    png, pdf = draw_explained(explained(rng, 2), tmp_path / "why.png", source="data/MDS01.h5")
    assert (png.name, pdf.name) == ("why.png", "why.pdf")
    assert png.stat().st_size > 1000 < pdf.stat().st_size
    tiles, words = sheets[0]
    assert [(tile.object_number, tile.sample) for tile in tiles] == [(0, "MDS01"), (1, "MDS01")]
    assert tiles[0].words == ("class: BNE", "p(BNE) = 0.750")
    assert words["of_class"] == "BNE"
    with pytest.raises(OutputError, match=r"why\.png"):
        draw_explained(explained(rng, 1), png, source="MDS01.h5")
    draw_explained(explained(rng, 2, ("BNE", "Doublet")), png, source="MDS01.h5", overwrite=True)
    assert sheets[-1][1]["of_class"] == "its class"


@pytest.mark.parametrize(("name", "n"), [("why.jpg", 1), ("a b.png", 1), ("why.png", MOST_DRAWN + 1)])
def test_other_names_and_too_many_objects_are_refused(rng, tmp_path, name, n):
    with pytest.raises(
        UsageError, match=rf"a plain name that ends in \.png, and at most 20 objects, found {n}"
    ):
        draw_explained(explained(rng, n), tmp_path / name, source="MDS01.h5")
    assert list(tmp_path.iterdir()) == []


def test_each_kind_has_a_sheet_with_its_own_cells(rng, tmp_path, sheets):
    cells = [
        ExplainedCell("right", "A", 3, "BNE", 0.9, "BNE", "BNE"),
        ExplainedCell("wrong", "B", 4, "Doublet", 0.2, "BNE", ""),
        ExplainedCell("right", "B", 5, "BNE", 0.8, "BNE", "Doublet"),
    ]
    maps = CellMaps(rng.integers(0, 99, (3, 1, 8, 8)), rng.random((3, 8, 8)), rng.random((3, 8, 8)))
    album = Album(tmp_path)
    shown = ExplainedCells(cells, maps, 0.5)
    draw_heat_maps(album, shown, ["DRAQ5"])
    assert [(words["title"], [tile.object_number for tile in tiles]) for tiles, words in sheets] == [
        ("Right and most certain", [3, 5]),
        ("Wrong", [4]),
    ]
    np.testing.assert_array_equal(sheets[0][0][1].occlusion, maps.occlusion[2])
    assert sheets[1][0][0].words == ("network: Doublet", "p(BNE) = 0.200", "truth: BNE")
    assert sheets[0][0][1].words[-1] == "FBML: Doublet"
    right, wrong = album.figures["heat-maps"]
    assert right.alt == "Heat maps of 2 cells: object 3 of A, object 5 of B"
    assert wrong.png.name == "heat-maps_wrong.png"
    assert [row["drop"] for row in shown.rows()] == maps.occlusion.max(axis=(1, 2)).tolist()
