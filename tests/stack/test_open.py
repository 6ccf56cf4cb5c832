"""Files that are no sound stack are refused in one line; old files are read for ever."""

from __future__ import annotations

import json
import re
import runpy
import textwrap

import h5py
import numpy as np
import pytest

from ifcyto.cells import FACTS, Cell, Channel
from ifcyto.errors import IfcytoError, StackError
from ifcyto.provenance import sha256_file
from ifcyto.stack import layout
from ifcyto.stack.cell_stack import CellStack
from ifcyto.stack.open import is_cell_stack
from ifcyto.stack.write import write_stack


def edit(path, change) -> None:
    with h5py.File(path, "r+") as file:
        change(file)


def replace_column(key, values):
    def change(file) -> None:
        old = file[key]
        kind, chunks = old.dtype, old.chunks
        del file[key]
        file.create_dataset(key, data=np.asarray(values), dtype=kind, chunks=chunks, maxshape=(None,))

    return change


def set_attribute(name, value):
    return lambda file: file.attrs.__setitem__(name, value)


EDITS = [
    (lambda f: f.attrs.__delitem__("complete"), "is unfinished: it has no end mark"),
    (set_attribute("complete", 0), "is unfinished: it has no end mark"),
    (
        lambda f: f.attrs.__delitem__("format"),
        "expected the attribute format = 'ifcyto cell stack', found None",
    ),
    (
        set_attribute("format", np.bytes_("other")),
        "expected the attribute format = 'ifcyto cell stack', found 'other'",
    ),
    (
        set_attribute("format_version", np.array([2, 3])),
        r"expected version 1\.x, found 2\.3: update the package",
    ),
    (set_attribute("format_version", np.array([0, 3])), r"expected version 1\.0 or later, found 0\.3"),
    (set_attribute("format_version", np.bytes_("1")), "format_version of two whole numbers, found 1"),
    (set_attribute("n_channels", 0), "n_channels from 1 to 1024, found 0"),
    (set_attribute("n_channels", 10**9), "n_channels from 1 to 1024"),
    (set_attribute("n_channels", 2), "/channels/number: expected 2 rows, found 3"),
    *[
        (lambda f, key=key: f.__delitem__(key), f"/{key}: expected a dataset, found nothing")
        for key in ("pixels", "metadata", "provenance", "channels/role", *(c.key for c in layout.COLUMNS))
    ],
    (replace_column("objects/height", [5] * 39), "/objects/height: expected 40 rows, found 39"),
    (replace_column("objects/height", [0] * 40), "/objects/height, row 0: expected an image of 1 x 1"),
    (
        replace_column("objects/height", [2**31 - 1] * 40),
        "row 0: expected offsets that follow the objects' sizes",
    ),
    (
        replace_column("objects/offset", np.arange(41)),
        "row 0: expected offsets that follow the objects' sizes",
    ),
    (
        replace_column("objects/offset", [2**62] * 41),
        "row 0: expected offsets that follow the objects' sizes",
    ),
    (replace_column("objects/centroid_row", [np.nan] * 40), "row 0: expected a centroid inside the image"),
    (replace_column("objects/centroid_row", [1e300] * 40), "row 0: expected a centroid inside the image"),
    (
        replace_column("pixels", np.zeros(10, np.int16)),
        r"/pixels: expected \d+ values by /objects/offset, found \(10,\)",
    ),
    (
        replace_column("masks", np.zeros(10, np.uint8)),
        r"/masks: expected \d+ values by /objects/offset, found \(10,\)",
    ),
]


@pytest.mark.parametrize(("change", "message"), EDITS, ids=[message[:50] for _, message in EDITS])
def test_each_break_of_the_rules_is_named(cells, write, change, message) -> None:
    path = write(cells)
    edit(path, change)
    with pytest.raises(StackError, match=message) as caught:
        CellStack.open(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_newer_minor_version_and_unknown_parts_are_read(cells, write, helpers) -> None:
    path = write(cells)

    def change(file) -> None:
        file.attrs["format_version"] = np.array([1, 7])
        file.create_dataset("objects/mood", data=np.arange(3))
        file.create_group("more")

    edit(path, change)
    with CellStack.open(path) as stack:
        helpers.same(stack.cell(3), cells[3])


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "found one that begins with nothing"), (b"II*\0abcd", "begins with 49 49 2a 00 61 62 63 64"),
     (b"\x89HDF\r\n\x1a\n" + bytes(500), "is unfinished or damaged")],
)  # fmt: skip
def test_files_that_are_no_hdf5_are_refused(tmp_path, content, message) -> None:
    path = tmp_path / "a.h5"
    path.write_bytes(content)
    with pytest.raises(StackError, match=message) as caught:
        CellStack.open(path)
    assert "\n" not in str(caught.value)


def test_missing_files_and_folders_are_refused(tmp_path) -> None:
    with pytest.raises(StackError, match="expected a cell stack, found nothing"):
        CellStack.open(tmp_path / "none.h5")
    with pytest.raises(StackError, match="expected a cell stack, found a folder"):
        CellStack.open(tmp_path)


