from __future__ import annotations

import warnings

import numpy as np
import pytest

from ifcyto.errors import FormatError, IfcytoError, OutputError, UsageError
from ifcyto.readers.columns import FeatureColumns
from ifcyto.readers.feature_text import read_feature_text
from ifcyto.writers.feature_text import write_feature_text

PLAIN = "Object Number\tArea_M01\tIntensity_MC_DNA\r\n7\t80.5\t-3\r\n2\tNaN\t1e3\r\n"


def read(tmp_path, text):
    path = tmp_path / "a.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_feature_text(path)


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.replace("\r\n", "\n").rstrip(),
        PLAIN.replace("\r\n", "\t\r\n"),
        PLAIN.replace("\t", ","),
        PLAIN.replace("\t", ";").replace(".", ","),
        PLAIN.replace(".", ","),
        PLAIN.replace("NaN", ""),
        PLAIN.replace("NaN", "n. def."),
        PLAIN.replace("NaN", "-1.#IND"),
        PLAIN.replace("NaN", "Infinity"),
        PLAIN.encode("utf-16"),
        PLAIN.encode("utf-8-sig"),
        "some run\n\n" + PLAIN,
        PLAIN.replace("Object Number", "object").replace("\t", ",").replace("Area_M01", '"Area_M01"'),
    ],
)
def test_every_form_gives_the_same_table(tmp_path, text):
    table = read(tmp_path, text)
    assert table.names == ("Area_M01", "Intensity_MC_DNA")
    assert table.objects.tolist() == [7, 2]
    assert np.array_equal(table.values, [[80.5, -3], [np.nan, 1e3]], equal_nan=True)
    assert (table.sample, table.labels, table.pixel_size_um) == ("a", (), None)


def test_labels_and_quoted_names(tmp_path):
    text = 'object,label,"Area_Dilate(M01, 2)"\n3,"BNE, sure",1.5\n\n4,,2\n'
    table = read(tmp_path, text)
    assert table.names == ("Area_Dilate(M01, 2)",)
    assert table.labels == ("BNE, sure", "")
    assert table.column("Area_Dilate(M01, 2)").tolist() == [1.5, 2.0]
    with pytest.raises(UsageError, match="no feature 'Area_M01' among 1"):
        table.column("Area_M01")


def test_a_header_alone_is_an_empty_table(tmp_path):
    table = read(tmp_path, "Object Number\tArea_M01\r\n")
    assert (len(table), table.values.shape) == (0, (0, 1))
    assert read(tmp_path, "Object Number\n3\n4\n").objects.tolist() == [3, 4]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a line with the column Object Number"),
        ("a\tb\n1\t2\n", "a line with the column Object Number"),
        ("Object Number\tA\tA\n1\t2\t3\n", "found 'A' 2 times"),
        ("Object Number\t\tA\n1\t2\t3\n", "found none for 2"),
        ("Object Number\tA\n1\t2\n1\t3\n", "object 1: expected every object number once"),
        ("Object Number\tA\n1.5\t2\n", "expected an object number, found 1.5 in row 1"),
        ("Object Number\tA\n-1\t2\n", "found -1 in row 1"),
        ("Object Number\tA\n1\t2\n3\n", "number of columns changed"),
        ("Object Number\tA\n1\tbig\n", "could not convert string 'big'"),
        ("Object Number\tA\n1\t2\t3\n", "expected 2 values a line, found 3"),
        ("Object Number\tA\n1\t2,5\n2\t3.5\n", "found both"),
        ("Object Number\tA\n1\t\x00\n", "binary file"),
        ("object,label,A\n1,x\n", "expected 3 values, found 2 in row 1"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, message):
    with pytest.raises(FormatError, match=message):
        read(tmp_path, text)


def test_missing_file(tmp_path):
    with pytest.raises(FormatError, match=r"none\.txt: cannot be read"):
        read_feature_text(tmp_path / "none.txt")


def test_values_come_back_bit_by_bit(tmp_path, rng):
    values = rng.normal(size=(50, 3)) * 10.0 ** rng.integers(-300, 300, (50, 3))
    values[3, 1] = np.nan
    names = ("Area_M01", '\u00b5m, "x"; y', "Intensity_MC_DNA")
    table = FeatureColumns(tmp_path / "t", rng.permutation(50), names, values)
    path = write_feature_text(table, tmp_path / "new" / "b.txt")
    back = read_feature_text(path)
    assert back.names == table.names
    assert np.array_equal(back.objects, table.objects)
    assert np.array_equal(back.values, values, equal_nan=True)
    with pytest.raises(OutputError, match="exists already"):
        write_feature_text(table, path)
    bad = FeatureColumns(tmp_path / "t", np.array([1]), ("a\tb",), np.ones((1, 1)))
    with pytest.raises(UsageError, match="without tabs"):
        write_feature_text(bad, tmp_path / "c.txt")


def test_shapes_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(UsageError, match="2 objects and 1 features"):
        FeatureColumns(tmp_path / "t", np.arange(2), ("A",), np.ones((1, 1)))


def test_mutants_are_read_or_refused_in_one_line(tmp_path, rng):
    path = tmp_path / "a.txt"
    real = PLAIN.encode() + b"".join(b"%d\t%d.25\t1e-3\r\n" % (n, n) for n in range(20, 40))
    refused = 0
    for _ in range(300):
        data = bytearray(real)
        at, kind = int(rng.integers(len(data))), int(rng.integers(4))
        if kind == 0:
            data[at] = int(rng.integers(256))
        elif kind == 1:
            del data[at:]
        elif kind == 2:
            del data[at : at + int(rng.integers(1, 30))]
        else:
            data[at:at] = rng.bytes(int(rng.integers(1, 9)))
        path.write_bytes(data)
        refused += not survives(path)
    assert 0 < refused < 300


def survives(path):
    """Say whether a file was read; whatever is neither read nor refused in one line fails the test."""
    refusal = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            table = read_feature_text(path)
    except IfcytoError as error:
        refusal = str(error)
    else:
        assert len(np.unique(table.objects)) == len(table.values)
    assert refusal.isprintable()
    return not refusal
