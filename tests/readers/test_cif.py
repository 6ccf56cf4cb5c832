"""CIF reader against the four-reader truth, its own slow path, and made files of every odd kind."""

from __future__ import annotations

import os
import struct

import numpy as np
import pytest

import ifcyto
from ifcyto.cells import Cell, Channel
from ifcyto.errors import FormatError, UsageError
from ifcyto.readers import kernels as k
from ifcyto.readers.cif import CifReader
from ifcyto.readers.tiffdirs import MAGIC, TAG, pack_directory
from ifcyto.testing import check_reader
from ifcyto.writers.cif import _image_entries, _numbers, write_cif


@pytest.fixture(scope="module")
def example(shared_data):
    return shared_data / "amnis" / "example.cif"


@pytest.fixture(scope="module")
def truth(shared_data):
    with np.load(shared_data / "amnis" / "example_truth.npz") as planes:
        return dict(planes)


@pytest.fixture
def small(tmp_path, rng):
    """Five objects of two channels, numbers with holes, negative pixels."""
    cells = []
    for number in (0, 1, 5, 6, 9):
        shape = (2, int(rng.integers(3, 9)), int(rng.integers(3, 9)))
        images = rng.normal(0, 300, shape).astype(np.int16)
        masks = rng.integers(0, 4, shape).astype(np.uint8)
        cells.append(
            Cell(number, images, masks, {"background_mean": rng.normal(50, 1, 2), "flow_speed": 64.5})
        )
    channels = [Channel(1, "BF", brightfield=True), Channel(5, "DRAQ5")]
    return write_cif(cells, tmp_path / "small.cif", channels=channels), cells


def damage(path, at, value):
    data = bytearray(path.read_bytes())
    data[at : at + len(value)] = value
    path.write_bytes(bytes(data))
    return path


def field(path, row, tag):
    """File offset of the value field of `tag` in the image directory at `row`."""
    with CifReader(path) as reader:
        at = int(reader.image_offsets[row])
    data = path.read_bytes()
    (count,) = struct.unpack_from("<H", data, at)
    return next(
        at + 2 + 12 * i + 8 for i in range(count) if struct.unpack_from("<H", data, at + 2 + 12 * i)[0] == tag
    )


def test_every_plane_of_the_real_file_is_the_truth(example, truth):
    compared = 0
    with CifReader(example) as reader:
        assert len(reader) == 111
        for cell in reader:
            for channel in range(6):
                name = f"{cell.object_number:04d}_{channel:02d}"
                np.testing.assert_array_equal(cell.images[channel], truth[f"img_{name}"])
                np.testing.assert_array_equal(cell.masks[channel], truth[f"msk_{name}"])
                compared += 2
    assert compared == 2 * 666 == len(truth)


def test_real_file_passes_the_battery(example):
    check_reader(lambda: ifcyto.open_acquisition(example), n_objects=111, object_numbers=range(111))


def test_made_file_passes_the_battery(small):
    path, _ = small
    check_reader(lambda: ifcyto.open_acquisition(path), n_objects=5, object_numbers=[0, 1, 5, 6, 9])


def test_real_file_says_what_its_channels_are(example):
    with CifReader(example) as reader:
        assert [channel.number for channel in reader.channels] == [1, 2, 3, 4, 5, 6]
        assert [channel.brightfield for channel in reader.channels] == [False] * 4 + [True, False]
        assert reader.pixel_size_um == 0.5
        assert reader.metadata["ideas_version"] == "6.0.354.0"
        assert reader.metadata["Imaging/Magnification"] == "40"


def test_values_of_the_first_object_are_those_in_the_tags(example):
    with CifReader(example) as reader:
        cell = reader.read_cell(0)
    assert cell.acquisition_number == 58
    assert cell.camera_line == 91827
    assert cell.raw_centroid_y == 72.0
    assert cell.background_mean.shape == (6,)
    assert cell.background_mean[0] == struct.unpack("<d", bytes.fromhex("db37ac7dc35a3e40"))[0]
    assert cell.label is None


def test_slow_path_reads_the_same(example, monkeypatch):
    with CifReader(example) as reader:
        fast = reader.read_batch(range(len(reader)))
        monkeypatch.setattr("ifcyto.readers.cif._MAX_SPAN", 0)
        slow = reader.read_batch(range(len(reader)))
    np.testing.assert_array_equal(fast.pixels, slow.pixels)
    np.testing.assert_array_equal(fast.masks, slow.masks)
    assert list(fast.facts) == list(slow.facts)
    for name in fast.facts:
        np.testing.assert_array_equal(fast.facts[name], slow.facts[name])


