"""The feature table on disk, read back by anndata itself."""

from __future__ import annotations

import json

import anndata
import h5py
import numpy as np
import pytest

from ifcyto.errors import FormatError, OutputError
from ifcyto.features.combine import CombinedFeature
from ifcyto.features.define import define
from ifcyto.features.table import describe_columns, object_rows, open_table_writer, read_table, table_header

COLUMNS = [define("Area", "M01"), define("Diameter", "M02"), CombinedFeature("Half", "Area_M01|/|2")]
HEADER = table_header(masks={"MC": "M01|Or|M02"}, pixel_size_um=0.5, channels=["BF"], provenance={"seed": 1})


def write(path, numbers, values, batch=2, **more):
    obs = object_rows(np.array(numbers, np.int64), sample="A")
    with open_table_writer(
        path, obs=obs, var=describe_columns(COLUMNS), header=lambda: HEADER, **more
    ) as append:
        for first in range(0, len(values), batch):
            append(first, values[first : first + batch])
    return path


def test_values_written_in_batches_come_back(tmp_path, rng):
    values = rng.normal(size=(5, 3))
    values[2, 1] = np.nan
    path = write(tmp_path / "a.h5ad", [7, 3, 9, 1, 2], values)
    for table in (read_table(path), anndata.read_h5ad(path)):
        assert np.array_equal(table.X, values, equal_nan=True)
        assert table.obs["object"].tolist() == [7, 3, 9, 1, 2]
        assert table.obs_names.tolist() == ["7", "3", "9", "1", "2"]
        assert table.var_names.tolist() == ["Area_M01", "Diameter_M02", "Half"]
        assert table.var.loc["Half", "definition"] == "Area_M01|/|2"
        assert json.loads(table.uns["ifcyto"]["masks"]) == {"MC": "M01|Or|M02"}


def test_a_table_without_objects_is_a_table(tmp_path):
    assert read_table(write(tmp_path / "a.h5ad", [], np.zeros((0, 3)))).shape == (0, 3)


def test_nothing_is_left_of_a_table_that_failed(tmp_path):
    with pytest.raises(RuntimeError, match="stop"), open_table_writer(
        tmp_path / "a.h5ad", obs=object_rows(np.arange(2), sample="A"), var=describe_columns(COLUMNS),
        header=lambda: HEADER,
    ):  # fmt: skip
        msg = "stop"
        raise RuntimeError(msg)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_table_is_kept(tmp_path):
    path = write(tmp_path / "a.h5ad", [1], np.zeros((1, 3)))
    with pytest.raises(OutputError, match="exists already"):
        write(path, [2], np.zeros((1, 3)))
    assert read_table(path).obs["object"].tolist() == [1]
    assert read_table(write(path, [2], np.zeros((1, 3)), overwrite=True)).obs["object"].tolist() == [2]


def test_other_files_are_refused(tmp_path):
    text, other = tmp_path / "a.h5ad", tmp_path / "b.h5ad"
    text.write_text("no table")
    anndata.AnnData(np.zeros((2, 2))).write_h5ad(other)
    with pytest.raises(FormatError, match="cannot be read"):
        read_table(text)
    with pytest.raises(FormatError, match="cannot be read"):
        read_table(tmp_path / "missing.h5ad")
    with pytest.raises(FormatError, match=r"found another \.h5ad file"):
        read_table(other)


def test_newer_and_damaged_tables_are_refused(tmp_path):
    path = write(tmp_path / "a.h5ad", [1, 2], np.zeros((2, 3)))
    with h5py.File(path, "a") as file:
        del file["uns/ifcyto/version"]
        file["uns/ifcyto/version"] = "99"
        file["uns/ifcyto/version"].attrs.update({"encoding-type": "string", "encoding-version": "0.2.0"})
    with pytest.raises(FormatError, match="version 1 or older, found 99"):
        read_table(path)
    whole = write(tmp_path / "b.h5ad", [1, 2], np.zeros((2, 3))).read_bytes()
    cut = tmp_path / "c.h5ad"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FormatError, match="cannot be read"):
        read_table(cut)
