"""What goes into a stack comes out of it, bit for bit, through us and through plain h5py."""

from __future__ import annotations

import pickle
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ifcyto.cells import FACTS, Cell, CellBatch, Channel
from ifcyto.errors import UsageError
from ifcyto.stack import layout
from ifcyto.stack.cell_stack import CellStack
from ifcyto.stack.chunks import pack, unpack
from ifcyto.stack.write import StackWriter, write_stack

DTYPES = [str(dtype) for dtype in layout.PIXEL_DTYPES]


@st.composite
def cell_lists(draw: st.DrawFn) -> tuple[list[Cell], str]:
    n_channels, dtype, masked = draw(st.integers(1, 12)), draw(st.sampled_from(DTYPES)), draw(st.booleans())
    numbers = draw(st.lists(st.integers(-(2**62), 2**62), unique=True, max_size=6))
    names = draw(st.lists(st.sampled_from(list(FACTS)), unique=True))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    cells = []
    for number in numbers:
        shape = (n_channels, draw(st.integers(1, 30)), draw(st.integers(1, 30)))
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        images = np.frombuffer(rng.bytes(size), dtype).reshape(shape)
        masks = rng.integers(0, 256, shape).astype(np.uint8) if masked else None
        facts = {name: fact_value(rng, name, n_channels) for name in names if draw(st.booleans())}
        cells.append(Cell(number, images, masks, facts))
    return cells, dtype


def fact_value(rng: np.random.Generator, name: str, n_channels: int) -> object:
    spec = FACTS[name]
    if spec.dtype == "str":
        return "".join(rng.choice(list("aé中 ,")) for _ in range(rng.integers(0, 9)))
    if spec.per_channel:
        return rng.normal(size=n_channels)
    return int(rng.integers(0, 2**60)) if spec.dtype == "int64" else float(rng.normal())


@settings(max_examples=60, deadline=None)
@given(cell_lists(), st.integers(1, 4))
def test_any_cells_come_back_bit_exact(drawn: tuple[list[Cell], str], at_once: int) -> None:
    cells, dtype = drawn
    n_channels = cells[0].images.shape[0] if cells else 2
    channels = [Channel(i + 1, f"c{i}") for i in range(n_channels)]
    masked = bool(cells) and cells[0].masks is not None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.h5"
        with StackWriter(path, channels=channels, dtype=dtype, has_masks=masked, workers=1) as writer:
            for start in range(0, len(cells), at_once):
                part = cells[start : start + at_once]
                writer.append(CellBatch.from_cells(part, n_channels=n_channels, dtype=np.dtype(dtype)))
        with CellStack.open(path) as stack:
            assert stack.channels == tuple(channels)
            assert (len(stack), stack.dtype, stack.has_masks) == (len(cells), np.dtype(dtype), masked)
            for row, cell in enumerate(cells):
                found = stack.cell(row)
                assert found.object_number == cell.object_number
                assert found.images.shape == cell.images.shape
                assert found.images.tobytes() == cell.images.tobytes()
                if masked:
                    assert found.masks.tobytes() == cell.masks.tobytes()
                for name in stack.facts:
                    expected = cell.facts.get(name, FACTS[name].missing)
                    np.testing.assert_array_equal(found.facts[name], expected)
                assert set(cell.facts) <= set(stack.facts)


def test_cells_over_several_chunks_come_back(tmp_path, rng, helpers) -> None:
    big = [
        Cell(
            i,
            rng.integers(-500, 500, (4, 150, 211)).astype(np.int16),
            rng.integers(0, 2, (4, 150, 211), np.uint8),
        )
        for i in range(5)
    ]
    path = write_stack(big, tmp_path / "a.h5", channels=helpers.channels(4))
    with CellStack.open(path) as stack:
        assert sum(cell.images.size for cell in big) > 4 * layout.CHUNK_PIXELS
        for row in (4, 0, 2, 1, 3):
            helpers.same(stack.cell(row), big[row])


def test_plain_h5py_reads_the_same(cells, write, helpers) -> None:
    path = write(cells)
    batch = helpers.batch(cells)
    with h5py.File(path, "r") as file:
        np.testing.assert_array_equal(file["pixels"][...], batch.pixels)
        np.testing.assert_array_equal(file["masks"][...], batch.masks)
        a, b = batch.offsets[7:9]
        np.testing.assert_array_equal(file["pixels"][a:b], cells[7].images.ravel())
        np.testing.assert_array_equal(file["objects/offset"][...], batch.offsets)
        np.testing.assert_array_equal(file["objects/object_number"][...], batch.object_numbers)
        np.testing.assert_array_equal(file["objects/background_mean"][...], batch.facts["background_mean"])


def test_a_stack_written_by_stock_hdf5_filters_is_read(cells, write, tmp_path, helpers) -> None:
    copy = tmp_path / "copy.h5"
    with h5py.File(write(cells), "r") as old, h5py.File(copy, "w") as new:
        new.attrs.update(old.attrs)
        for name in (*layout.COLUMNS, *layout.FACT_COLUMNS.values()):
            if name.key in old:
                new.create_dataset(name.key, data=old[name.key][...], chunks=(7, *old[name.key].shape[1:]))
        for name in ("pixels", "masks"):
            new.create_dataset(
                name, data=old[name][...], chunks=(1000,), compression="gzip", compression_opts=9
            )
        for name in ("channels", "metadata", "provenance"):
            old.copy(name, new)
    with CellStack.open(copy) as stack:
        for row, cell in enumerate(cells):
            helpers.same(stack.cell(row), cell)


