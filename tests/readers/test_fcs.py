"""FCS files of others, files that lie, and damaged ones."""

from __future__ import annotations

import struct
import tracemalloc
import warnings

import numpy as np
import pytest

from ifcyto.errors import FormatError, IfcytoError
from ifcyto.readers.columns import FeatureColumns
from ifcyto.readers.fcs import read_fcs
from ifcyto.writers.fcs import write_fcs

EVENTS = [(3, 1.5, -2.0), (9, 2.5, 8.0)]


def fcs(path, data=None, *, version="3.1", delimiter="|", **changes):
    """A small file put together by hand; `changes` replace keywords, None leaves one out."""
    data = b"".join(struct.pack("<3f", *event) for event in EVENTS) if data is None else data
    begin = 2048
    keys = {
        "$PAR": "3", "$TOT": "2", "$DATATYPE": "F", "$MODE": "L", "$BYTEORD": "1,2,3,4", "$NEXTDATA": "0",
        "$BEGINDATA": str(begin), "$ENDDATA": str(begin + len(data) - 1),
        "$BEGINANALYSIS": "0", "$ENDANALYSIS": "0",
    }  # fmt: skip
    for n, name in enumerate(("Object Number", "Area_M01", "Intensity"), start=1):
        keys |= {f"$P{n}N": name, f"$P{n}B": "32", f"$P{n}E": "0,0", f"$P{n}R": "1024"}
    keys |= {f"${key}": value for key, value in changes.items()}
    if version == "2.0":
        keys = {key: value for key, value in keys.items() if key not in {"$BEGINDATA", "$ENDDATA"}}
    words = [word for key, value in keys.items() if value is not None for word in (key, value)]
    text = delimiter + delimiter.join(words) + delimiter
    offsets = (58, 58 + len(text) - 1, begin, begin + len(data) - 1, 0, 0)
    head = f"FCS{version}    " + "".join(f"{offset:>8}" for offset in offsets)
    path.write_bytes((head + text).ljust(begin).encode() + data)
    return path


@pytest.mark.parametrize("delimiter", ["|", "/", "\\", "*", "\x0c", "!"])
@pytest.mark.parametrize("version", ["2.0", "3.0", "3.1"])
def test_every_version_and_delimiter(tmp_path, version, delimiter):
    table = read_fcs(fcs(tmp_path / "a.fcs", version=version, delimiter=delimiter))
    assert (table.names, table.objects.tolist()) == (("Area_M01", "Intensity"), [3, 9])
    assert table.values.tolist() == [[1.5, -2], [2.5, 8]]
    assert (table.sample, table.notes, table.labels, table.markers) == ("a", (), (), ())


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        (">3f", {"BYTEORD": "4,3,2,1"}),
        ("<3d", {"DATATYPE": "D", "P1B": "64", "P2B": "64", "P3B": "64"}),
        ("<3H", {"DATATYPE": "I", "P1B": "16", "P2B": "16", "P3B": "16", "P1R": "65536", "P2R": "65536"}),
        (">HBI", {"DATATYPE": "I", "BYTEORD": "4,3,2,1", "P1B": "16", "P2B": "8", "P3B": "32", "P2R": "256"}),
    ],
)
def test_every_type_of_number(tmp_path, code, changes):
    data = b"".join(struct.pack(code, 3 + n, 1, 7) for n in range(2))
    table = read_fcs(fcs(tmp_path / "a.fcs", data, **changes))
    assert table.objects.tolist() == [3, 4]
    assert table.values.tolist() == [[1, 7], [1, 7]]


def test_scales_and_gain_are_undone(tmp_path):
    table = read_fcs(fcs(tmp_path / "a.fcs", P2G="0.5", P3E="4,1", P3R="8"))
    assert table.values.tolist() == [[3.0, 10.0 ** (4 * -2 / 8)], [5.0, 10.0**4]]


def test_values_that_are_not_finite_are_nan(tmp_path):
    data = struct.pack("<3f", 1, float("inf"), float("nan")) + struct.pack("<3f", 2, 0, float("-inf"))
    values = read_fcs(fcs(tmp_path / "a.fcs", data)).values
    assert np.array_equal(values, [[np.nan, np.nan], [0, np.nan]], equal_nan=True)


