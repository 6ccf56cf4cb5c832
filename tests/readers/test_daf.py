"""The DAF reader: images through the CIF it names, and only through that one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifcyto.errors import FormatError, UsageError
from ifcyto.readers.cif import CifReader
from ifcyto.readers.daf import DafReader
from ifcyto.readers.registry import open_acquisition, reader_class
from ifcyto.samples.demo import write_demo_cif
from ifcyto.testing import check_reader, same_cells

N = 12


@pytest.fixture
def cif(tmp_path):
    return write_demo_cif(tmp_path / "cells.cif", n_cells=N, seed=3)


def write_daf(path, cif, *, file=None, names=("Bright", "Glyco", "Nucleus"), shift=0, keep=None):
    """Write a DAF that tells of `cif`, true or not."""
    with CifReader(cif) as reader:
        objects = list(zip(reader.object_numbers.tolist(), reader.image_offsets.tolist(), strict=True))[:keep]
        numbers = [channel.number for channel in reader.channels]
    images = "".join(
        f'<image name="{name}" physicalChannel="{number - 1}"/>'
        for name, number in zip(names, numbers, strict=False)
    )
    offsets = {i: "" if shift is None else f' imgIFD="{at + shift}"' for i, at in objects}
    so = "".join(f'<SO id="{i}"{offset}/>' for i, offset in offsets.items())
    path.write_text(
        f'<?xml version="1.0"?>\n<Assay IDEAS_version="6.0">'
        f'<SOD file="{file or cif.name}" objcount="{len(objects)}">'
        f"<Images>{images}</Images>{so}</SOD></Assay>"
    )
    return path


def test_the_reader_keeps_the_contract(tmp_path, cif):
    daf = write_daf(tmp_path / "a.daf", cif)
    with CifReader(cif) as reader:
        known = {channel.name for channel in reader.channels}
        names = ["Bright", "Glyco", "Nucleus", *(c.name for c in reader.channels[3:])]
    assert "Bright" not in known
    check_reader(
        lambda: DafReader(daf), n_objects=N, channels=names[: len(known)], dtype="int16", has_masks=True
    )


def test_cells_are_those_of_the_cif(tmp_path, cif):
    with open_acquisition(write_daf(tmp_path / "a.daf", cif)) as reader, CifReader(cif) as plain:
        assert isinstance(reader, DafReader)
        assert reader.cif_path == cif
        assert reader.document.object_count == N
        assert reader.metadata["daf_source_file"] == "cells.cif"
        same_cells(reader, plain)
        with pytest.raises(UsageError, match="expected a row from 0 to 11, found 12"):
            reader.read_cell(N)


@pytest.mark.parametrize(
    "head", [b"\xef\xbb\xbf<?xml version='1.0'?><Assay>", b"  <!-- x --><Assay date=''>", b"<Assay/>"]
)
def test_a_daf_is_known_by_its_content(tmp_path, head):
    path = tmp_path / "named.txt"
    path.write_bytes(head)
    assert reader_class(path) is DafReader


@pytest.mark.parametrize("head", [b"", b"<Assays/>", b"<svg/>", b"II*\x00<Assay>", b"Assay"])
def test_other_content_is_not_taken(tmp_path, head):
    assert not DafReader.sniff(tmp_path / "a.daf", head)


@pytest.mark.parametrize(
    "file", [r"D:\study\day 1\cells.cif", "/data/cells.cif", "CELLS.CIF", "../cells.cif"]
)
def test_the_folder_and_the_case_of_the_name_do_not_matter(tmp_path, cif, file):
    with DafReader(write_daf(tmp_path / "a.daf", cif, file=file)) as reader:
        assert reader.cif_path == cif
        assert len(reader) == N


def test_the_exact_name_goes_before_one_in_another_case(tmp_path, cif):
    (tmp_path / "CELLS.cif").symlink_to(cif)
    for file in ("cells.cif", "CELLS.cif"):
        with DafReader(write_daf(tmp_path / "a.daf", cif, file=file)) as reader:
            assert reader.cif_path.name == file


def test_a_renamed_cif_is_found_by_the_name_of_the_daf(tmp_path, cif):
    daf = write_daf(tmp_path / "cells.daf", cif, file="before.cif")
    with DafReader(daf) as reader:
        assert reader.cif_path == cif
        assert "the DAF names 'before.cif'; its images were taken from cells.cif" in reader.notes


def test_a_missing_cif_is_named_and_the_way_out_too(tmp_path, cif):
    daf = write_daf(tmp_path / "a.daf", cif, file="gone.cif")
    with pytest.raises(
        FormatError, match=r"'gone.cif' or 'a.cif' in the same folder, found no such file; .*read_daf"
    ):
        DafReader(daf)


def test_another_number_of_objects_is_another_file(shared_data):
    for name in ("ut7_ideas60.daf", "ut7_ideas62.daf"):
        for salvage in (False, True):
            with pytest.raises(
                FormatError, match=r"example.cif to hold the 420 objects .* found 111 .*another file"
            ) as caught:
                open_acquisition(shared_data / "amnis" / name, salvage=salvage)
            assert "\n" not in str(caught.value)
            assert str(caught.value).startswith(str(shared_data / "amnis" / name))


def test_as_many_objects_at_other_offsets_are_another_file(tmp_path, cif):
    daf = write_daf(tmp_path / "a.daf", cif, shift=16)
    with pytest.raises(
        FormatError, match=r"object 0 expected at offset \d+ and found at \d+: it is another file"
    ):
        DafReader(daf)


def test_other_object_numbers_are_another_file(tmp_path, cif):
    daf = write_daf(tmp_path / "a.daf", cif)
    daf.write_text(daf.read_text().replace('<SO id="3"', '<SO id="333"'))
    with pytest.raises(FormatError, match="object 3 only in the CIF: it is another file"):
        DafReader(daf)


@pytest.mark.parametrize("shift", [None, 2**32, 3 * 2**32], ids=["none", "wrapped", "wrapped twice"])
def test_offsets_may_be_missing_or_wrapped(tmp_path, cif, shift):
    with DafReader(write_daf(tmp_path / "a.daf", cif, shift=shift)) as reader:
        assert len(reader) == N


def test_salvage_keeps_the_objects_on_which_both_agree(tmp_path, cif):
    daf = write_daf(tmp_path / "a.daf", cif, keep=5)
    with pytest.raises(FormatError, match="hold the 5 objects of this DAF, found 12 objects"):
        DafReader(daf)
    with DafReader(daf, salvage=True) as reader:
        assert reader.object_numbers.tolist() == [cell.object_number for cell in reader]
        assert len(reader) == 5
        assert [fault.message for fault in reader.faults] == [
            "expected the 5 objects of a.daf in cells.cif, found 5 of them among its 12; only these are kept"
        ]


def test_faults_of_the_cif_are_seen_through_the_daf(tmp_path, cif):
    daf = write_daf(tmp_path / "a.daf", cif)
    whole = cif.read_bytes()
    cif.write_bytes(whole[: len(whole) * 3 // 4])
    with DafReader(daf, salvage=True) as reader:
        assert 0 < len(reader) < N
        assert any("of them among its" in fault.message for fault in reader.faults)
        assert len(reader.faults) > 1


def test_channels_that_the_cif_lacks_are_said_and_computed_images_are_not_channels(tmp_path, cif):
    daf = write_daf(tmp_path / "a.daf", cif, names=("BF",))
    more = (
        '<image name="Twelve" physicalChannel="11"/>'
        '<image name="Sum" physicalChannel="1" baseimage="BF"/></Images>'
    )
    daf.write_text(daf.read_text().replace("</Images>", more))
    with DafReader(daf) as reader, CifReader(cif) as plain:
        assert reader.channels == (replace(plain.channels[0], name="BF"), *plain.channels[1:])
        assert "the DAF names channels that the CIF does not hold: 12" in reader.notes


def test_rows_may_be_asked_in_any_order(tmp_path, cif):
    with DafReader(write_daf(tmp_path / "a.daf", cif)) as reader:
        np.testing.assert_array_equal(
            reader.read_batch([7, 0, 7]).object_numbers, reader.object_numbers[[7, 0, 7]]
        )