def test_workers_do_not_change_the_content(tmp_path, rng, helpers) -> None:
    cells = [helpers.cell(rng, i, 6) for i in range(300)]
    files = []
    for workers in (1, 2):
        path = tmp_path / f"{workers}.h5"
        write_stack(cells, path, channels=helpers.channels(6), provenance={}, workers=workers)
        files.append(path.read_bytes())
    assert files[0] == files[1]


def test_how_batches_are_cut_does_not_change_the_content(cells, tmp_path, helpers) -> None:
    contents = []
    for size in (1, 7, 40):
        path = tmp_path / f"{size}.h5"
        batches = [helpers.batch(cells[i : i + size]) for i in range(0, 40, size)]
        write_stack(batches, path, channels=helpers.channels(3), provenance={})
        contents.append(path.read_bytes())
    assert contents[0] == contents[1] == contents[2]


def test_facts_that_come_late_or_stay_away_are_filled_with_missing(cells, tmp_path, helpers) -> None:
    first = [Cell(1, cells[0].images, cells[0].masks)]
    second = [Cell(2, cells[1].images, cells[1].masks, {"camera_line": 9, "label": "G1", "time": 0.5})]
    third = [Cell(3, cells[2].images, cells[2].masks, {"time": 1.5})]
    batches = [helpers.batch(part) for part in (first, second, third)]
    with CellStack.open(write_stack(batches, tmp_path / "a.h5", channels=helpers.channels(3))) as stack:
        assert stack.facts == ("camera_line", "time", "label")
        assert stack.fact("camera_line").tolist() == [-1, 9, -1]
        assert stack.fact("label").tolist() == ["", "G1", ""]
        np.testing.assert_array_equal(stack.fact("time"), [np.nan, 0.5, 1.5])
        assert stack.fact("flow_speed") is None
        with pytest.raises(UsageError, match=r"expected a fact of .*label; found 'speed'"):
            stack.fact("speed")


def test_batches_go_through_everything_once(cells, write, helpers) -> None:
    with CellStack.open(write(cells)) as stack:
        found = [cell for batch in stack.batches(size=7) for cell in batch.cells()]
        assert len(found) == 40
        for one, other in zip(found, cells, strict=True):
            helpers.same(one, other)
        part = [cell.object_number for batch in stack.batches(2, rows=[5, 1, 1]) for cell in batch.cells()]
        assert part == [17, 5, 5]
        with pytest.raises(UsageError, match="expected batches of 1 object or more, found 0"):
            stack.batches(0)


def test_source_numbers_and_metadata_are_kept(cells, tmp_path, helpers) -> None:
    path = tmp_path / "a.h5"
    settings = {"channels": helpers.channels(3), "dtype": "int16", "has_masks": True}
    with StackWriter(path, **settings, metadata={"odd": "\udcff\0é"}, provenance={"sources": []}) as writer:
        writer.append(helpers.batch(cells[:2]))
        writer.append(helpers.batch(cells[2:4]), 1, source_object_numbers=np.array([0, 1]))
        writer.provenance["lost"] = 3
    with CellStack.open(path) as stack:
        assert stack.sources.tolist() == [0, 0, 1, 1]
        assert stack.source_object_numbers.tolist() == [2, 5, 0, 1]
        assert stack.metadata == {"odd": "\udcff\0é"}
        assert stack.provenance == {"sources": [], "lost": 3}


def test_a_pickled_stack_opens_again_and_threads_agree(cells, write, helpers) -> None:
    path = write(cells)
    with CellStack.open(path) as stack, pickle.loads(pickle.dumps(stack)) as again:
        helpers.same(again.cell(5), cells[5])
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(stack.cell, [i % 40 for i in range(400)]))
    for i, cell in enumerate(found):
        helpers.same(cell, cells[i % 40])


def test_rows_of_finds_numbers_in_any_order(cells, write) -> None:
    with CellStack.open(write(cells[::-1])) as stack:
        assert stack.rows_of([2, 119, 5]).tolist() == [39, 0, 38]
        with pytest.raises(UsageError, match=r"2 of 3 objects are not in the stack: 3, 4$"):
            stack.rows_of([2, 3, 4])


def test_reading_a_closed_stack_is_a_clear_error(cells, write) -> None:
    stack = CellStack.open(write(cells))
    stack.close()
    with pytest.raises(UsageError, match="the stack is closed: open it again"):
        stack.cell(0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_packed_chunks_are_what_stock_hdf5_makes(tmp_path, rng, dtype) -> None:
    values = np.frombuffer(rng.bytes(1000 * np.dtype(dtype).itemsize), dtype)
    shuffled = values.dtype.itemsize > 1
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data = file.create_dataset("a", data=values, chunks=(1000,), compression="gzip", shuffle=shuffled)
        _, stock = data.id.read_direct_chunk((0,))
        assert unpack(stock, values.dtype, 1000).tobytes() == values.tobytes()
        data.id.write_direct_chunk((0,), pack(values))
        file.flush()
    with h5py.File(tmp_path / "a.h5", "r") as file:
        assert file["a"][...].tobytes() == values.tobytes()


def test_unpack_refuses_what_is_too_long_too_short_or_cut() -> None:
    packed = pack(np.zeros(1000, np.int16))
    with pytest.raises(ValueError, match="expected 1998 bytes, found more"):
        unpack(packed, np.dtype("int16"), 999)
    with pytest.raises(ValueError, match="expected 2002 bytes, found 2000"):
        unpack(packed, np.dtype("int16"), 1001)
    with pytest.raises(ValueError, match="the compressed data have no end"):
        unpack(packed[:-2], np.dtype("int16"), 1000)
