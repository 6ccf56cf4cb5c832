"""Copies of real and of small DAFs: what is added, and that nothing else changes."""

from __future__ import annotations

import struct
import warnings

import numpy as np
import pytest

from ifcyto.errors import FormatError, IfcytoError, OutputError, UsageError
from ifcyto.gates.daf import read_daf_gating
from ifcyto.readers.daf_document import read_daf
from ifcyto.writers.daf import AddedFeature, write_daf_copy

NAME = 'Size & "shape" <\u00b5>'
SETS = {"BNE & x": [417, 3, 3], "nobody": []}
REAL = ["ut7_ideas60.daf", "ut7_ideas62.daf"]


def values(n=420):
    found = np.arange(n) / 7
    found[5] = np.nan
    found[6] = np.inf
    return found


def real_copy(shared_data, tmp_path, name):
    original = shared_data / "amnis" / name
    added = [
        AddedFeature(NAME, values()),
        AddedFeature("Area_M09", values() + 1e-300, "Area|M09", "Mask Only"),
    ]
    return original, write_daf_copy(original, tmp_path / name, features=added, tagged=SETS).path


@pytest.mark.parametrize("name", REAL)
def test_the_copy_says_what_the_original_says_and_what_was_added(shared_data, tmp_path, name):
    original, path = real_copy(shared_data, tmp_path, name)
    before, after = read_daf(original), read_daf(path)
    assert after.feature_names == (*before.feature_names, NAME, "Area_M09")
    assert np.array_equal(after.feature_values[:, :196], before.feature_values, equal_nan=True)
    expected = np.where(np.isfinite(values()), values(), np.nan)
    assert np.array_equal(after.feature(NAME), expected, equal_nan=True)
    last = after.features[-1]
    assert (last.definition, last.user_type, last.type) == ("Area|M09", "Mask Only", "single")
    assert after.features[:196] == before.features
    assert after.populations[:30] == before.populations
    assert [(p.name, p.type, p.base, p.tagged) for p in after.populations[30:]] == [
        ("BNE & x", "T", "All", (3, 417)), ("nobody", "T", "All", ())
    ]  # fmt: skip
    assert (after.checksum, after.source_file, after.binary) == (7591110, "example.cif", "62" in name)
    gated = read_daf_gating(path).populations()
    assert gated.object_numbers("BNE & x").tolist() == [3, 417]
    counts = {row.population: row.count for row in gated.counts()}
    assert (counts["Mphase"], counts["nobody"]) == (210, 0)


@pytest.mark.parametrize("name", REAL)
def test_every_byte_of_the_original_is_still_there(shared_data, tmp_path, name):
    """Take the new lines and values out of the copy; what is left is the original."""
    original, path = real_copy(shared_data, tmp_path, name)
    data, copy = original.read_bytes(), path.read_bytes()
    end, copied = data.index(b"</Assay>"), copy.index(b"</Assay>")
    new = (
        b'<UDF name="Size &amp;',
        b'<UDF name="Area_M09"',
        b'fid="196"',
        b'fid="197"',
        b'"BNE &amp;',
        b'"nobody"',
    )
    lines = copy[:copied].splitlines(keepends=True)
    kept = [line for line in lines if not any(mark in line for mark in new)]
    assert len(lines) - len(kept) == (6 if "60" in name else 4)
    assert b"".join(kept) == data[:end]
    tail, grown = data[end:], copy[copied:]
    if "62" in name:
        place = 8 + 3 + 12 + 196 * (4 + 8 * 420)
        assert grown[:15] == tail[:15]
        assert struct.unpack("<I", grown[15:19]) == (198,)
        tail, grown = tail[:15] + tail[19:], grown[:15] + grown[19:]
        added = grown[place - 4 : place - 4 + 2 * (4 + 8 * 420)]
        assert struct.unpack("<I", added[:4]) == (196,)
        assert np.array_equal(np.frombuffer(added[4 : 4 + 80], "<f8")[:5], values()[:5])
        grown = grown.replace(added, b"", 1)
    assert grown == tail


def test_objects_meet_by_number(shared_data, tmp_path):
    original = shared_data / "amnis" / "ut7_ideas62.daf"
    added = [AddedFeature("half", np.array([7.0, 3.0]))]
    path = write_daf_copy(original, tmp_path / "a.daf", objects=np.array([9, 2]), features=added).path
    found = read_daf(path).feature("half")
    assert (found[9], found[2], np.isnan(found).sum()) == (7, 3, 418)


def small(path, xml):
    path.write_bytes(xml.encode("cp1252"))
    return path


XML = (
    '<Assay IDEAS_version="6.0">\n<SOD file="a.cif" objcount="2"><DefinedFeatures>'
    '<UDF name="A" type="single" def="Area|M01"/></DefinedFeatures>'
    '<FeatureValues><UDFValues fid="0" fv="1|2"/></FeatureValues>'
    '<SO id="4"/><SO id="8"/><Pops /></SOD></Assay>'
)


