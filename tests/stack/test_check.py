"""The check lists every fault of a stack, and none of a sound one."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from ifcyto.cells import Cell
from ifcyto.stack.check import check_stack, describe


def texts(path) -> list[str]:
    return [str(fault) for fault in check_stack(path)]


def change_values(path, key, change) -> None:
    """Rewrite a dataset in place through stock HDF5."""
    with h5py.File(path, "r+") as file:
        values = file[key][...]
        change(values)
        file[key][...] = values


def damage(path, key, chunk) -> None:
    with h5py.File(path, "r") as file:
        place = file[key].id.get_chunk_info(chunk)
    content = bytearray(path.read_bytes())
    content[place.byte_offset + place.size // 2] ^= 1
    path.write_bytes(content)


def test_sound_stacks_have_no_faults(cells, write, helpers) -> None:
    assert check_stack(write(cells)) == []
    assert check_stack(helpers.v1 / "small.h5") == []
    bare = [Cell(cell.object_number, cell.images) for cell in cells]
    assert check_stack(write(bare, overwrite=True)) == []


def test_a_stack_is_described(cells, write) -> None:
    found = describe(write(cells))
    assert found["attributes"]["format"] == "ifcyto cell stack"
    assert found["attributes"]["format_version"] == [1, 0]
    pixels = found["datasets"]["pixels"]
    assert (pixels["dtype"], pixels["rank"], pixels["filters"]) == ("int16", 1, [2, 1])
    assert found["datasets"]["masks"]["filters"] == [1]
    assert found["datasets"]["channels/name"]["dtype"] == "text"
    assert found["datasets"]["objects/background_mean"]["shape"] == [40, 3]


def test_every_damaged_chunk_is_listed(tmp_path, rng, write, helpers) -> None:
    path = write([helpers.cell(rng, i, 12) for i in range(60)])
    damage(path, "pixels", 1)
    damage(path, "pixels", 0)
    damage(path, "masks", 0)
    damage(path, "objects/flow_speed", 0)
    found = texts(path)
    assert [text.partition(": ")[0] for text in found] == [
        "/objects/flow_speed",
        "/pixels",
        "/pixels",
        "/masks",
    ]
    assert [text.partition(": ")[2][:19] for text in found[1:]] == [
        "chunk 0 is damaged:", "chunk 1 is damaged:", "chunk 0 is damaged:"
    ]  # fmt: skip


def test_all_breaks_of_the_schema_are_listed(cells, write) -> None:
    path = write(cells)
    with h5py.File(path, "r+") as file:
        del file["objects/height"], file["metadata"], file.attrs["complete"]
    assert texts(path) == [
        "schema: $.attributes: 'complete' is a required property",
        "schema: $.datasets: 'metadata' is a required property",
        "schema: $.datasets: 'objects/height' is a required property",
    ]


@pytest.mark.parametrize(
    ("key", "row", "value", "expected"),
    [
        ("objects/object_number", 5, 2, "object 2: expected each object number once, found it twice or more"),
        ("objects/source", 5, -1, "object 17, /objects/source: expected a source of 0 or more, found -1"),
        ("objects/height", 5, 0, "/objects/height, row 5: expected an image of 1 x 1 pixels or more"),
        ("objects/offset", 5, 0, "/objects/offset, row 4: expected offsets that follow the objects' sizes"),
    ],
)
def test_wrong_values_are_named(cells, write, key, row, value, expected) -> None:
    path = write(cells)
    change_values(path, key, lambda values: values.__setitem__(row, value))
    assert texts(path) == [expected]


def test_a_source_that_provenance_does_not_know_is_named(cells, write) -> None:
    path = write(cells, provenance={"sources": [{"name": "a.cif"}]})
    change_values(path, "objects/source", lambda values: values.__setitem__(slice(5, None), 1))
    assert texts(path) == ["object 17, /objects/source: expected a source of 0 to 0, found 1"]


def test_a_centroid_that_is_not_the_masks_is_named(cells, write) -> None:
    path = write(cells)
    change_values(path, "objects/centroid_row", lambda values: values.__setitem__(5, 0.0))
    (fault,) = check_stack(path)
    assert fault.object_number == 17
    assert "expected the mask's centroid, found one" in fault.message


def test_masks_that_mark_nothing_are_suspicious(rng, cells, write) -> None:
    white = [Cell(c.object_number, c.images, np.where(c.masks == 1, 255, 0).astype(np.uint8)) for c in cells]
    assert texts(write(white)) == ["/masks: expected mask pixels of value 1, found none in any object"]


def test_files_that_cannot_be_opened_are_one_fault(tmp_path) -> None:
    (tmp_path / "a.h5").write_bytes(b"text")
    (fault,) = check_stack(tmp_path / "a.h5")
    assert str(fault) == "expected an HDF5 file, found one that begins with 74 65 78 74"
    (fault,) = check_stack(tmp_path / "none.h5")
    assert str(fault) == "expected a cell stack, found nothing"
