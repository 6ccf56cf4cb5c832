"""CIF writer: subsets and merges copy strips byte for byte, personal data stay behind."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.cells import Cell, Channel
from ifcyto.errors import FormatError, OutputError, UsageError
from ifcyto.readers.cif import CifReader
from ifcyto.samples.demo import write_demo_cif
from ifcyto.writers.cif import subset_cif, write_cif

BF = [Channel(1, "BF")]


@pytest.fixture
def demo(tmp_path):
    return write_demo_cif(tmp_path / "demo.cif", n_cells=6, seed=2)


def test_a_subset_keeps_numbers_strips_and_values(demo, tmp_path):
    result = subset_cif([demo], tmp_path / "sub.cif", objects=[[4, 1]])
    assert (result.n_objects, result.renumbered) == (2, False)
    with CifReader(demo) as whole, CifReader(result.path) as part:
        assert part.object_numbers.tolist() == [1, 4]
        assert part.channels == whole.channels
        for row, source in enumerate((1, 4)):
            assert [strip for _, strip in part.raw_records(row)] == [s for _, s in whole.raw_records(source)]
            ours, theirs = part.read_cell(row), whole.read_cell(source)
            assert ours.facts.keys() == theirs.facts.keys()
            np.testing.assert_array_equal(ours.background_mean, theirs.background_mean)


def test_a_damaged_object_is_not_passed_on(demo, tmp_path):
    with CifReader(demo) as reader:
        (_, strip), _ = reader.raw_records(2)
    data = demo.read_bytes()
    demo.write_bytes(data.replace(strip, strip[:-4] + b"\xff" * 4))
    with pytest.raises(FormatError, match="object 2, offset"):
        subset_cif([demo], tmp_path / "sub.cif")
    done = []
    subset_cif([demo], tmp_path / "sub.cif", objects=[[0, 1]], progress=lambda *counts: done.append(counts))
    assert done == [(2, 2)]


def test_a_merge_renumbers_what_collides(demo, tmp_path):
    result = subset_cif([demo, demo], tmp_path / "both.cif", objects=[[0, 3], None])
    assert (result.n_objects, result.renumbered) == (8, True)
    with CifReader(demo) as whole, CifReader(result.path) as both:
        assert both.object_numbers.tolist() == list(range(8))
        for row, source in enumerate([0, 3, 0, 1, 2, 3, 4, 5]):
            np.testing.assert_array_equal(both.read_cell(row).images, whole.read_cell(source).images)


def test_names_and_folders_stay_behind_unless_asked(shared_data, tmp_path):
    source = shared_data / "amnis" / "example.cif"
    with CifReader(source) as reader:
        operator, folder = reader.metadata["operator"], reader.metadata["source_path"]
    for keep in (False, True):
        path = subset_cif([source], tmp_path / f"{keep}.cif", objects=[[0]], keep_personal=keep).path
        content = path.read_bytes()
        assert (operator.encode() in content) == keep
        assert (folder.encode() in content) == keep
        with CifReader(path) as reader:
            assert [channel.brightfield for channel in reader.channels] == [False] * 4 + [True, False]


def test_a_rewritten_real_file_has_the_same_strips(shared_data, tmp_path):
    with CifReader(shared_data / "amnis" / "example.cif") as reader:
        path = write_cif(reader, tmp_path / "again.cif", channels=reader.channels)
        with CifReader(path) as again:
            assert not again.notes
            for row in range(len(reader)):
                assert [s for _, s in again.raw_records(row)] == [s for _, s in reader.raw_records(row)]


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    path = tmp_path / "a.cif"
    zeros = np.zeros((1, 3, 3), np.int16)
    cases = [
        ([Cell(0, zeros), Cell(0, zeros)], "object number 0 occurs twice"),
        ([Cell(0, zeros[0])], r"expected images \(1, H, W\), found \(3, 3\)"),
        ([Cell(0, zeros.astype(np.float32))], "expected integers of 16 bits, found float32"),
        ([Cell(0, zeros.astype(np.int32) + 40_000)], "found int32 from 40000 to 40000"),
    ]
    for cells, words in cases:
        with pytest.raises(UsageError, match=words):
            write_cif(cells, path, channels=BF)
    with pytest.raises(UsageError, match="expected rising channel numbers from 1 to 12"):
        write_cif([], path, channels=[Channel(13, "x")])
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_not_replaced_unless_asked(demo):
    before = demo.read_bytes()
    with pytest.raises(OutputError, match="exists already"):
        subset_cif([demo], demo)
    assert demo.read_bytes() == before
    write_cif([Cell(0, np.zeros((1, 2, 2), np.int16))], demo, channels=BF, overwrite=True)
    with CifReader(demo) as reader:
        assert len(reader) == 1


def test_sources_must_agree(demo, tmp_path):
    other = write_cif([Cell(0, np.zeros((1, 2, 2), np.int16))], tmp_path / "other.cif", channels=BF)
    with pytest.raises(UsageError, match="expected the channels of"):
        subset_cif([demo, other], tmp_path / "both.cif")
    with pytest.raises(UsageError, match="1 of 1 objects are not in the file: 99"):
        subset_cif([demo], tmp_path / "none.cif", objects=[[99]])
    assert not (tmp_path / "both.cif").exists()


def test_a_full_disk_is_said_in_one_line(demo, tmp_path, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ifcyto.writers.cif.pack_directory", full)
    with pytest.raises(OutputError, match=r"sub\.cif: cannot be written: No space left on device"):
        subset_cif([demo], tmp_path / "sub.cif")
    assert [path.name for path in tmp_path.iterdir()] == ["demo.cif"]
