from __future__ import annotations

import numpy as np
import pytest

from ifcyto.cells import Cell, CellBatch, Channel
from ifcyto.errors import FormatError, UsageError
from ifcyto.pipeline.objects import choose_channels, objects_per_source, read_objects, select_channels

CHANNELS = [Channel(1, "BF", brightfield=True), Channel(2, "CD235a"), Channel(5, "DRAQ5", role="DNA")]


@pytest.mark.parametrize(
    "text",
    [
        "\n3\n10\n7\n",
        "\r\n3\r\n10\r\n7\r\n",
        "BNE candidates\n3\n10\n7\n\n",
        "3\n10\n7",
        "label,object_number\nBNE,3\nDoublet,10\nBNE,7\n",
        "object,population\n3,ProE\n10,BasoE\n7,ProE\n",
        "\ufeffObject Number\tx\n".replace("\tx", "") + "3\n10\n7\n",
    ],
)
def test_every_known_form_of_population_file(tmp_path, text):
    path = tmp_path / "a.pop"
    path.write_bytes(text.encode())
    assert read_objects(path).tolist() == [3, 10, 7]


def test_empty_population_is_an_empty_choice(tmp_path):
    path = tmp_path / "a.pop"
    path.write_text("\n")
    assert read_objects(path).tolist() == []


@pytest.mark.parametrize("bad", ["-4", "4.5", "seven", "99999999999999999999", "\x00\x01"])
def test_line_without_an_object_number_is_named(tmp_path, bad):
    path = tmp_path / "a.pop"
    path.write_text(f"\n3\n{bad}\n")
    with pytest.raises(FormatError, match=r"a\.pop: (line 3: expected an object number|cannot be read)"):
        read_objects(path)


def test_missing_population_file(tmp_path):
    with pytest.raises(FormatError, match=r"none\.pop: cannot be read as a list of objects"):
        read_objects(tmp_path / "none.pop")


def test_one_choice_a_source(tmp_path):
    path = tmp_path / "a.pop"
    path.write_text("\n5\n")
    assert objects_per_source(None, 2) == [None, None]
    assert objects_per_source(str(path), 1)[0].tolist() == [5]
    first, second, third = objects_per_source([path, None, np.array([2, 1])], 3)
    assert (first.tolist(), second, third.tolist()) == ([5], None, [2, 1])
    with pytest.raises(UsageError, match="expected 2 lists for 2 inputs, found 1"):
        objects_per_source([1, 2], 2)


def test_channels_by_name_role_label_and_number():
    assert choose_channels(CHANNELS, None) == [0, 1, 2]
    assert choose_channels(CHANNELS, ["DRAQ5", "bf"]) == [0, 2]
    assert choose_channels(CHANNELS, [5, "2"]) == [1, 2]
    assert choose_channels(CHANNELS, ["DNA", "Ch05", "ch5 "]) == [2]
    with pytest.raises(
        UsageError, match=r"called 'CD71', found none; the file has Ch01 BF, Ch02 CD235a, Ch05"
    ):
        choose_channels(CHANNELS, ["CD71"])
    with pytest.raises(UsageError, match="at least one channel"):
        choose_channels(CHANNELS, [])
    with pytest.raises(UsageError, match="found 2 channels"):
        choose_channels([Channel(1, "A"), Channel(2, "A")], ["A"])


def test_selecting_channels_equals_slicing_each_cell(rng):
    cells = [
        Cell(
            number,
            rng.integers(-99, 999, (3, height, width)).astype(np.int16),
            rng.integers(0, 2, (3, height, width)).astype(np.uint8),
            {"background_mean": rng.normal(size=3), "camera_line": number},
        )
        for number, (height, width) in enumerate([(4, 5), (1, 1), (7, 3)])
    ]
    batch = CellBatch.from_cells(cells, n_channels=3, dtype=np.dtype(np.int16))
    assert select_channels(batch, [0, 1, 2]) is batch
    for before, after in zip(cells, select_channels(batch, [0, 2]).cells(), strict=True):
        assert np.array_equal(after.images, before.images[[0, 2]])
        assert np.array_equal(after.masks, before.masks[[0, 2]])
        assert np.array_equal(after.background_mean, before.background_mean[[0, 2]])
        assert after.camera_line == before.camera_line
