from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time

import h5py
import numpy as np
import pytest

from ifcyto.errors import FormatError, OutputError, UsageError
from ifcyto.pipeline.convert import convert
from ifcyto.pipeline.export import export_object_tiffs
from ifcyto.pipeline.parallel import no_progress
from ifcyto.pipeline.sources import BATCH_ROWS, Source, read_batches
from ifcyto.readers.cif import CifReader
from ifcyto.samples.demo import write_demo_cif
from ifcyto.stack.cell_stack import CellStack


def same_cells(path, expected):
    """Every cell of the stack equals the expected (number, images, masks), in order."""
    with CellStack.open(path) as stack:
        assert stack.object_numbers.tolist() == [number for number, _, _ in expected]
        for row, (_, images, masks) in enumerate(expected):
            cell = stack.cell(row)
            assert np.array_equal(cell.images, images)
            assert np.array_equal(cell.masks, masks)


def cells_of(path):
    with CifReader(path) as reader:
        return [(cell.object_number, cell.images, cell.masks) for cell in reader]


@pytest.mark.parametrize("workers", [1, 3])
def test_one_file_is_converted_bit_by_bit(tmp_path, demo_cif, workers):
    result = convert(demo_cif, tmp_path / "a.h5", workers=workers)
    assert result.outputs == (tmp_path / "a.h5",)
    assert result.n_objects == (40,)
    assert result.faults == ()
    same_cells(tmp_path / "a.h5", cells_of(demo_cif))


def test_real_file_is_converted_bit_by_bit(tmp_path, shared_data):
    path = shared_data / "amnis" / "example.cif"
    convert(path, tmp_path / "a.h5")
    truth = np.load(shared_data / "amnis" / "example_truth.npz")
    with CellStack.open(tmp_path / "a.h5") as stack:
        assert len(stack) == 111
        for row in range(111):
            cell = stack.cell(row)
            for channel in range(6):
                name = f"{cell.object_number:04d}_{channel:02d}"
                assert np.array_equal(cell.images[channel], truth[f"img_{name}"])
                assert np.array_equal(cell.masks[channel], truth[f"msk_{name}"])


def test_more_objects_than_one_batch(tmp_path):
    path = write_demo_cif(tmp_path / "many.cif", n_cells=2 * BATCH_ROWS + 3, seed=1)
    calls = []
    convert(path, tmp_path / "a.h5", workers=2, progress=lambda *call: calls.append(call))
    same_cells(tmp_path / "a.h5", cells_of(path))
    done = [call[1:] for call in calls if call[0] == "converting many.cif"]
    assert done[0] == (0, 515)
    assert done[-1] == (515, 515)
    assert done == sorted(done)


def test_provenance_and_metadata_name_the_source_and_no_folder(tmp_path, demo_cif):
    convert(demo_cif, tmp_path / "a.h5", channels=["BF", "DRAQ5"], objects=[4, 2])
    with h5py.File(tmp_path / "a.h5") as file:
        text = file["provenance"][()].decode()
    record = json.loads(text)
    assert record["sources"][0]["name"] == "demo.cif"
    assert record["sources"][0]["sha256"] == hashlib.sha256(demo_cif.read_bytes()).hexdigest()
    assert record["options"] == {
        "step": "convert",
        "channels": ["BF", "DRAQ5"],
        "objects": [2],
        "salvage": False,
    }
    assert str(demo_cif.parent) not in text


def test_operator_and_folders_stay_behind(tmp_path, shared_data):
    path = shared_data / "amnis" / "example.cif"
    with CifReader(path) as reader:
        operator = reader.metadata["operator"].encode()
    convert(path, tmp_path / "a.h5", objects=[0])
    with h5py.File(tmp_path / "a.h5") as file:
        text = file["metadata"][()]
    assert b"ideas_version" in text
    assert operator not in text
    assert b":\\\\" not in text


@pytest.mark.parametrize("form", ["list", "pop"])
def test_chosen_objects_in_file_order_each_once(tmp_path, demo_cif, form):
    objects = [31, 4, 4, 7]
    if form == "pop":
        objects = tmp_path / "a.pop"
        objects.write_text("\n31\n4\n4\n7\n")
    convert(demo_cif, tmp_path / "a.h5", objects=objects)
    same_cells(tmp_path / "a.h5", [cell for cell in cells_of(demo_cif) if cell[0] in {4, 7, 31}])


def test_no_object_chosen_gives_an_empty_stack(tmp_path, demo_cif):
    assert convert(demo_cif, tmp_path / "a.h5", objects=[]).n_objects == (0,)
    with CellStack.open(tmp_path / "a.h5") as stack:
        assert len(stack) == 0


