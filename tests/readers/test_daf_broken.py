"""Damaged and hostile DAFs: one line that says where, bounded memory, no hang."""

from __future__ import annotations

import contextlib
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from ifcyto.errors import FormatError
from ifcyto.readers.daf_document import parse_daf, read_daf

PATH = Path("a.daf")
MARK = b"\n\x00\x1e"
MB = 1 << 20


def xml(*, values=("1|2|3", "4|5|6"), ids=(0, 1, 2), count=3, head="", extra="", binary=False) -> bytes:
    """Write a small DAF with two features and three objects of two channels."""
    fv = "".join(f'<UDFValues fid="{i}" fv="{v}"/>' for i, v in enumerate(values))
    so = "".join(f'<SO id="{i}" imgIFD="{100 * i + 50}" w="20" l="8" bgmean="1|2"/>' for i in ids)
    flag = ' binaryfeatures="True"' if binary else ""
    return (
        f'{head}<Assay IDEAS_version="6.0"{flag}>'
        f'<SOD file="a.cif" objcount="{count}"><DefinedFeatures>'
        f'<UDF name="A" def="A"/><UDF name="B" def="B|M01"/></DefinedFeatures>'
        f"<FeatureValues>{fv}</FeatureValues>{so}{extra}</SOD></Assay>"
    ).encode()


def block(
    *, version=1, n_features=2, n_objects=3, n_records=3, ids=(0, 1, 2), channels=2, fids=(0, 1)
) -> bytes:
    """Write a binary block; the counts may lie."""
    parts = [struct.pack("<3I", version, n_features, n_objects)]
    parts += [struct.pack("<I3d", fid, 3 * fid + 1, 3 * fid + 2, 3 * fid + 3) for fid in fids]
    parts.append(struct.pack("<I", n_records))
    for i in ids:
        parts.append(struct.pack("<I3Q3d2I2d", i, 100 * i + 50, 100 * i + 60, 8, 20, 8, 64, 5, 6, 1, 2))
        for start in (10, 20, 30, 40):
            parts.append(struct.pack(f"<I{channels}d", channels, *range(start, start + channels)))
    return MARK + b"".join(parts)


def binary_daf(**kwargs) -> bytes:
    return xml(values=(), ids=(), binary=True) + block(**kwargs)


@pytest.mark.parametrize("data", [xml(), binary_daf()], ids=["xml", "binary"])
def test_the_small_files_are_sound(data):
    document = parse_daf(data, PATH)
    np.testing.assert_array_equal(document.feature_values, [[1, 4], [2, 5], [3, 6]])
    assert document.feature_names == ("A", "B")
    assert document.objects.image_offsets.tolist() == [50, 150, 250]
    assert (document.notes, document.faults) == ((), ())


def test_the_arrays_of_a_record_have_their_order():
    objects = parse_daf(binary_daf(), PATH).objects
    assert objects.background_sd[0].tolist() == [10, 11]
    assert objects.background_mean[0].tolist() == [20, 21]
    assert objects.saturation_count[0].tolist() == [30, 31]
    assert objects.saturation_percent[0].tolist() == [40, 41]