def test_made_cells_come_back_exactly(small):
    path, cells = small
    with CifReader(path) as reader:
        assert [channel.label for channel in reader.channels] == ["Ch01 BF", "Ch05 DRAQ5"]
        assert reader.channels[0].brightfield
        assert "object numbers 0 to 9 leave out 5" in reader.notes
        assert reader.heights.tolist() == [cell.images.shape[1] for cell in cells]
        assert reader.widths.tolist() == [cell.images.shape[2] for cell in cells]
        for ours, cell in zip(cells, reader, strict=True):
            np.testing.assert_array_equal(cell.images, ours.images)
            np.testing.assert_array_equal(cell.masks, ours.masks)
            np.testing.assert_array_equal(cell.background_mean, ours.background_mean)
            assert cell.flow_speed == 64.5
    assert min(cell.images.min() for cell in cells) < 0


def test_rows_and_numbers_that_are_not_there(small):
    path, _ = small
    with CifReader(path) as reader:
        np.testing.assert_array_equal(reader.rows_of([9, 0]), [4, 0])
        with pytest.raises(UsageError, match=r"1 of 2 objects are not in the file: 7$"):
            reader.rows_of([7, 1])
        with pytest.raises(UsageError, match="expected a row from 0 to 4, found 5"):
            reader.read_batch(range(3, 6))


@pytest.mark.parametrize("n_channels", [1, 2, 3, 7, 12])
def test_any_number_of_channels(tmp_path, rng, n_channels):
    channels = [Channel(number, f"Ch{number:02d}") for number in range(1, n_channels + 1)]
    cell = Cell(3, rng.integers(-4096, 4096, (n_channels, 6, 4)).astype(np.int16))
    path = write_cif([cell], tmp_path / "a.cif", channels=channels)
    with CifReader(path) as reader:
        assert reader.channels == tuple(Channel(c.number, c.name, pixel_size_um=0.5) for c in channels)
        np.testing.assert_array_equal(reader.read_cell(0).images, cell.images)


@pytest.mark.parametrize(("magnification", "pixel"), [(20, 1.0), (40, 0.5), (60, 0.3), (33, None)])
def test_pixel_size_follows_the_magnification(tmp_path, magnification, pixel):
    cell = Cell(0, np.zeros((1, 3, 3), np.int16))
    path = write_cif([cell], tmp_path / "a.cif", channels=[Channel(1, "BF")], magnification=magnification)
    with CifReader(path) as reader:
        assert reader.pixel_size_um == pixel
        assert any("no pixel size is known" in note for note in reader.notes) == (pixel is None)


def test_a_file_without_masks(tmp_path):
    path = write_cif([Cell(0, np.ones((1, 3, 3), np.int16))], tmp_path / "a.rif", channels=[Channel(1, "BF")])
    with ifcyto.open_acquisition(path) as reader:
        assert not reader.has_masks
        assert reader.read_cell(0).masks is None


def write_raw(path, objects):
    """A CIF whose image directories are given whole: (entries, strips) each, no masks."""
    header = [
        _numbers("object_count", 4, len(objects)),
        _numbers("channel_count", 4, 1),
        _numbers("record_type", 3, 1),
    ]
    at = 8
    packed = [pack_directory(header, at, following=0)]
    blocks = []
    at += len(packed[0])
    first = at
    for entries, strips in objects:
        draft = [*entries, (TAG["strip_offsets"], 4, b"\0\0\0\0" * len(strips))]
        draft.append((TAG["strip_byte_counts"], 4, struct.pack(f"<{len(strips)}I", *map(len, strips))))
        start = at + len(pack_directory(draft, at, following=0))
        places = start + np.concatenate([[0], np.cumsum([len(strip) for strip in strips])[:-1]]).astype(int)
        draft[-2] = (TAG["strip_offsets"], 4, struct.pack(f"<{len(strips)}I", *places))
        end = start + sum(map(len, strips))
        blocks.append((draft, at, end, b"".join(strips)))
        at = end
    packed = [pack_directory(header, 8, following=first)]
    for i, (draft, start, end, data) in enumerate(blocks):
        packed.append(pack_directory(draft, start, following=0 if i == len(blocks) - 1 else end) + data)
    path.write_bytes(MAGIC + struct.pack("<I", 8) + b"".join(packed))
    return path