@pytest.mark.parametrize(
    "note", ["", "<Note>\u00e9t\u00e9 &amp; Pops</Note>", "<!-- <Pops> </Pops> </Assay> -->"]
)
def test_small_files_in_other_encodings_and_without_line_ends(tmp_path, note):
    original = small(tmp_path / "a.daf", XML.replace('<SO id="4"', note + '<SO id="4"'))
    path = write_daf_copy(
        original,
        tmp_path / "b.daf",
        features=[AddedFeature("\u00b5", np.array([0.5, -0.0]))],
        tagged={"\u00e9": [8]},
    ).path
    after = read_daf(path)
    assert after.feature("\u00b5").tolist() == [0.5, 0.0]
    assert (after.populations[0].name, after.populations[0].tagged) == ("\u00e9", (8,))
    assert note.encode("cp1252") in path.read_bytes()


@pytest.mark.parametrize(
    ("features", "tagged", "message"),
    [
        ([], {}, "features or populations to add, found neither"),
        (["Area_M01"], {}, "a feature 'Area_M01' is there already"),
        (["new", "new"], {}, "a feature 'new' is there already"),
        (["a|b"], {}, r"whose name has no \| or control letter, found 'a|b'"),
        (["a\x01"], {}, "control letter"),
        ([" "], {}, "found ' '"),
        ([], {"Cells": [1]}, "a population 'Cells' is there already"),
        ([], {"new": [3, 420]}, r"population 'new': 1 of 2 objects are not in the DAF: 420"),
    ],
)
def test_what_cannot_be_added_is_refused(shared_data, tmp_path, features, tagged, message):
    added = [AddedFeature(name, values()) for name in features]
    original = shared_data / "amnis" / "ut7_ideas62.daf"
    with pytest.raises(UsageError, match=message):
        write_daf_copy(original, tmp_path / "a.daf", features=added, tagged=tagged)
    assert list(tmp_path.iterdir()) == []


def test_the_original_and_existing_files_are_kept(shared_data, tmp_path):
    original = tmp_path / "a.daf"
    real = (shared_data / "amnis" / "ut7_ideas62.daf").read_bytes()
    original.write_bytes(real)
    (tmp_path / "link.daf").symlink_to(original)
    for path in (original, tmp_path / "." / "a.daf", tmp_path / "link.daf"):
        with pytest.raises(UsageError, match="the original, which is never changed"):
            write_daf_copy(original, path, tagged={"new": [1]}, overwrite=True)
    (tmp_path / "b.daf").write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        write_daf_copy(original, tmp_path / "b.daf", tagged={"new": [1]})
    assert original.read_bytes() == real
    assert (tmp_path / "b.daf").read_text() == "mine"


def test_values_of_wrong_objects_and_files_without_a_place(tmp_path):
    original = small(tmp_path / "a.daf", XML)
    for numbers, given in (([4, 9], [1.0, 2.0]), ([4, 4], [1.0, 2.0]), ([4], [1.0, 2.0])):
        with pytest.raises(
            UsageError, match=r"1 objects are not in the DAF: 9|objects repeat|expected 1 values"
        ):
            write_daf_copy(
                original,
                tmp_path / "b.daf",
                objects=np.array(numbers),
                features=[AddedFeature("x", np.array(given))],
            )
    small(original, XML.replace("<Pops />", ""))
    with pytest.raises(FormatError, match="expected a place for populations"):
        write_daf_copy(original, tmp_path / "b.daf", tagged={"x": [4]})
    with pytest.raises(FormatError, match="cannot be read"):
        write_daf_copy(tmp_path / "none.daf", tmp_path / "b.daf", tagged={"x": [4]})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.daf"]


def test_mutants_are_copied_whole_or_refused_in_one_line(shared_data, tmp_path, rng):
    real = (shared_data / "amnis" / "ut7_ideas62.daf").read_bytes()
    end = real.index(b"</Assay>")
    original = tmp_path / "a.daf"
    refused = 0
    for _ in range(60):
        data = bytearray(real)
        at = int(rng.integers(end + 40))
        if rng.random() < 0.5:
            data[at] = int(rng.integers(256))
        else:
            del data[at : at + int(rng.integers(1, 64))]
        original.write_bytes(data)
        refused += not survives(original, tmp_path / "b.daf")
        assert original.read_bytes() == data
    assert 0 < refused < 60


def survives(original, path):
    """Say whether a file was copied; whatever is neither copied nor refused in one line fails the test."""
    refusal = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            write_daf_copy(
                original, path, features=[AddedFeature("x", values())], tagged={"y": [1]}, overwrite=True
            )
    except IfcytoError as error:
        refusal = str(error)
    else:
        assert read_daf(path).populations[-1].tagged == (1,)
    assert refusal.isprintable()
    return not refusal
