"""From files to feature tables: what is computed, and that it never depends on how."""

from __future__ import annotations

import csv
import json
import re

import anndata
import numpy as np
import pytest

import ifcyto
from ifcyto.cells import Cell, Channel
from ifcyto.errors import FormatError, OutputError, UsageError
from ifcyto.features.table import read_table
from ifcyto.pipeline import measure_job, measure_parts
from ifcyto.pipeline.measure import MeasureOptions, measure, measure_to_file
from ifcyto.pipeline.sources import BATCH_ROWS
from ifcyto.readers.cif import CifReader
from ifcyto.samples.demo import write_demo_cif
from ifcyto.stack.write import write_stack

COLUMNS = ["Area_M01", "Intensity_MC_DRAQ5", "Area_Dilate(M05, 2)", "Spot Count_M05", "Object Number"]
N = BATCH_ROWS + 45


@pytest.fixture(scope="module")
def cif(tmp_path_factory):
    return write_demo_cif(tmp_path_factory.mktemp("measure") / "cells.cif", n_cells=N, seed=4)


@pytest.fixture(scope="module")
def table(cif):
    return measure(cif, COLUMNS, workers=1)


def test_values_are_those_of_the_pixels(cif, table):
    with CifReader(cif) as reader:
        for i, cell in enumerate(reader):
            inside = [mask == 1 for mask in cell.masks]
            union = np.logical_or.reduce(inside)
            background = cell.background_mean[2]
            assert table.X[i, 0] == inside[0].sum() * 0.25
            assert table.X[i, 1] == pytest.approx((cell.images[2][union] - background).sum(), rel=1e-12)
            assert table.obs["object"].iloc[i] == cell.object_number == table.X[i, 4]


def test_stacks_readers_paths_and_workers_give_the_same_table(tmp_path, cif, table):
    stack = ifcyto.convert(cif, tmp_path / "cells.h5").outputs[0]
    with ifcyto.CellStack.open(stack) as cells, CifReader(cif) as reader:
        for source in (cells, stack, reader, cif):
            other = ifcyto.measure(source, COLUMNS, workers=3)
            assert np.array_equal(other.X, table.X, equal_nan=True)
            assert other.var.equals(table.var)


def test_the_file_is_the_table_and_the_csv_too(tmp_path, cif, table):
    result = measure_to_file(cif, tmp_path / "t.h5ad", COLUMNS, csv_path=tmp_path / "t.csv")
    assert (result.n_objects, result.n_features) == (N, 5)
    stored = read_table(result.output)
    assert np.array_equal(stored.X, table.X, equal_nan=True)
    assert stored.var.equals(table.var)
    record = json.loads(stored.uns["ifcyto"]["provenance"])
    assert record["sources"][0]["name"] == "cells.cif"
    assert record["options"] == {"step": "measure", "features": COLUMNS, "pixel_size_um": 0.5}
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["object", *table.var_names]
    assert [float(value) for row in rows[1:] for value in row[1:]] == table.X.ravel().tolist()


def test_progress_counts_objects(cif):
    seen = []
    measure(cif, ["Area_M01"], progress=lambda *told: seen.append(told))
    assert seen == [("measuring cells.cif", done, N) for done in (0, BATCH_ROWS, N)]


def test_masks_and_images_may_be_named(cif, table):
    options = MeasureOptions(masks={"Wide": "Dilate|M05|2"}, images={"DNA": 5})
    named = measure(cif, ["Area_Wide", "Intensity_MC_DNA", "Area|Dilate(Wide, 1)"], options=options)
    assert np.array_equal(named.X[:, :2], table.X[:, [2, 1]])
    assert json.loads(named.uns["ifcyto"]["masks"])["Wide"] == "Dilate(M05, 2)"


def test_settings_that_change_the_table_are_recorded(cif):
    options = MeasureOptions(
        masks={"Wide": "Dilate|M05|2"}, images={"DNA": 5}, dna="DNA", roles={"Nucleus": 5}, skip_unknown=True
    )
    record = json.loads(measure(cif, ["Area_Wide"], options=options).uns["ifcyto"]["provenance"])
    assert record["options"] == {
        "step": "measure",
        "features": ["Area_Wide"],
        "pixel_size_um": 0.5,
        "masks": {"Wide": "Dilate|M05|2"},
        "images": {"DNA": 5},
        "dna": "DNA",
        "roles": {"Nucleus": 5},
        "skip_unknown": True,
    }