FAULTS = {
    "no root": (b"<?xml version='1.0'?>", "fault: no element found"),
    "empty": (b"", "fault: no element found"),
    "not xml": (b"\x89PNG\r\n\x1a\n", r"offset 0: expected well-formed XML"),
    "cut in the xml": (xml()[:-30], r"offset \d+: expected well-formed XML"),
    "another root": (b"<svg/>", "expected the root element Assay, found 'svg'"),
    "no SOD": (b"<Assay></Assay>", "expected an element SOD"),
    "two SOD": (b"<Assay><SOD/><SOD/></Assay>", "offset 13: expected one SOD element"),
    "a bad value": (xml(values=("1|x\n|3",)), r"UDFValues fid=0 fv: expected numbers joined by \|, found"),
    "too few values": (
        xml(values=("1|2",)),
        "values of feature 0: expected 3 values of 'A', one an object, found 2",
    ),
    "too many values": (xml(values=("1|2|3", "1|2|3|4")), "feature 1: expected 3 values of 'B'.* found 4"),
    "no such feature": (xml(values=("1|2|3",) * 3), "expected a feature index below 2, found 2"),
    "a feature twice": (
        xml(extra='<FeatureValues><UDFValues fid="0" fv="1|2|3"/></FeatureValues>'),
        "expected one set of values of 'A', found a second",
    ),
    "an object twice": (xml(ids=(0, 1, 1)), "object 1: expected every object number once"),
    "an object too few": (xml(ids=(0, 1), values=()), "SOD objcount: expected 3 objects, found records of 2"),
    "no objects": (xml(ids=(), count=0), "SO: expected records of 3 objects"),
    "an absurd count": (xml(count=4_000_000_000), "expected 4000000000 objects, found records of 3"),
    "a bad count": (xml(count="many"), "SOD objcount: expected a whole number, found 'many'"),
    "a huge count": (xml(count="9" * 5000), "SOD objcount: expected a whole number, found '999"),
    "a bad object": (
        xml(extra='<SO id="7" w="wide"/>'),
        "object 7, offset .*SO w: expected a whole number, found 'wide'",
    ),
    "a negative id": (xml(extra='<SO id="-7"/>'), "SO id: expected a whole number, found '-7'"),
    "no id": (xml(extra="<SO/>"), "SO id: expected an object number, found none"),
    "a channel too few": (xml(extra='<SO id="7" bgmean="1"/>'), "object 7, .*SO bgmean: expected 2 values"),
    "a bad region": (
        xml(extra='<Regions><Region label="r" cx="?"/></Regions>'),
        "Region cx: expected a number",
    ),
    "junk behind": (xml() + b" junk", "expected the end of the file or a binary block, found bytes 20 6a"),
    "binary missing": (xml(binary=True), "expected the binary block that the XML announces, found the end"),
    "binary cut in its header": (
        binary_daf()[: len(xml(values=(), ids=(), binary=True)) + 9],
        "12-byte header",
    ),
    "binary too new": (binary_daf(version=2), "expected version 1 of the binary block, found 2"),
    "binary cut in its values": (binary_daf()[:-500], "expected 2 features of 3 objects .56 bytes., found"),
    "binary cut in its records": (
        binary_daf()[:-1],
        r"expected 3 object records of \d+ bytes, found \d+ bytes",
    ),
    "binary claims many features": (
        binary_daf(n_features=2**32 - 1),
        "expected 4294967295 features of 3 objects",
    ),
    "binary claims many objects": (
        binary_daf(n_objects=2**32 - 1),
        "expected 2 features of 4294967295 objects",
    ),
    "binary claims many records": (binary_daf(n_records=2**32 - 1), "expected records of 3 objects"),
    "binary claims many channels": (
        binary_daf(channels=65),
        "expected up to 64 values of background_sd, found 65",
    ),
    "binary feature twice": (binary_daf(fids=(0, 0)), "expected one set of values of 'A', found a second"),
    "binary object twice": (binary_daf(ids=(0, 0, 1)), "object 0: expected every object number once"),
}


@pytest.mark.parametrize(("data", "match"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_one_line_that_says_where(data, match):
    with pytest.raises(FormatError, match=match) as caught:
        parse_daf(data, PATH)
    text = str(caught.value)
    assert text.startswith("a.daf: ")
    assert "\n" not in text
    assert text.isprintable()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FormatError, match=r"none\.daf: cannot be read: No such file"):
        read_daf(tmp_path / "none.daf")


def test_out_of_step_records_are_found():
    data = bytearray(binary_daf())
    record = 76 + 4 + 4 * (4 + 16) - 4  # fixed part and four arrays of two
    data[-record + 76] = 3  # the count of the first array of the last object
    with pytest.raises(FormatError, match=r"object 2, offset \d+: .*records are out of step"):
        parse_daf(bytes(data), PATH)
    assert parse_daf(bytes(data), PATH, salvage=True).objects.object_numbers.tolist() == [0, 1]


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE Assay [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>',
        '<!DOCTYPE Assay SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE Assay [<!ENTITY % p SYSTEM "http://localhost/p"> %p;]>',
    ],
)
def test_documents_with_a_dtd_are_refused(declaration):
    with pytest.raises(FormatError, match="document type declaration or an entity: refused as unsafe"):
        parse_daf(xml(head=declaration), PATH)


def test_the_end_tag_in_a_comment_or_in_the_binary_block_fools_nobody():
    hidden = b"<!-- </Assay>" + MARK + b" -->"
    data = binary_daf().replace(b"<SOD ", hidden.replace(b"\x00\x1e", b"") + b"<SOD ", 1)
    tail = struct.unpack("<d", b"</Assay>")[0]
    data = data.replace(struct.pack("<d", 41.0), struct.pack("<d", tail))
    document = parse_daf(data, PATH)
    assert document.objects.saturation_percent[2].tolist() == [40, tail]


def test_many_false_end_tags_cost_nothing_much():
    data = xml().replace(b"<SOD ", b"<!--" + b"</Assay>" * 200_000 + b"--><SOD ", 1)
    assert parse_daf(data, PATH).object_count == 3