def test_unknown_objects_are_named(tmp_path, demo_cif):
    with pytest.raises(UsageError, match=r"demo\.cif: 2 of 3 objects are not in the file: 40, 99"):
        convert(demo_cif, tmp_path / "a.h5", objects=[3, 40, 99])
    assert list(tmp_path.iterdir()) == []


def test_chosen_channels(tmp_path, demo_cif):
    convert(demo_cif, tmp_path / "a.h5", channels=["DRAQ5", 1])
    with CellStack.open(tmp_path / "a.h5") as stack:
        assert [channel.name for channel in stack.channels] == ["BF", "DRAQ5"]
        assert stack.cell(0).background_mean.shape == (2,)
    same_cells(
        tmp_path / "a.h5", [(n, images[[0, 2]], masks[[0, 2]]) for n, images, masks in cells_of(demo_cif)]
    )
    with pytest.raises(UsageError, match="expected one channel called 'CD71'"):
        convert(demo_cif, tmp_path / "b.h5", channels=["CD71"])


def test_many_inputs_into_a_folder(tmp_path, demo_cif, other_cif):
    result = convert([demo_cif, other_cif], tmp_path / "stacks")
    assert [path.name for path in result.outputs] == ["demo.h5", "other.h5"]
    assert result.n_objects == (40, 30)
    assert sorted(path.name for path in (tmp_path / "stacks").iterdir()) == ["demo.h5", "other.h5"]
    same_cells(tmp_path / "stacks" / "other.h5", cells_of(other_cif))


def test_two_inputs_of_one_name_are_refused(tmp_path, demo_cif):
    with pytest.raises(UsageError, match=r"demo\.h5: two inputs would be written to it"):
        convert([demo_cif, demo_cif], tmp_path / "stacks")


def test_merge_numbers_anew_when_numbers_collide(tmp_path, demo_cif, other_cif):
    result = convert([demo_cif, other_cif], tmp_path / "all.h5", objects=[[5, 6], None])
    assert result.n_objects == (32,)
    assert "object numbers of the 2 inputs collide: numbered anew from 0" in result.notes[0]
    merged = [cell for cell in cells_of(demo_cif) if cell[0] in {5, 6}] + cells_of(other_cif)
    same_cells(tmp_path / "all.h5", [(new, *cell[1:]) for new, cell in enumerate(merged)])
    with h5py.File(tmp_path / "all.h5") as file:
        assert file["objects/source"][()].tolist() == [0] * 2 + [1] * 30
        assert file["objects/source_object_number"][()].tolist() == [5, 6, *range(30)]
        assert [s["name"] for s in json.loads(file["provenance"][()])["sources"]] == ["demo.cif", "other.cif"]


def test_merge_keeps_numbers_that_do_not_collide(tmp_path, demo_cif, other_cif):
    result = convert([demo_cif, other_cif], tmp_path / "all.h5", objects=[[35, 36], [1, 2]])
    assert result.notes == ()
    with CellStack.open(tmp_path / "all.h5") as stack:
        assert stack.object_numbers.tolist() == [35, 36, 1, 2]


def test_merge_of_different_channels_is_refused(tmp_path, demo_cif, shared_data):
    with pytest.raises(UsageError, match=r"example\.cif: expected the channels of demo\.cif \(Ch01 BF, Ch02"):
        convert([demo_cif, shared_data / "amnis" / "example.cif"], tmp_path / "all.h5")
    assert list(tmp_path.iterdir()) == []


def test_damage_is_named_and_leaves_nothing(tmp_path, damaged_cif):
    with pytest.raises(FormatError, match=r"damaged\.cif: object 7, offset \d+: image: "):
        convert(damaged_cif, tmp_path / "out" / "a.h5")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("merged", [False, True])
def test_salvage_keeps_all_but_the_damaged(tmp_path, damaged_cif, other_cif, merged):
    inputs = [damaged_cif, other_cif] if merged else damaged_cif
    result = convert(inputs, tmp_path / "a.h5", salvage=True)
    assert [(path.name, fault.object_number) for path, fault in result.faults] == [("damaged.cif", 7)]
    with CifReader(damaged_cif, salvage=True) as reader:
        intact = [(cell.object_number, cell.images, cell.masks) for cell in reader]
    assert len(intact) == 39
    if merged:
        intact += [(40 + number, images, masks) for number, images, masks in cells_of(other_cif)]
    same_cells(tmp_path / "a.h5", intact)