def test_several_strips_and_plain_pixels(tmp_path, rng):
    from ifcyto.readers.codecs import encode_image

    image = rng.integers(-500, 500, (1, 6, 7)).astype(np.int16)
    strip = encode_image(image)
    coded = [*_image_entries(7, 6, "image"), _numbers("object_id", 4, 0)]
    plain = [e for e in _image_entries(7, 6, "image") if e[0] != TAG["codec"]]
    plain += [_numbers("object_id", 4, 1), _numbers("codec", 3, 1)]
    objects = [(coded, [strip[:5], strip[5:9], strip[9:]]), (plain, [image.tobytes()])]
    path = write_raw(tmp_path / "strips.cif", objects)
    with CifReader(path) as reader:
        for cell in reader:
            np.testing.assert_array_equal(cell.images, image)


def test_offsets_beyond_4_gib_are_unwrapped(tmp_path, monkeypatch, rng):
    """A sparse file: the second object lies beyond 4 GiB, and its stored offsets have wrapped."""
    from ifcyto.readers.codecs import encode_image, encode_mask

    images = rng.integers(-500, 500, (1, 6, 7)).astype(np.int16)
    masks = np.ones((1, 6, 7), np.uint8)
    path = tmp_path / "large.cif"
    write_cif([Cell(0, images, masks)], path, channels=[Channel(1, "BF")])
    far = (1 << 32) + 100  # stored as 100, which lies behind: only the wrap explains it
    with CifReader(path) as reader:
        mask_at = int(reader._index.column("mask", k.REC_OFFSET)[0])
    data = path.read_bytes()
    (count,) = struct.unpack_from("<H", data, mask_at)
    damage(path, mask_at + 2 + 12 * count, struct.pack("<I", far % (1 << 32)))
    at = far
    with path.open("r+b") as file:
        for kind, strip in (("image", encode_image(images)), ("mask", encode_mask(masks))):
            entries = [*_image_entries(7, 6, kind), _numbers("object_id", 4, 1)]
            entries += [_numbers("strip_byte_counts", 4, len(strip)), _numbers("strip_offsets", 4, 0)]
            place = at + len(pack_directory(entries, at, following=0))
            entries[-1] = _numbers("strip_offsets", 4, place % (1 << 32))
            following = 0 if kind == "mask" else place + len(strip)
            file.seek(at)
            file.write(pack_directory(entries, at, following=following) + strip)
            at = place + len(strip)
    with CifReader(path) as reader:
        assert reader.object_numbers.tolist() == [0, 1]
        assert int(reader.image_offsets[1]) == far
        for cell in reader:
            np.testing.assert_array_equal(cell.images, images)
            np.testing.assert_array_equal(cell.masks, masks)