def test_a_list_longer_than_a_piece_of_the_file_is_read_whole():
    n = 200_000  # the values alone are longer than the parser's piece of 1 MiB
    ids = "".join(f'<SO id="{i}"/>' for i in range(n))
    data = xml(values=("|".join(map(str, range(n))),), ids=(), count=n, extra=ids)
    document = parse_daf(data, PATH)
    np.testing.assert_array_equal(document.feature("A"), np.arange(n))
    assert document.notes == ("1 of 2 defined features have no values",)


BIG_CLAIMS = [name for name in FAULTS if "many" in name or "absurd" in name]


@pytest.mark.parametrize("name", BIG_CLAIMS)
@pytest.mark.parametrize("salvage", [False, True])
def test_memory_is_bounded_by_the_file_not_by_its_claims(name, salvage):
    data = FAULTS[name][0]
    tracemalloc.start()
    with contextlib.suppress(FormatError):
        parse_daf(data, PATH, salvage=salvage)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * MB


def test_unknown_elements_and_attributes_are_passed_over():
    data = xml(
        extra='<Later new="1"><Deep/></Later><Regions><Region label="r" type="line" glow="yes"/></Regions>'
    )
    assert [region.label for region in parse_daf(data, PATH).regions] == ["r"]


def test_tags_points_and_gates_that_share_a_corner_are_read():
    extra = (
        '<Regions><Region label="q" type="rect" sync="quad1|2" ismarker="true" ylogrange="500">'
        '<axy x="1" y="2"/><axy x="3" y="4"/></Region></Regions>'
        '<Pops><Pop name="t" type="T" base="All"><ob O="2"/><ob O="0"/></Pop><Pop name="u" type="T"/></Pops>'
    )
    document = parse_daf(xml(extra=extra), PATH)
    (region,) = document.regions
    assert region.points == ((1, 2), (3, 4))
    assert (region.sync, region.is_marker, region.x_log_range, region.y_log_range) == (
        "quad1|2",
        True,
        None,
        500,
    )
    assert [p.tagged for p in document.populations] == [(2, 0), ()]


def test_tags_and_points_in_the_wrong_place_are_passed_over():
    pop = '<Pop name="a" type="T" base=""><ob O="2"/></Pop>'
    region = '<Region label="r"><axy x="1" y="2"/></Region>'
    document = parse_daf(xml(extra=f"{pop}{region}<Pops>{region}{pop}</Pops>"), PATH)
    assert [(population.name, population.tagged) for population in document.populations] == [("a", (2,))]
    assert document.regions == ()


def test_names_that_are_not_utf8_are_read_and_said():
    data = xml().replace(b'name="A"', b'name="Fl\xe4che \xb5m\xb2"')
    document = parse_daf(data, PATH)
    assert document.feature_names[0] == "Fl\xe4che \xb5m\xb2"
    assert document.notes == ("the XML is not valid UTF-8; it was read as Windows-1252",)


def test_byte_order_mark_and_utf8_names():
    document = parse_daf(b"\xef\xbb\xbf" + xml().replace(b'name="A"', 'name="\u00b5\u6838"'.encode()), PATH)
    assert document.feature_names[0] == "\u00b5\u6838"
    assert document.notes == ()


def test_an_encoding_that_is_no_text_encoding_does_no_harm():
    document = parse_daf(xml(head='<?xml version="1.0" encoding="base64"?>'), PATH)
    assert document.object_count == 3


def test_nan_and_infinity_are_values():
    values = parse_daf(xml(values=("NaN|Infinity|-Infinity",)), PATH).feature("A")
    np.testing.assert_array_equal(values, [np.nan, np.inf, -np.inf])


def test_values_in_both_encodings_are_said():
    document = parse_daf(xml(binary=True) + block(), PATH)
    assert document.binary
    assert "both in XML and in binary" in document.notes[0]


def test_bytes_behind_the_last_object_are_said():
    assert "7 bytes follow the last object" in parse_daf(binary_daf() + bytes(7), PATH).notes[0]


def test_salvage_keeps_the_objects_of_a_block_that_is_cut_short():
    document = parse_daf(binary_daf()[:-1], PATH, salvage=True)
    np.testing.assert_array_equal(document.feature_values, [[1, 4], [2, 5]])
    assert document.objects.object_numbers.tolist() == [0, 1]
    assert ["cut short" in str(f) or "objcount" in str(f) for f in document.faults] == [True, True]


def test_salvage_drops_only_what_is_damaged():
    document = parse_daf(xml(values=("1|2|x", "4|5|6"), ids=(0, 1, 1)), PATH, salvage=True)
    assert document.feature_names == ("B",)
    np.testing.assert_array_equal(document.feature_values, [[4], [5]])
    assert document.objects.object_numbers.tolist() == [0, 1]
    assert len(document.faults) == 3
