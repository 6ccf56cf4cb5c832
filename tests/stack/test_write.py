"""What stops a writer leaves nothing behind, and nothing that looks complete."""

from __future__ import annotations

import signal
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pytest

from ifcyto.cells import Cell, Channel
from ifcyto.errors import OutputError, StackError, UsageError
from ifcyto.stack import layout
from ifcyto.stack.cell_stack import CellStack
from ifcyto.stack.write import StackWriter, write_stack

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = {
    "channels": [Channel(1, "a"), Channel(2, "b"), Channel(3, "c")],
    "dtype": "int16",
    "has_masks": True,
}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_file_has_another_name_until_it_is_complete(tmp_path, cells, helpers) -> None:
    with StackWriter(tmp_path / "a.h5", **SETTINGS) as writer:
        writer.append(helpers.batch(cells))
        (name,) = names(tmp_path)
        assert name.startswith(".a.h5.part-")
        assert len(writer) == 40
    assert names(tmp_path) == ["a.h5"]
    with h5py.File(tmp_path / "a.h5") as file:
        assert file.attrs[layout.ATTR_COMPLETE] == 1


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_exception_in_the_block_leaves_nothing(tmp_path, cells, helpers, error) -> None:
    with pytest.raises(error, match="stop"), StackWriter(tmp_path / "a.h5", **SETTINGS) as writer:
        writer.append(helpers.batch(cells))
        raise error("stop")
    assert names(tmp_path) == []


def test_an_existing_file_is_kept_unless_told_otherwise(tmp_path, cells, helpers) -> None:
    path = tmp_path / "a.h5"
    path.write_text("mine")
    with pytest.raises(OutputError, match=r"a\.h5: exists already: choose another name or allow overwriting"):
        write_stack(cells, path, channels=SETTINGS["channels"])
    assert path.read_text() == "mine"
    with pytest.raises(ValueError, match="stop"), StackWriter(path, **SETTINGS, overwrite=True) as writer:
        writer.append(helpers.batch(cells))
        raise ValueError("stop")
    assert path.read_text() == "mine"
    write_stack(cells, path, channels=SETTINGS["channels"], overwrite=True)
    with CellStack.open(path) as stack:
        helpers.same(stack.cell(0), cells[0])
    assert names(tmp_path) == ["a.h5"]


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path, cells, helpers) -> None:
    path = tmp_path / "a.h5"
    with pytest.raises(OutputError, match="exists already"), StackWriter(path, **SETTINGS) as writer:
        writer.append(helpers.batch(cells))
        path.write_text("other")
    assert path.read_text() == "other"
    assert names(tmp_path) == ["a.h5"]


def test_a_missing_folder_and_a_folder_in_the_way_are_said(tmp_path, cells) -> None:
    with pytest.raises(OutputError, match=r"expected the folder .*none to exist: make it first"):
        write_stack(cells, tmp_path / "none" / "a.h5", channels=SETTINGS["channels"])
    with pytest.raises(OutputError, match="expected a file name, found a folder"):
        write_stack(cells, tmp_path, channels=SETTINGS["channels"], overwrite=True)


def test_object_numbers_must_be_unique(tmp_path, cells, helpers) -> None:
    twin = Cell(cells[4].object_number, cells[0].images, cells[0].masks)
    message = r"a\.h5: expected each object number once, found object 14 twice"
    with pytest.raises(UsageError, match=message):
        write_stack([*cells, twin], tmp_path / "a.h5", channels=SETTINGS["channels"])
    with pytest.raises(UsageError, match=message):
        write_stack(
            [helpers.batch(cells), helpers.batch([twin])], tmp_path / "a.h5", channels=SETTINGS["channels"]
        )
    single = [helpers.batch([cell]) for cell in (*cells[::-1], twin)]
    with pytest.raises(UsageError, match=message):
        write_stack(single, tmp_path / "a.h5", channels=SETTINGS["channels"])
    assert names(tmp_path) == []


def test_a_refused_batch_does_not_spoil_the_stack(tmp_path, cells, helpers) -> None:
    with StackWriter(tmp_path / "a.h5", **SETTINGS) as writer:
        with pytest.raises(UsageError, match="found object 2 twice"):
            writer.append(helpers.batch([cells[0], cells[0]]))
        writer.append(helpers.batch(cells[:3]))
        with pytest.raises(UsageError, match="found object 5 twice"):
            writer.append(helpers.batch(cells[1:2]))
        writer.append(helpers.batch(cells[3:]))
    with CellStack.open(tmp_path / "a.h5") as stack:
        for row, cell in enumerate(cells):
            helpers.same(stack.cell(row), cell)


def bad_batches(batch):
    yield replace(batch, n_channels=2), "expected 3 channels, found 2"
    yield replace(batch, pixels=batch.pixels.astype(np.int32)), "expected int16 pixels, found int32"
    yield replace(batch, masks=None), "expected masks, found none"
    yield replace(batch, pixels=batch.pixels[1:]), r"expected \d+ pixels by the objects' sizes, found"
    yield replace(batch, masks=batch.masks[1:]), r"expected \d+ mask values, found"
    yield replace(batch, masks=batch.masks.astype(np.int16)), "expected masks of uint8, found int16"
    yield replace(batch, heights=batch.heights[1:]), "expected 40 heights and widths"
    zero = batch.heights.copy()
    zero[2] = 0
    yield replace(batch, heights=zero), r"object 8: expected an image of 1 x 1 pixels or more, found 0 x \d+"
    yield (
        replace(batch, facts={"speed": batch.heights}),
        r"expected facts of ifcyto.cells.FACTS, found 'speed'",
    )
    wrong = {"background_mean": np.zeros((40, 2))}
    yield replace(batch, facts=wrong), r"fact background_mean: expected the shape \(40, 3\), found \(40, 2\)"