def test_existing_output_is_kept_unless_told(tmp_path, demo_cif, other_cif):
    convert(demo_cif, tmp_path / "a.h5")
    before = (tmp_path / "a.h5").read_bytes()
    with pytest.raises(OutputError, match=r"a\.h5: exists already"):
        convert(other_cif, tmp_path / "a.h5")
    assert (tmp_path / "a.h5").read_bytes() == before
    convert(other_cif, tmp_path / "a.h5", overwrite=True)
    same_cells(tmp_path / "a.h5", cells_of(other_cif))


def test_failed_overwrite_keeps_the_old_stack(tmp_path, demo_cif, damaged_cif):
    convert(demo_cif, tmp_path / "a.h5")
    with pytest.raises(FormatError, match="object 7"):
        convert(damaged_cif, tmp_path / "a.h5", overwrite=True)
    same_cells(tmp_path / "a.h5", cells_of(demo_cif))


def test_a_stack_is_no_input(tmp_path, demo_cif):
    stack = convert(demo_cif, tmp_path / "a.h5").outputs[0]
    with pytest.raises(UsageError, match=r"a\.h5: is an HDF5 file: a cell stack needs no conversion"):
        convert(stack, tmp_path / "b.h5")


def test_output_inside_an_input_folder_is_refused(tmp_path, demo_cif):
    folder = export_object_tiffs(demo_cif, tmp_path / "tiffs", objects=[1]).path
    before = set(folder.iterdir())
    for output in (folder, folder / "new" / "a.h5"):
        with pytest.raises(UsageError, match="expected an output apart from the inputs, found it in"):
            convert(folder, output, overwrite=True)
    assert set(folder.iterdir()) == before


def test_no_input_and_missing_input(tmp_path):
    with pytest.raises(UsageError, match="expected at least one input, found none"):
        convert([], tmp_path / "a.h5")
    with pytest.raises(FormatError, match=r"none\.cif: cannot be opened"):
        convert(tmp_path / "none.cif", tmp_path / "a.h5")
    assert list(tmp_path.iterdir()) == []


def test_folder_that_cannot_be_made(tmp_path, demo_cif):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="the folder cannot be made"):
        convert(demo_cif, tmp_path / "file" / "a.h5")


@pytest.mark.parametrize(
    ("raised", "seen"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), OutputError),
        (KeyboardInterrupt("Ctrl-C"), KeyboardInterrupt),
    ],
)
def test_full_disk_or_ctrl_c_leaves_nothing(tmp_path, demo_cif, monkeypatch, raised, seen):
    from ifcyto.stack.objects import ObjectTable

    def fail(*_, **__):
        raise raised

    monkeypatch.setattr(ObjectTable, "append", fail)
    with pytest.raises(seen, match=r"No space left on device|Ctrl-C"):
        convert(demo_cif, tmp_path / "a.h5")
    assert list(tmp_path.iterdir()) == []
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("ifcyto") and "background" not in name]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_kill_in_mid_convert_leaves_nothing_that_looks_complete(tmp_path, demo_cif):
    script = (
        "import sys, time\n"
        "from ifcyto.pipeline.convert import convert\n"
        "def slow(task, done, total):\n"
        "    if done: print('going', flush=True); time.sleep(60)\n"
        "convert(sys.argv[1], sys.argv[2], progress=slow)\n"
    )
    out = tmp_path / "a.h5"
    arguments = [sys.executable, "-c", script, os.fspath(demo_cif), os.fspath(out)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "going\n"
        assert not out.exists()
        assert len(list(tmp_path.iterdir())) == 1  # the part under its temporary name
        process.kill()
        process.wait()
    assert not out.exists()
    assert [path for path in tmp_path.iterdir() if path.suffix == ".h5"] == []
    convert(demo_cif, out)
    same_cells(out, cells_of(demo_cif))


def test_batches_in_memory_are_bounded(tmp_path):
    path = write_demo_cif(tmp_path / "many.cif", n_cells=12 * BATCH_ROWS, seed=1)
    begun, taken, most = 0, 0, 0

    class Counting(CifReader):
        def read_batch(self, rows):
            nonlocal begun, most
            begun += 1
            most = max(most, begun - taken)
            return super().read_batch(rows)

    with Counting(path) as reader:
        for _ in read_batches(Source(reader, None, [0, 1, 2]), workers=2, progress=no_progress, task="t"):
            time.sleep(0.02)  # a slow writer
            taken += 1
    assert (begun, taken) == (12, 12)
    assert most <= 2 + 2 + 1  # a batch a thread, two ahead, the one being written