def test_a_value_is_an_approximation_where_its_mask_is(tmp_path, cif):
    lines = {
        "Area_M05": False,
        "Area_MC And Not M05": False,
        "Area_None": False,
        "Area|Nuclei(MC, DRAQ5, 0.5, 5, 0.3, 0.7, 4, 0.3)": False,
        "Area_Dilate(M05, 2)": True,
        "Area_Wide Or M05": True,
        "Gradient RMS_M05_DRAQ5": True,
        "Flow Speed": False,
        "Exact = Area_M05|/|Area_M01": False,
        "Other = Exact|*|Area_Wide": True,
    }
    options = MeasureOptions(masks={"Wide": "Wider", "Wider": "Dilate|M05|2"})
    table = measure(cif, list(lines), options=options)
    assert table.var["approximation"].tolist() == list(lines.values())
    bare = measure(small_stack(tmp_path, (0.5,), masks=False), ["Area_NMC", "Area_None", "Bkgd Mean_C0"])
    assert bare.var["approximation"].tolist() == [True, False, False]


def test_the_table_opens_in_anndata_with_text_and_numbers(tmp_path, cif):
    path = measure_to_file(cif, tmp_path / "t.h5ad", "basic").output
    table = anndata.read_h5ad(path)
    assert table.obs["sample"].unique().tolist() == ["cells"]
    assert table.var.loc["Area_M01", "unit"] == "um2"
    assert table.var["approximation"].dtype == bool


@pytest.mark.parametrize("name", ["basic", "ideas", "fbml"])
def test_every_set_computes_every_column(cif, name):
    with CifReader(cif) as reader:
        table = measure(reader, name, options=MeasureOptions(dna="DRAQ5"))
    finite = np.isfinite(table.X).mean(axis=0)
    nothing = [column for column, share in zip(table.var_names, finite, strict=True) if share == 0]
    assert nothing == []
    assert len(table.var_names) > {"basic": 50, "ideas": 150, "fbml": 150}[name]


def test_what_leaks_is_not_for_learning(cif):
    names = measure(cif, "fbml", options=MeasureOptions(dna="DRAQ5")).var_names
    leaks = (
        "Object Number",
        "Time",
        "Camera",
        "Flow Speed",
        "Raw ",
        "Centroid X",
        "Centroid Y",
        "Bkgd",
        "Valley",
    )
    assert [name for name in names if name.startswith(leaks)] == []
    assert any("Nuclei(MC, DRAQ5" in name for name in names)


def test_damaged_objects_stop_the_work_and_leave_nothing(tmp_path, cif):
    data = cif.read_bytes()
    damaged = tmp_path / "short.cif"
    damaged.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(FormatError):
        measure_to_file(damaged, tmp_path / "t.h5ad", COLUMNS, csv_path=tmp_path / "t.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["short.cif"]


def test_outputs_that_cannot_be_are_refused_before_any_work(tmp_path, cif):
    same = tmp_path / "sub" / ".." / "t.h5ad"
    with pytest.raises(UsageError, match="another file for each output"):
        measure_to_file(cif, tmp_path / "t.h5ad", COLUMNS, csv_path=same)
    for outputs in ({"output": tmp_path}, {"output": tmp_path / "t.h5ad", "csv_path": tmp_path}):
        with pytest.raises(OutputError, match="expected the name of a file to write, found a folder"):
            measure_to_file(cif, features=COLUMNS, overwrite=True, **outputs)
    assert list(tmp_path.iterdir()) == []


def test_outputs_are_not_replaced_by_accident(tmp_path, cif):
    path = tmp_path / "t.h5ad"
    path.write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        measure_to_file(cif, path, COLUMNS)
    assert path.read_text() == "mine"
    with pytest.raises(UsageError, match="apart from the inputs"):
        measure_to_file(cif, cif, COLUMNS, overwrite=True)
    assert measure_to_file(cif, path, COLUMNS, overwrite=True).n_objects == N


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (["Aera_M01"], "did you mean 'Area'"),
        (["Area_M09"], "expected one channel with the mask M09, found no channel"),
        (["Area|M09"], "expected one channel with the mask M09, found no channel"),
        (["Intensity|MC|DRAQ7"], "did you mean 'DRAQ5'"),
        (["Area|Dilat(M01, 2)"], "did you mean 'Dilate'"),
        (["Area_M01", "Area_M01"], "'Area_M01' twice"),
        ("idea", "did you mean 'ideas'"),
        ("nowhere.txt", "expected a feature set"),
    ],
)
def test_what_is_not_there_is_said_before_any_work(cif, features, message):
    with pytest.raises(UsageError, match=message):
        measure(cif, features)