@pytest.mark.parametrize("which", range(10))
def test_batches_that_do_not_fit_are_refused_by_name(tmp_path, cells, helpers, which) -> None:
    batch, message = list(bad_batches(helpers.batch(cells)))[which]
    with pytest.raises(UsageError, match=message), StackWriter(tmp_path / "a.h5", **SETTINGS) as writer:
        writer.append(batch)
    assert names(tmp_path) == []


def test_wrong_settings_are_refused(tmp_path, cells, helpers) -> None:
    path = tmp_path / "a.h5"
    with pytest.raises(UsageError, match="expected 1 to 1024 channels, found 0"):
        StackWriter(path, channels=[], dtype="int16", has_masks=True)
    with pytest.raises(UsageError, match=r"expected pixels of int8, .*; found complex64"):
        StackWriter(path, channels=SETTINGS["channels"], dtype="complex64", has_masks=True)
    with pytest.raises(UsageError, match="expected an open writer: append inside the with block"):
        StackWriter(path, **SETTINGS).append(helpers.batch(cells))
    with pytest.raises(UsageError, match="expected cells, found none: give the dtype"):
        write_stack([], path, channels=SETTINGS["channels"])
    mixed = [cells[0], Cell(1000, cells[1].images)]
    with pytest.raises(UsageError, match="expected masks for all cells or for none"):
        write_stack(mixed, path, channels=SETTINGS["channels"])
    assert names(tmp_path) == []


def test_an_empty_stack_is_sound(tmp_path) -> None:
    path = write_stack([], tmp_path / "a.h5", channels=SETTINGS["channels"], dtype="uint16")
    with CellStack.open(path) as stack:
        assert len(stack) == 0
        assert stack.images(size=8).shape == (0, 3, 8, 8)
        assert list(stack.batches()) == []


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from ifcyto.cells import Cell, CellBatch, Channel
from ifcyto.stack.write import StackWriter
rng = np.random.default_rng(1)
with StackWriter(Path(sys.argv[1]), channels=[Channel(1, "a")], dtype="int16", has_masks=False) as writer:
    for start in range(0, 400, 40):
        cells = [Cell(start + i, rng.integers(0, 999, (1, 90, 90)).astype("int16")) for i in range(40)]
        writer.append(CellBatch.from_cells(cells, n_channels=1, dtype=np.dtype("int16")))
    if sys.argv[2] == "flushed":
        writer._file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize("state", ["flushed", "unflushed"])
def test_a_killed_writer_leaves_nothing_that_opens(tmp_path, state) -> None:
    path = tmp_path / "a.h5"
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), state], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    (name,) = names(tmp_path)
    assert name.startswith(".a.h5.part-")
    with pytest.raises(StackError, match=r"unfinished or damaged|expected an HDF5 file") as caught:
        CellStack.open(tmp_path / name)
    assert "\n" not in str(caught.value)


FULL = """
import resource, sys
from pathlib import Path
import numpy as np
from ifcyto.cells import Cell, CellBatch, Channel
from ifcyto.errors import OutputError
from ifcyto.stack.write import StackWriter
rng = np.random.default_rng(1)
try:
    with StackWriter(Path(sys.argv[1]), channels=[Channel(1, "a")], dtype="int16", has_masks=False) as writer:
        limit = int(sys.argv[2])
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        for start in range(0, 400, 40):
            cells = [Cell(start + i, rng.integers(0, 9999, (1, 90, 90)).astype("int16")) for i in range(40)]
            writer.append(CellBatch.from_cells(cells, n_channels=1, dtype=np.dtype("int16")))
except OutputError as error:
    sys.stdout.write(str(error))
"""


@pytest.mark.parametrize("limit", [50_000, 1_000_000, 4_000_000])
def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path, limit) -> None:
    pytest.importorskip("resource", reason="file size limits stand for a full disk; this system has none")
    path = tmp_path / "a.h5"
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path), str(limit)], check=False, capture_output=True, text=True
    )
    assert done.stdout.startswith(f"{path}: cannot be written: ")
    assert "\n" not in done.stdout
    assert (done.returncode, done.stderr) == (0, "")
    assert names(tmp_path) == []


def test_memory_does_not_grow_with_the_number_of_batches(tmp_path, rng, helpers) -> None:
    cells = [helpers.cell(rng, i) for i in range(100)]
    batch = helpers.batch(cells)
    peaks = []
    for count in (40, 400):
        tracemalloc.start()
        with StackWriter(tmp_path / f"{count}.h5", **SETTINGS, workers=2) as writer:
            for i in range(count):
                writer.append(replace(batch, object_numbers=np.arange(i * 100, i * 100 + 100)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    extra = 360 * (batch.pixels.nbytes + batch.masks.nbytes)
    assert peaks[1] - peaks[0] < extra / 10