def test_without_object_numbers_events_are_numbered_and_it_is_said(tmp_path):
    table = read_fcs(fcs(tmp_path / "a.fcs", P1N="FSC-A"))
    assert (table.objects.tolist(), table.names[0]) == ([0, 1], "FSC-A")
    assert "numbered from 0" in table.notes[0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"TOT": "3"}, r"expected 36 bytes of data, \$TOT 3 events of 3 parameters, found 24"),
        ({"TOT": "99999999999999"}, r"found 24: the file is damaged or \$TOT is wrong"),
        ({"TOT": "-1"}, r"expected a whole number for \$TOT, found '-1'"),
        ({"TOT": None}, "is no sound FCS file: KeyError"),
        ({"PAR": "2"}, r"expected names of 2 parameters \(\$PAR\), found 3"),
        ({"PAR": "4"}, r"expected names of 4 parameters \(\$PAR\), found 3"),
        ({"PAR": "99999999"}, r"expected \$PAR from 1 to 10000"),
        ({"PAR": "0"}, r"expected \$PAR from 1"),
        ({"P2B": "16"}, r"expected 32 bits a value \(\$PnB\), found 16"),
        ({"BEGINDATA": "9"}, "discrepancy in the DATA start"),
        ({"ENDDATA": "99999999999"}, "discrepancy in the DATA end|greater than file size"),
        ({"BEGINANALYSIS": "5", "ENDANALYSIS": "9000000000"}, "no sound FCS file: EOFError"),
        ({"NEXTDATA": "4096"}, "MultipleDataSetsError"),
        ({"MODE": "C"}, r"numbers in list mode, found \$MODE 'C'"),
        ({"DATATYPE": "A"}, r"found .* \$DATATYPE 'A'"),
        ({"P2N": "Intensity"}, "expected every column once, found 'Intensity' 2 times"),
        ({"P3E": "x"}, "no sound FCS file: ValueError"),
    ],
)
def test_lies_are_refused_in_little_memory(tmp_path, changes, message):
    path = fcs(tmp_path / "a.fcs", **changes)
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match=message):
            read_fcs(path)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (b"", "expected an FCS file, found b''"),
        (b"FCS4.0", "expected an FCS file"),
        (b"FCS3.1    ", "a header of 58 bytes, found 10"),
        (b"FCS3.1    " + b"      58 9999999    2048    2071       0       0", "TEXT segment inside its"),
        (
            b"FCS3.1    " + b"     -58      99    2048    2071       0       0",
            "whole number for offset of text",
        ),
        (b"FCS3.1    " + b"      58     400    2048    2071       1 9000000", "ANALYSIS segment inside"),
    ],
)
def test_headers_that_lie_are_refused(tmp_path, head, message):
    path = fcs(tmp_path / "a.fcs")
    rest = path.read_bytes()[58:] if len(head) == 58 else b""
    path.write_bytes(head + rest)
    with pytest.raises(FormatError, match=message):
        read_fcs(path)


def test_files_cut_short_and_missing_ones(tmp_path):
    path = fcs(tmp_path / "a.fcs")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FormatError, match=r"cut short|greater than file size"):
        read_fcs(path)
    with pytest.raises(FormatError, match="cannot be read"):
        read_fcs(tmp_path / "none.fcs")


def test_object_numbers_and_classes_that_cannot_be(tmp_path):
    data = struct.pack("<3f", 1, 0, 0) + struct.pack("<3f", 1, 0, 0)
    with pytest.raises(FormatError, match="object 1: expected every object number once"):
        read_fcs(fcs(tmp_path / "a.fcs", data))
    data = struct.pack("<3f", 1.5, 0, 0) * 2
    with pytest.raises(FormatError, match=r"expected an object number, found 1.5"):
        read_fcs(fcs(tmp_path / "a.fcs", data))
    path = fcs(tmp_path / "a.fcs", P2N="Class", **{"X": "y"})
    data = path.read_bytes().replace(b"$X|y|", b'IFCYTO_CLASSES|["BNE"]|')
    shift = len(data) - path.stat().st_size
    path.write_bytes(data[:58] + data[58:].replace(b" " * shift, b"", 1))
    head = bytearray(path.read_bytes())
    head[18:26] = b"%8d" % (int(head[18:26]) + shift)
    path.write_bytes(head)
    with pytest.raises(FormatError, match=r"expected the number of a class from 0 to 1, found 1.5"):
        read_fcs(path)


def test_mutants_are_read_or_refused_in_one_line(tmp_path, rng):
    table = FeatureColumns(
        tmp_path, np.arange(40), ("A", "B, c"), rng.normal(size=(40, 2)), labels=("x", "y") * 20
    )
    path = write_fcs(table, tmp_path / "a.fcs").path
    real = path.read_bytes()
    refused = sum(not survives(path, mutant(real, rng)) for _ in range(300))
    assert 0 < refused < 300


def survives(path, data):
    """Say whether a file was read; whatever is neither read nor refused in one line fails the test."""
    path.write_bytes(data)
    refusal = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            table = read_fcs(path)
    except IfcytoError as error:
        refusal = str(error)
    else:
        assert len(np.unique(table.objects)) == len(table.values)
    assert refusal.isprintable()
    return not refusal


def mutant(real, rng):
    data = bytearray(real)
    # Half of the damage falls on the header and the first keywords.
    at = int(rng.integers(len(data)) if rng.random() < 0.5 else rng.integers(600))
    kind = rng.integers(4)
    if kind == 0:
        data[at] = int(rng.integers(256))
    elif kind == 1:
        del data[at : at + int(rng.integers(1, 64))]
    elif kind == 2:
        data[at:at] = rng.bytes(int(rng.integers(1, 64)))
    else:
        data[at : at + 4] = b"9999"
    return bytes(data)
