"""Each check of the battery, shown red by a reader with just that fault."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path

import numpy as np
import pytest

from ifcyto.cells import Cell, CellBatch, Channel
from ifcyto.errors import UsageError
from ifcyto.readers.arrays import ArrayReader
from ifcyto.readers.base import Reader
from ifcyto.testing import check_reader, same_cells


class Sound(Reader):
    """Three cells of two channels, with masks and facts; subclasses break one thing each."""

    format = "sound"

    def __init__(self, path="nowhere", *, salvage=False):
        super().__init__(path, salvage=salvage)
        self.channels = (Channel(1, "BF"), Channel(5, "DNA"))
        self.object_numbers = np.array([4, 2, 9], np.int64)
        self.dtype = np.dtype(np.int16)
        self.has_masks = True

    @classmethod
    def sniff(cls, path, head):
        return False

    def cell(self, row):
        images = np.full((2, 3, 4 + row), row, self.dtype)
        facts = {"background_mean": np.array([1.0, row]), "camera_line": row, "label": "x", "time": 0.5}
        return Cell(int(self.object_numbers[row]), images, np.ones(images.shape, np.uint8), facts)

    def read_cell(self, row):
        return self.cell(self.check_row(row))


def changed(**fields):
    """Reader whose cells have other fields."""

    class Changed(Sound):
        def cell(self, row):
            cell = super().cell(row)
            values = {name: getattr(cell, name) for name in ("object_number", "images", "masks", "facts")}
            return Cell(**values | {name: make(cell) for name, make in fields.items()})

    return Changed


def having(**attributes):
    """Reader with other attributes."""

    class Having(Sound):
        def __init__(self, path="nowhere", *, salvage=False):
            super().__init__(path, salvage=salvage)
            for name, value in attributes.items():
                setattr(self, name, value)

    return Having


class ReadsOtherPixelsAlone(Sound):
    def read_cell(self, row):
        cell = super().read_cell(row)
        return Cell(cell.object_number, cell.images + 1, cell.masks, cell.facts)

    def read_batch(self, rows):
        cells = [self.cell(self.check_row(row)) for row in rows]
        return CellBatch.from_cells(cells, n_channels=2, dtype=self.dtype)


class WideMasks(Sound):
    def read_cell(self, row):
        cell = super().read_cell(row)
        return Cell(cell.object_number, cell.images, cell.masks.astype(np.int16), cell.facts)

    def read_batch(self, rows):
        cells = [self.cell(self.check_row(row)) for row in rows]
        return CellBatch.from_cells(cells, n_channels=2, dtype=self.dtype)


class SortsItsBatches(Sound):
    def read_batch(self, rows):
        return super().read_batch(sorted(rows))


class NeedsRows(Sound):
    def read_batch(self, rows):
        return super().read_batch(rows or [0])


class GivesAList(Sound):
    def read_batch(self, rows):
        return super().read_batch(rows).cells()

    def __iter__(self):
        yield from self.read_batch(range(len(self)))


class DropsOne(Sound):
    def __iter__(self):
        yield from list(super().__iter__())[:-1]


class Backwards(Sound):
    def __iter__(self):
        yield from list(super().__iter__())[::-1]


class ForgetsTheFact(Sound):
    def read_batch(self, rows):
        batch = super().read_batch(rows)
        batch.facts.pop("camera_line")
        return batch


class NegativeRows(Sound):
    def read_cell(self, row):
        return self.cell(range(3)[row])


class SaysNothingOfTheCount(Sound):
    def check_row(self, row):
        if not 0 <= row < 3:
            raise UsageError("no such row")
        return row


class CannotBePickled(Sound):
    def __reduce__(self):
        raise TypeError("cannot pickle a lock")


class SevenMore(Sound):
    def cell(self, row):
        cell = super().cell(row)
        return Cell(cell.object_number, cell.images + 7, cell.masks, cell.facts)


class PicklesWrongly(Sound):
    def __reduce__(self):
        return SevenMore, ()


HELD = []


class LeavesAFileOpen(Sound):
    def __init__(self, path="nowhere", *, salvage=False):
        super().__init__(path, salvage=salvage)
        HELD.append(os.open(__file__, os.O_RDONLY))


class Another(ArrayReader):
    pass


class TwoThreads(Sound):
    """Reads wrongly outside the main thread."""

    def cell(self, row):
        cell = super().cell(row)
        if threading.current_thread() is threading.main_thread():
            return cell
        return Cell(cell.object_number, cell.images - 1, cell.masks, cell.facts)


class Foreign:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


FAULTY = {
    "another type": (lambda: Foreign, "expected a Reader, found Foreign"),
    "format": (lambda: having(format=None), "expected format of str, found NoneType"),
    "path": (lambda: having(path="text"), "expected path of Path, found str"),
    "list of channels": (
        lambda: having(channels=[Channel(1, "a")]),
        "expected channels of tuple, found list",
    ),
    "no channels": (lambda: having(channels=()), "expected at least one channel, found none"),
    "channel type": (
        lambda: having(channels=("BF", "DNA")),
        "expected channels of Channel, found another type",
    ),
    "channel twice": (
        lambda: having(channels=(Channel(1, "a"),) * 2),
        "expected unique channel numbers, found [1, 1]",
    ),
    "channel zero": (
        lambda: having(channels=(Channel(0, "a"), Channel(1, "b"))),
        "channels numbered from 1 and named",
    ),
    "nameless": (
        lambda: having(channels=(Channel(1, ""), Channel(2, "b"))),
        "channels numbered from 1 and named",
    ),
    "int32 numbers": (
        lambda: having(object_numbers=np.arange(3, dtype=np.int32)),
        "expected object_numbers (N,) of int64, found int32",
    ),
    "duplicates": (lambda: having(object_numbers=np.array([4, 4, 9])), "expected unique object_numbers"),
    "narrow dtype": (
        lambda: having(dtype=np.dtype(np.uint8)),
        "pixels of int16 or wider, or float, found uint8",
    ),
    "unsigned dtype": (
        lambda: having(dtype=np.dtype(np.uint16)),
        "pixels of int16 or wider, or float, found uint16",
    ),
    "foreign order": (lambda: having(dtype=np.dtype(">i2")), "pixels of int16 or wider, or float, found >i2"),
    "dtype class": (lambda: having(dtype=np.int16), "expected dtype of dtype, found type"),
    "has_masks": (lambda: having(has_masks=None), "expected has_masks of bool, found NoneType"),
    "notes": (lambda: having(notes=["a\nb"]), "expected notes of one line each"),
    "metadata": (
        lambda: having(metadata={"a": b"x"}),
        "expected metadata that can be written as JSON, found",
    ),
    "faults": (lambda: having(faults=["text"]), "expected faults of Fault, found another type"),
    "drops": (lambda: DropsOne, "expected 3 cells by iteration, found 2"),
    "backwards": (lambda: Backwards, "expected cells in the order of object_numbers, found [9, 2, 4]"),
    "numpy number": (
        lambda: changed(object_number=lambda cell: np.int64(cell.object_number)),
        "object_number of int, found int64",
    ),
    "cell dtype": (
        lambda: changed(images=lambda cell: cell.images.astype(np.int8)),
        "pixels of the reader's dtype int16, found int8",
    ),
    "mask dtype": (lambda: WideMasks, "masks (2, 3, 6) of uint8, found (2, 3, 6) of int16"),
    "no pixels": (
        lambda: changed(images=lambda cell: cell.images[:, :0], masks=lambda cell: cell.masks[:, :0]),
        "object 4: images (2, H, W), found (2, 0, 4)",
    ),
    "no masks": (lambda: changed(masks=lambda _: None), "object 4: masks as has_masks says, found none"),
    "masks unsaid": (lambda: having(has_masks=False), "object 4: no masks as has_masks says, found some"),
    "unknown fact": (lambda: changed(facts=lambda _: {"colour": 1}), "facts of FACTS, found 'colour'"),
    "fact for all channels": (
        lambda: changed(facts=lambda _: {"background_sd": 1.0}),
        "background_sd of shape (2,), found ()",
    ),
    "fact of text": (lambda: changed(facts=lambda _: {"time": "0.5"}), "time of float64, found '0.5'"),
    "number for text": (lambda: changed(facts=lambda _: {"label": 3}), "label of str, found 3"),
    "read_cell": (
        lambda: ReadsOtherPixelsAlone,
        "read_cell differs from iteration: expected object 9: images: 2 at (0, 0, 0), found 3",
    ),
    "sorted batches": (lambda: SortsItsBatches, "read_batch differs from iteration: expected object"),
    "lost fact": (
        lambda: ForgetsTheFact,
        "read_cell differs from iteration: expected object 9: facts",
    ),
    "no rows": (lambda: NeedsRows, "expected an empty batch for no rows"),
    "list": (lambda: GivesAList, "expected read_batch to give a CellBatch, found list"),
    "threads": (
        lambda: TwoThreads,
        "read_batch from two threads differs from iteration: expected object 4: images: 0",
    ),
    "negative rows": (lambda: NegativeRows, "expected UsageError for row -1 of 3, found a result"),
    "bare message": (
        lambda: SaysNothingOfTheCount,
        "expected an error that names row -1 and the count 3, found",
    ),
    "pickle": (lambda: CannotBePickled, "expected a reader that can be pickled, found cannot pickle a lock"),
    "wrong pickle": (
        lambda: PicklesWrongly,
        "a pickled reader differs from iteration: expected object 4: images",
    ),
}


def test_a_sound_reader_passes():
    check_reader(
        Sound, n_objects=3, channels=["BF", "DNA"], object_numbers=[4, 2, 9], dtype="int16", has_masks=True,
        registered=False,
    )  # fmt: skip


@pytest.mark.parametrize("case", FAULTY)
def test_faulty_readers_fail(case):
    make, words = FAULTY[case]
    with pytest.raises(AssertionError, match=re.escape(words)):
        check_reader(make(), registered=False)


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ({"n_objects": 4}, "expected 4 objects, found 3"),
        ({"channels": ["BF"]}, "expected channels ['BF'], found ['BF', 'DNA']"),
        ({"object_numbers": [2, 4, 9]}, "expected numbers [2, 4, 9], found [4, 2, 9]"),
        ({"dtype": "int32"}, "expected dtype int32, found int16"),
        ({"has_masks": False}, "expected has_masks False, found True"),
        ({"n_faults": 1}, "expected 2 cells by iteration, found 3"),
        ({"registered": True}, "expected format 'sound' in the registry"),
    ],
)
def test_what_the_caller_expects(expected, words):
    with pytest.raises(AssertionError, match=re.escape(words)):
        check_reader(Sound, **{"registered": False} | expected)


@pytest.mark.skipif(
    not Path("/proc/self/fd").is_dir(), reason="this system does not tell which files are open"
)
def test_an_open_file_is_seen():
    try:
        with pytest.raises(
            AssertionError, match=rf"expected close leaves no file open, found .*{Path(__file__).name}"
        ):
            check_reader(LeavesAFileOpen, registered=False)
    finally:
        for descriptor in HELD:
            os.close(descriptor)


def test_another_class_in_the_registry_is_seen(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((2, 1, 3, 4), np.int16))
    with pytest.raises(AssertionError, match="expected open_acquisition to pick Another, found ArrayReader"):
        check_reader(lambda: Another(tmp_path / "a.npy"))


CELL = Cell(7, np.zeros((1, 2, 3), np.float32), np.zeros((1, 2, 3), np.uint8), {"time": 1.0, "label": "a"})


def other(**fields):
    names = ("object_number", "images", "masks", "facts")
    return Cell(**{name: getattr(CELL, name) for name in names} | fields)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([], "expected 1 cells, found 0"),
        ([other(object_number=8)], "expected object 7, found object 8"),
        (
            [other(images=CELL.images.astype(float))],
            "object 7: images (1, 2, 3) of float32, found (1, 2, 3) of float64",
        ),
        ([other(images=CELL.images + np.float32(2))], "object 7: images: 0.0 at (0, 0, 0), found 2.0"),
        (
            [other(images=CELL.images[:, :1])],
            "object 7: images (1, 2, 3) of float32, found (1, 1, 3) of float32",
        ),
        ([other(images=CELL.images * np.float32("nan"))], "object 7: images: 0.0 at (0, 0, 0), found nan"),
        ([other(masks=None)], "object 7: masks: some, found none"),
        ([other(masks=CELL.masks + np.uint8(2))], "object 7: masks: 0 at (0, 0, 0), found 2"),
        ([other(facts={"time": 1.0})], "object 7: facts ['label', 'time'], found ['time']"),
        ([other(facts={"time": 2.0, "label": "a"})], "object 7: time 1.0, found 2.0"),
        ([other(facts={"time": 1.0, "label": "b"})], "object 7: label 'a', found 'b'"),
    ],
)
def test_same_cells_sees_every_difference(found, words):
    with pytest.raises(AssertionError, match=re.escape(words)):
        same_cells(found, [CELL])


def test_same_cells_takes_equal_ones():
    lost = other(images=np.full((1, 2, 3), np.nan, np.float32), facts={"time": float("nan")})
    same_cells([CELL, lost], [other(), other(images=lost.images.copy(), facts={"time": float("nan")})])
    same_cells([other(facts={})], [CELL], facts=False)