def test_a_damaged_chunk_is_named_with_its_key(tmp_path, rng, write, helpers) -> None:
    cells = [helpers.cell(rng, i, 12) for i in range(60)]
    path = write(cells)
    with h5py.File(path, "r") as file:
        assert file["pixels"].id.get_num_chunks() > 1
        place = file["pixels"].id.get_chunk_info(1)
    content = bytearray(path.read_bytes())
    content[place.byte_offset + place.size // 2] ^= 1
    path.write_bytes(content)
    with CellStack.open(path) as stack:
        helpers.same(stack.cell(0), cells[0])
        with pytest.raises(StackError, match=r"a\.h5: /pixels: chunk 1 is damaged"):
            list(stack.batches())


def test_an_oversized_chunk_is_refused_before_memory_is_taken(cells, write) -> None:
    path = write(cells)

    def change(file) -> None:
        size = file["pixels"].shape
        del file["pixels"]
        file.create_dataset(
            "pixels", shape=size, maxshape=(None,), chunks=(2**30,), dtype="i2", compression="gzip"
        )

    edit(path, change)
    with pytest.raises(
        StackError, match="/pixels: expected chunks of at most 16777216 bytes, found 2147483648"
    ):
        CellStack.open(path)


def test_a_filter_that_needs_a_plugin_is_refused(cells, write) -> None:
    path = write(cells)

    def change(file) -> None:
        values = file["pixels"][...]
        del file["pixels"]
        file.create_dataset("pixels", data=values, chunks=(1000,), compression="lzf")

    edit(path, change)
    with pytest.raises(StackError, match=r"/pixels: expected gzip with or without shuffle, found .*32000"):
        CellStack.open(path)


def use_all(path) -> None:
    with CellStack.open(path) as stack:
        for batch in stack.batches(16):
            batch.cells()
        stack.images(size=16)
        if stack.has_masks:
            stack.masks(size=16)
        for name in FACTS:
            stack.fact(name)


def test_any_damage_ends_in_success_or_in_one_clear_error(helpers, tmp_path, rng) -> None:
    whole = (helpers.v1 / "small.h5").read_bytes()
    path = tmp_path / "mutant.h5"
    messages = []
    for _ in range(600):
        content = bytearray(whole)
        for place in rng.integers(0, len(content), rng.integers(1, 5)):
            content[place] ^= 1 << int(rng.integers(8))
        if rng.random() < 0.1:
            del content[int(rng.integers(len(content))) :]
        path.write_bytes(content)
        try:
            use_all(path)
        except IfcytoError as error:
            messages.append(str(error))
    assert len(messages) > 100
    assert not any("\n" in message for message in messages)


def test_the_frozen_stack_of_version_1_is_read(helpers) -> None:
    make = runpy.run_path(str(helpers.v1 / "make.py"))
    with CellStack.open(helpers.v1 / "small.h5") as stack:
        assert stack.channels == make["CHANNELS"]
        assert stack.object_numbers.tolist() == list(make["NUMBERS"])
        assert stack.metadata == {"instrument": "simulated"}
        assert stack.provenance["ifcyto"] == "0.1.0"
        for row, (number, shape) in enumerate(zip(make["NUMBERS"], make["SHAPES"], strict=True)):
            cell = stack.cell(row)
            np.testing.assert_array_equal(cell.images, make["pixels"](number, shape), strict=True)
            np.testing.assert_array_equal(cell.masks, make["masks"](number, shape), strict=True)
            for name, value in make["facts"](number).items():
                np.testing.assert_array_equal(getattr(cell, name), value)
        assert stack.fact("label")[2] == ""


def test_the_frozen_stack_is_still_the_file_that_was_frozen(helpers) -> None:
    page = (helpers.root / "tests" / "data" / "README.md").read_text("utf-8")
    assert sha256_file(helpers.v1 / "small.h5") in page


def test_the_three_lines_of_the_page_read_one_cell(cells, write, helpers, monkeypatch) -> None:
    page = (helpers.root / "data_schemas" / "cell_stack.md").read_text("utf-8")
    (snippet,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    assert len(snippet.strip().splitlines()) == 3
    path = write(cells)
    monkeypatch.chdir(path.parent)
    path.rename("sample.h5")
    names = {"h5py": h5py}
    exec(textwrap.dedent(snippet), names)
    np.testing.assert_array_equal(names["image"], cells[7].images)
    names["f"].close()


def test_the_page_and_the_schema_name_every_dataset(helpers) -> None:
    page = (helpers.root / "data_schemas" / "cell_stack.md").read_text("utf-8")
    schema = json.loads((helpers.root / "data_schemas" / "cell_stack.schema.json").read_text("utf-8"))
    keys = {column.key for column in (*layout.COLUMNS, *layout.FACT_COLUMNS.values())}
    keys |= {layout.channel_key(name) for name in layout.CHANNEL_COLUMNS}
    keys |= {layout.PIXELS, layout.MASKS, layout.METADATA, layout.PROVENANCE}
    assert set(schema["properties"]["datasets"]["properties"]) == keys
    for key in keys:
        assert re.search(rf"\b{key.rpartition('/')[2]}\b", page), key


def test_a_stack_is_known_by_its_own_attribute(tmp_path):
    theirs = tmp_path / "theirs.h5"
    with h5py.File(theirs, "w") as file:
        file["pixels"] = np.zeros(4)
        file.attrs["format"] = "another format"
    (tmp_path / "text.h5").write_text("no HDF5")
    cells = [Cell(1, np.zeros((1, 2, 2), np.int16))]
    ours = write_stack(cells, tmp_path / "ours.h5", channels=[Channel(1, "BF")])
    assert is_cell_stack(ours)
    others = (theirs, tmp_path / "text.h5", tmp_path / "gone.h5", tmp_path)
    assert [is_cell_stack(path) for path in others] == [False] * 4
