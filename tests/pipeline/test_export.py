from __future__ import annotations

import threading

import numpy as np
import pytest
import tifffile

from ifcyto.errors import FormatError, OutputError, UsageError
from ifcyto.pipeline.convert import convert
from ifcyto.pipeline.export import export_cif, export_object_tiffs, export_ome_tiff
from ifcyto.readers.cif import CifReader


def cells_of(path):
    with CifReader(path) as reader:
        return [(cell.object_number, cell.images, cell.masks) for cell in reader]


def same(found, expected):
    assert [cell[0] for cell in found] == [cell[0] for cell in expected]
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(one[1], other[1])
        assert np.array_equal(one[2], other[2])


def test_subset_of_a_cif_keeps_numbers_and_facts(tmp_path, demo_cif):
    result = export_cif(demo_cif, tmp_path / "new" / "sub.cif", objects=[9, 2, 31])
    assert (result.n_objects, result.notes) == (3, ())
    same(cells_of(result.path), [cell for cell in cells_of(demo_cif) if cell[0] in {2, 9, 31}])
    with CifReader(demo_cif) as whole, CifReader(result.path) as part:
        assert part.channels == whole.channels
        assert part.read_cell(1).camera_line == whole.read_cell(9).camera_line
        assert part.read_cell(1).background_mean == pytest.approx(whole.read_cell(9).background_mean)


def test_merge_of_cifs_numbers_anew(tmp_path, demo_cif, other_cif):
    result = export_cif([demo_cif, other_cif], tmp_path / "all.cif")
    assert result.n_objects == 70
    assert "collide: numbered anew from 0" in result.notes[0]
    merged = cells_of(demo_cif) + cells_of(other_cif)
    same(cells_of(result.path), [(i, *cell[1:]) for i, cell in enumerate(merged)])


def test_names_of_persons_stay_behind_unless_asked(tmp_path, shared_data):
    path = shared_data / "amnis" / "example.cif"
    with CifReader(path) as reader:
        operator = reader.metadata["operator"].encode()
        folder = reader.metadata["source_path"].encode()
    plain = export_cif(path, tmp_path / "plain.cif", objects=[3]).path.read_bytes()
    assert operator not in plain
    assert folder not in plain
    asked = export_cif(path, tmp_path / "asked.cif", objects=[3], keep_personal=True).path.read_bytes()
    assert operator in asked


@pytest.mark.parametrize("channels", [None, ["BF", 5]])
def test_a_stack_becomes_a_cif_again(tmp_path, demo_cif, channels):
    stack = convert(demo_cif, tmp_path / "a.h5").outputs[0]
    back = export_cif(stack, tmp_path / "back.cif", objects=[1, 8], channels=channels).path
    keep = [0, 1, 2] if channels is None else [0, 2]
    same(cells_of(back), [(n, i[keep], m[keep]) for n, i, m in cells_of(demo_cif) if n in {1, 8}])
    with CifReader(back) as reader:
        assert [channel.number for channel in reader.channels] == [[1, 2, 5][i] for i in keep]
        assert reader.pixel_size_um == 0.5


def test_merge_of_stack_and_cif_numbers_anew(tmp_path, demo_cif, other_cif):
    stack = convert(demo_cif, tmp_path / "a.h5").outputs[0]
    result = export_cif([stack, other_cif], tmp_path / "all.cif", objects=[[4], [4, 5]])
    assert "collide" in result.notes[0]
    expected = [cells_of(demo_cif)[4], *cells_of(other_cif)[4:6]]
    same(cells_of(result.path), [(i, *cell[1:]) for i, cell in enumerate(expected)])


def test_one_tiff_an_object_and_channel(tmp_path, demo_cif):
    result = export_object_tiffs(demo_cif, tmp_path / "tiffs", objects=[3, 7], channels=["DRAQ5", "BF"])
    names = sorted(path.name for path in result.path.iterdir())
    assert names == [f"demo_{number}_Ch{channel}.ome.tif" for number in (3, 7) for channel in (1, 5)]
    assert np.array_equal(tifffile.imread(result.path / "demo_7_Ch5.ome.tif"), cells_of(demo_cif)[7][1][2])


def test_one_ome_tiff_an_object_and_a_folder_an_input(tmp_path, demo_cif, other_cif):
    result = export_ome_tiff([demo_cif, other_cif], tmp_path / "tiffs", objects=[[3], [0, 1]])
    assert result.n_objects == 3
    found = sorted(path.relative_to(result.path).as_posix() for path in result.path.rglob("*.tif"))
    assert found == ["demo/demo_3.ome.tif", "other/other_0.ome.tif", "other/other_1.ome.tif"]
    assert np.array_equal(tifffile.imread(result.path / found[0]), cells_of(demo_cif)[3][1])


@pytest.mark.parametrize("export", [export_cif, export_ome_tiff, export_object_tiffs])
def test_existing_output_is_kept(tmp_path, demo_cif, export):
    out = tmp_path / "out.cif"
    if export is export_cif:
        out.write_text("mine")
    else:
        out.mkdir()
        (out / "mine").write_text("mine")
    with pytest.raises(OutputError, match=r"out\.cif"):
        export(demo_cif, out, objects=[1])
    assert len(list(tmp_path.rglob("*"))) == (1 if export is export_cif else 2)


@pytest.mark.parametrize("export", [export_cif, export_ome_tiff, export_object_tiffs])
def test_damage_and_wrong_objects_leave_nothing(tmp_path, damaged_cif, export):
    before = set(tmp_path.iterdir())
    with pytest.raises(UsageError, match="objects are not in the file: 77"):
        export(damaged_cif, tmp_path / "out", objects=[3, 77])
    if export is not export_cif:  # a CIF is copied as it is, strip by strip
        with pytest.raises(FormatError, match="object 7, offset"):
            export(damaged_cif, tmp_path / "out")
    assert set(tmp_path.iterdir()) == before
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ifcyto")]


def test_two_inputs_of_one_name_are_refused(tmp_path, demo_cif):
    with pytest.raises(UsageError, match="two inputs of one name"):
        export_ome_tiff([demo_cif, demo_cif], tmp_path / "out")


@pytest.mark.parametrize("export", [export_cif, export_ome_tiff, export_object_tiffs])
def test_an_input_is_never_replaced(tmp_path, demo_cif, export):
    mine = tmp_path / "mine.cif"
    mine.write_bytes(demo_cif.read_bytes())
    with pytest.raises(UsageError, match=r"mine\.cif: expected an output apart from the inputs"):
        export(mine, tmp_path / "." / "mine.cif", objects=[1], overwrite=True)
    assert mine.read_bytes() == demo_cif.read_bytes()
