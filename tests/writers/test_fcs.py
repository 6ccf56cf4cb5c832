"""FCS files that we write, judged by a plain reading of the standard, by flowkit, and by our reader."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

from ifcyto.errors import OutputError, UsageError
from ifcyto.readers.columns import FeatureColumns
from ifcyto.readers.fcs import read_fcs
from ifcyto.writers.fcs import Spillover, write_fcs

NAMES = (
    "Area_M01",
    "Area_Dilate(M01, 2)",
    "area_m01",
    "Intensity_G2/M_$P1",
    "\u00b5|\\x",
    "Class",
    "Object Number",
)


def table_of(rng, n=20, names=NAMES, **more):
    values = rng.normal(size=(n, len(names))) * 1000
    return FeatureColumns(more.pop("path", "t"), rng.permutation(n), tuple(names), values, **more)


def by_the_standard(path):
    """Keywords and values, straight from the words of FCS 3.1."""
    data = path.read_bytes()
    assert data[:10] == b"FCS3.1    "
    begin, end = int(data[10:18]), int(data[18:26])
    text = data[begin : end + 1].decode()
    assert text[0] == text[-1] == "/"
    words = text[1:-1].replace("//", "\x00").split("/")
    keys = {key.upper(): word.replace("\x00", "/") for key, word in zip(words[::2], words[1::2], strict=True)}
    assert all(keys.values())
    start, stop = int(keys["$BEGINDATA"]), int(keys["$ENDDATA"])
    assert (int(data[26:34]), int(data[34:42])) == (start, stop)
    assert len(data) == stop + 1
    values = np.frombuffer(data[start : stop + 1], "<f4").reshape(int(keys["$TOT"]), int(keys["$PAR"]))
    return keys, values


def test_what_the_standard_wants_is_there(tmp_path, rng):
    table = table_of(rng, sample="MDS01", pixel_size_um=0.5, markers=("", "", "", "DNA/7", "", "", ""))
    result = write_fcs(table, tmp_path / "a.fcs")
    assert (result.n_objects, result.n_parameters, result.notes) == (20, 8, ())
    keys, values = by_the_standard(result.path)
    names = [keys[f"$P{n}N"] for n in range(1, 9)]
    assert names[:3] == ["Object Number", "Area_M01", "Area_Dilate(M01; 2)"]
    assert len({name.casefold() for name in names}) == 8
    assert not any(set(name) & set(",/$|\\") for name in names)
    assert (keys["$P5S"], keys["$SMNO"], keys["$FIL"]) == ("DNA_7", "MDS01", "a.fcs")
    assert not any(f"$P{n}S" in keys for n in (2, 3, 4, 6, 7, 8))
    assert [keys[f"$P{n}B"] for n in range(1, 9)] == ["32"] * 8
    assert [keys[f"$P{n}E"] for n in range(1, 9)] == ["0,0"] * 8
    assert all(int(keys[f"$P{n}R"]) > values[:, n - 1].max() for n in range(1, 9))
    assert (keys["$DATATYPE"], keys["$MODE"], keys["$BYTEORD"]) == ("F", "L", "1,2,3,4")
    assert json.loads(keys["IFCYTO_COLUMNS"]) == list(NAMES)
    assert values[:, 0].tolist() == table.objects.tolist()
    assert np.array_equal(values[:, 1:], table.values.astype(np.float32))


def test_the_table_comes_back(tmp_path, rng):
    labels = (*("BNE" if n % 3 else "" for n in range(19)), "Doublet / $x")
    table = table_of(
        rng,
        labels=labels,
        probabilities=rng.random(20),
        sample="MDS01",
        pixel_size_um=0.3,
        markers=("a",) * 7,
    )
    back = read_fcs(write_fcs(table, tmp_path / "a.fcs").path)
    assert (back.names, back.labels, back.notes) == (table.names, table.labels, ())
    assert (back.sample, back.pixel_size_um, back.markers) == ("MDS01", 0.3, ("a",) * 7)
    assert np.array_equal(back.objects, table.objects)
    assert np.array_equal(back.values, table.values.astype(np.float32))
    assert np.array_equal(back.probabilities, table.probabilities.astype(np.float32))
    again = write_fcs(table, tmp_path / "b.fcs").path
    assert again.read_bytes().replace(b"b.fcs", b"a.fcs") == (tmp_path / "a.fcs").read_bytes()


def test_empty_tables_and_tables_without_features(tmp_path, rng):
    for n, names in ((0, NAMES), (3, ())):
        back = read_fcs(write_fcs(table_of(rng, n, names), tmp_path / f"{n}.fcs").path)
        assert back.values.shape == (n, len(names))


def test_large_object_numbers_stay_exact(tmp_path, rng):
    numbers = np.array([0, 2**24, 2**24 + 1, 2**40 + 3])
    table = FeatureColumns(
        tmp_path, numbers, ("A",), np.array([[2.0**24 + 1], [2.0**24 + 2], [1e39], [np.inf]])
    )
    result = write_fcs(table, tmp_path / "a.fcs")
    assert read_fcs(result.path).objects.tolist() == numbers.tolist()
    told = " ".join(result.notes)
    assert "two parameters, Object Number High x 16,777,216 + Object Number Low" in told
    assert "1 whole numbers above 16,777,216 were rounded" in told
    assert "1 values are too large" in told
    assert "1 values that are not known were written as NaN" in told
    exact = FeatureColumns(tmp_path, np.array([2**24]), (), np.ones((1, 0)))
    assert write_fcs(exact, tmp_path / "b.fcs").notes == ()
    assert read_fcs(tmp_path / "b.fcs").objects.tolist() == [2**24]


def test_what_is_not_known_is_nan_or_what_the_user_says(tmp_path, rng):
    table = table_of(rng)
    table.values[3, 1] = np.nan
    assert np.isnan(by_the_standard(write_fcs(table, tmp_path / "a.fcs").path)[1][3, 2])
    result = write_fcs(table, tmp_path / "b.fcs", missing=0)
    assert by_the_standard(result.path)[1][3, 2] == 0
    assert result.notes == ("1 values that are not known were written as 0",)


def test_spillover_names_the_parameters(tmp_path, rng):
    spillover = Spillover((NAMES[1], NAMES[0]), np.array([[1, 0.25], [1e-17, 1]]))
    path = write_fcs(table_of(rng), tmp_path / "a.fcs", spillover=spillover).path
    assert by_the_standard(path)[0]["$SPILLOVER"] == "2,Area_Dilate(M01; 2),Area_M01,1.0,0.25,1e-17,1.0"
    assert "it is not applied" in read_fcs(path).notes[0]
    with pytest.raises(UsageError, match="1 features of the spillover matrix are not in the table: B"):
        write_fcs(table_of(rng), tmp_path / "b.fcs", spillover=Spillover(("B",), np.eye(1)))
    for names, matrix in ((("A",), np.eye(2)), (("A", "A"), np.eye(2)), (("A",), np.full((1, 1), np.nan))):
        with pytest.raises(UsageError, match="expected a spillover matrix"):
            Spillover(names, matrix)


def test_existing_files_and_too_many_parameters_are_refused(tmp_path, rng):
    (tmp_path / "a.fcs").write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        write_fcs(table_of(rng), tmp_path / "a.fcs")
    assert (tmp_path / "a.fcs").read_text() == "mine"
    many = table_of(rng, 1, [f"F{n}" for n in range(10_000)])
    with pytest.raises(UsageError, match=r"at most 10000 parameters, found 10001"):
        write_fcs(many, tmp_path / "b.fcs")


def test_flowkit_reads_the_same(tmp_path, rng):
    flowkit = pytest.importorskip("flowkit")
    table = table_of(rng, labels=("BNE", "Doublet") * 10, probabilities=rng.random(20))
    path = write_fcs(
        table, tmp_path / "a.fcs", spillover=Spillover(NAMES[:2], np.array([[1, 0.1], [0, 1]]))
    ).path
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sample = flowkit.Sample(path)
    events = sample.get_events("raw")
    assert sample.event_count == 20
    assert sample.pnn_labels[:4] == ["Object Number", "Class", "Probability", "Area_M01"]
    assert sample.pns_labels[1] == "1 BNE; 2 Doublet"
    assert np.array_equal(events[:, 0], table.objects)
    assert np.array_equal(events[:, 1], [1, 2] * 10)
    assert np.array_equal(events[:, 3:], table.values.astype(np.float32))
    assert sample.metadata["spillover"].startswith("2,Area_M01,Area_Dilate(M01; 2),1.0,0.1,")


def test_readfcs_reads_the_same(tmp_path, rng):
    readfcs = pytest.importorskip("readfcs")
    table = table_of(rng)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of anndata, at names that readfcs gives it
        found = readfcs.read(write_fcs(table, tmp_path / "a.fcs").path)
    assert np.array_equal(np.asarray(found.X)[:, 1:], table.values.astype(np.float32))