@pytest.mark.parametrize(
    ("tag", "value", "words"),
    [
        ("codec", 999, "expected image codec 30817 or 1, found 999"),
        ("width", 4_000_000_000, "image is 4000000000 px wide, its mask"),
        ("height", 0, "image is 0 px high, its mask"),
        ("strip_byte_counts", 4_000_000_000, "it is truncated"),
        ("strip_offsets", 4_000_000_000, "it is truncated"),
        ("object_id", 0, "object number occurs twice, first at offset"),
        ("record_type", 9, "expected an image or mask record"),
    ],
)
def test_a_bad_field_is_named_and_salvage_keeps_the_rest(small, tag, value, words):
    path, cells = small
    damage(path, field(path, 2, TAG[tag]), struct.pack("<I", value))
    with pytest.raises(FormatError, match=words) as caught:
        CifReader(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    with CifReader(path, salvage=True) as reader:
        assert reader.object_numbers.tolist() == [0, 1, 6, 9]
        assert any(fault.offset is not None for fault in reader.faults)
        np.testing.assert_array_equal(reader.read_cell(2).images, cells[3].images)


def test_a_broken_chain_is_picked_up_again(small):
    path, _ = small
    with CifReader(path) as reader:
        at = int(reader._index.column("mask", k.REC_OFFSET)[1])
    (count,) = struct.unpack_from("<H", path.read_bytes(), at)
    for link, words in ((8, "goes backward"), (4_000_000_000, "leaves the file"), (at, "goes backward")):
        damage(path, at + 2 + 12 * count, struct.pack("<I", link))
        with pytest.raises(FormatError, match=words):
            CifReader(path)
        with CifReader(path, salvage=True) as reader:
            assert reader.object_numbers.tolist() == [0, 1, 5, 6, 9]


def test_a_truncated_file_loses_only_its_end(small):
    path, cells = small
    whole = path.read_bytes()
    with CifReader(path) as reader:
        starts = [*reader.image_offsets.tolist(), len(whole)]
    for cut in range(len(whole) - 1, starts[1], -7):
        path.write_bytes(whole[:cut])
        with pytest.raises(FormatError, match=r"offset \d+"):
            CifReader(path)
        with CifReader(path, salvage=True) as reader:
            n_whole = sum(end <= cut for end in starts[1:])
            assert len(reader) == n_whole
            for ours, cell in zip(cells, reader, strict=False):
                np.testing.assert_array_equal(cell.images, ours.images)


def test_damaged_pixels_are_noticed_and_named(small):
    path, _ = small
    with CifReader(path) as reader:
        strip = int(reader._index.column("image", k.REC_STRIP)[3])
        size = int(reader._index.column("image", k.REC_BYTES)[3])
    damage(path, strip, b"\xff" * size)
    with CifReader(path) as reader, pytest.raises(FormatError, match=f"object 6, offset {strip}: image: "):
        list(reader)
    with CifReader(path, salvage=True) as reader:
        assert [cell.object_number for cell in reader] == [0, 1, 5, 9]
        assert [fault.object_number for fault in reader.faults] == [6]


def test_strips_that_overlap_are_refused(small):
    path, _ = small
    with CifReader(path) as reader:
        other = int(reader._index.column("image", k.REC_STRIP)[0])
    damage(path, field(path, 3, TAG["strip_offsets"]), struct.pack("<I", other))
    with pytest.raises(FormatError, match=r"object 6, .*reaches into that of object 0"):
        CifReader(path)
    with CifReader(path, salvage=True) as reader:
        assert reader.object_numbers.tolist() == [0, 1, 5, 9]


def test_a_wrong_count_in_the_header_is_said(small):
    path, _ = small
    data = path.read_bytes()
    at = next(i for i in range(10, 200, 12) if struct.unpack_from("<H", data, i)[0] == TAG["object_count"])
    damage(path, at + 8, struct.pack("<I", 4_000_000_000))
    with CifReader(path) as reader:
        assert "the header says 4000000000 objects, the file holds 5" in reader.notes
    with CifReader(path, salvage=True) as reader:
        assert "the header says 4000000000 objects" in reader.faults[0].message


@pytest.mark.parametrize(
    ("xml", "words"),
    [
        (b"<a><Imaging><Magnification>40</Imaging></a>", "expected readable XML, found: mismatched tag"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "expected readable XML, found: "),
    ],
)
def test_hostile_xml_is_refused(tmp_path, xml, words):
    cell = Cell(0, np.zeros((1, 3, 3), np.int16))
    path = write_cif([cell], tmp_path / "a.cif", channels=[Channel(1, "BF")])
    data = path.read_bytes()
    start = data.index(b"<?xml")
    end = data.index(b"</ifcyto>") + len(b"</ifcyto>")
    damage(path, start, xml.ljust(end - start))
    with pytest.raises(FormatError, match=words):
        CifReader(path)
    with CifReader(path, salvage=True) as reader:
        assert len(reader) == 1


def test_names_in_latin_1_survive(tmp_path):
    cell = Cell(0, np.zeros((1, 3, 3), np.int16))
    path = write_cif([cell], tmp_path / "a.cif", channels=[Channel(1, "Kanal__")])
    path.write_bytes(path.read_bytes().replace(b"Kanal__", b"Kanal\xe4\xf6"))
    with CifReader(path) as reader:
        assert reader.channels[0].name == "Kanaläö"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", r"empty one \(0 bytes\)"),
        (b"II*\0", "expected a TIFF header, found 4 bytes"),
        (b"\x7fELF" + b"\0" * 50, "expected one of cif"),
        (b"\x89PNG" + b"\0" * 100, "expected one of cif"),
    ],
)
def test_what_is_no_cif_is_refused(tmp_path, content, words):
    path = tmp_path / "a.cif"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=words):
        ifcyto.open_acquisition(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FormatError, match=r"none\.cif: cannot be opened: No such file"):
        ifcyto.open_acquisition(tmp_path / "none.cif")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.cif")
    with pytest.raises(FormatError, match="expected a file or a folder, found a device or a pipe"):
        ifcyto.open_acquisition(tmp_path / "a.cif")