def small_stack(tmp_path, sizes, masks=True):
    channels = [Channel(i + 1, f"C{i}", pixel_size_um=size) for i, size in enumerate(sizes)]
    image = np.random.default_rng(1).integers(0, 9, (len(sizes), 30, 28)).astype(np.int16)
    image[:, 12:18, 8:16] = 300
    mask = (image > 100).astype(np.uint8) if masks else None
    return write_stack([Cell(3, image, mask)], tmp_path / "small.h5", channels=channels)


@pytest.mark.parametrize("sizes", [(None,), (0.5, 0.3)])
def test_a_pixel_size_is_needed(tmp_path, sizes):
    path = small_stack(tmp_path, sizes)
    with pytest.raises(UsageError, match="expected one pixel size for all channels"):
        measure(path, ["Area_M01"])
    assert measure(path, ["Area_M01"], options=MeasureOptions(pixel_size_um=2.0)).X.tolist() == [[192.0]]
    for wrong in (-1, 0, 1e300, 1e-200, np.nan, np.inf):
        with pytest.raises(
            UsageError, match=f"positive number of micrometres, found {re.escape(str(wrong))}"
        ):
            measure(path, ["Area_M01"], options=MeasureOptions(pixel_size_um=wrong))


def test_masks_are_computed_where_there_are_none_and_that_is_said(tmp_path):
    path = small_stack(tmp_path, (0.5,), masks=False)
    result = measure_to_file(path, tmp_path / "t.h5ad", ["Area_M01"])
    assert "they were computed" in result.notes[0]
    assert read_table(result.output).X[0, 0] > 0


def test_a_stack_without_objects_gives_a_table_without_rows(tmp_path):
    channels = [Channel(1, "BF", pixel_size_um=0.5)]
    path = write_stack([], tmp_path / "none.h5", channels=channels, dtype=np.dtype(np.int16))
    assert measure(path, ["Area_M01"]).shape == (0, 1)


def test_large_images_are_measured_in_parts(cif, table, monkeypatch):
    monkeypatch.setattr(measure_parts, "PIXELS_AT_ONCE", 50_000)
    with CifReader(cif) as reader:
        assert len(list(measure_parts.in_parts(reader.read_batch(range(100))))) > 3
        sizes = measure_parts.image_sizes(reader)
        pieces = list(measure_parts.rows_at_once(list(range(100)), sizes))
    assert [row for piece in pieces for row in piece] == list(range(100))
    assert len(pieces) > 3
    assert max(sizes[piece].sum() for piece in pieces) <= 50_000 + sizes.max()
    assert np.array_equal(measure(cif, COLUMNS).X, table.X, equal_nan=True)
    monkeypatch.setattr(measure_job, "image_sizes", lambda reader: None)
    assert np.array_equal(measure(cif, COLUMNS).X, table.X, equal_nan=True)


def test_some_objects_are_measured_as_among_all(tmp_path, cif, table):
    some = measure(cif, COLUMNS, objects=[300, 4, 17, 300])
    assert some.obs["object"].tolist() == [4, 17, 300]
    assert np.array_equal(some.X, table.X[[4, 17, 300]], equal_nan=True)
    stack = ifcyto.convert(cif, tmp_path / "part.h5", objects=[17, 4]).outputs[0]
    assert np.array_equal(measure(stack, COLUMNS, objects=[17]).X, table.X[[17]], equal_nan=True)
    with pytest.raises(UsageError, match="99999"):
        measure(cif, COLUMNS, objects=[99999])
