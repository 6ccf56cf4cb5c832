"""Masks of a batch by name and by expression, against plain numpy."""

from __future__ import annotations

import gc
import pickle
import weakref
from dataclasses import replace
from threading import Thread

import numpy as np
import pytest

from ifcyto.cells import Cell, CellBatch, Channel
from ifcyto.errors import UsageError
from ifcyto.masks import shape
from ifcyto.masks.evaluate import MaskBook
from ifcyto.masks.expression import And, MaskCall, MaskName, Not
from ifcyto.masks.grammar import parse_mask
from ifcyto.masks.library import MASKS
from ifcyto.masks.segment import default_mask
from ifcyto.planes import Planes
from ifcyto.readers.cif import CifReader
from ifcyto.readers.daf_document import read_daf
from ifcyto.samples.cells import CHANNELS, Rates, simulate_sample


@pytest.fixture(scope="module")
def sample():
    return simulate_sample(40, seed=7, rates=Rates(0.3, 0.2, 0.1))


@pytest.fixture
def planes(sample):
    return Planes(sample.batch, CHANNELS, pixel_size_um=0.5)


def bare(batch: CellBatch) -> CellBatch:
    """The same objects without masks and facts."""
    cells = [Cell(cell.object_number, cell.images) for cell in batch.cells()]
    return CellBatch.from_cells(cells, n_channels=batch.n_channels, dtype=batch.pixels.dtype)


def stored_masks(planes: Planes) -> list[np.ndarray]:
    return [planes.object_mask(c) for c in range(len(planes.channels))]


def test_names_of_channels_follow_their_numbers(planes):
    book = MaskBook(CHANNELS)
    assert book.names == ("M01", "M02", "M05", "MC", "NMC", "None")
    for name, mask in zip(("M01", "M02", "M05"), stored_masks(planes), strict=True):
        assert np.array_equal(book.mask(planes, name), mask)


def test_channels_may_have_numbers_of_any_length(sample):
    channels = [
        replace(channel, number=number) for channel, number in zip(CHANNELS, (0, 7, 120), strict=True)
    ]
    book = MaskBook(channels)
    work = book.workspace(Planes(sample.batch, channels, pixel_size_um=0.5))
    assert book.names[:3] == ("M00", "M07", "M120")
    for place, name in enumerate(book.names[:3]):
        assert np.array_equal(book.mask(work, name), work.planes.object_mask(place))
    assert np.array_equal(book.mask(work, "M120 Or M07"), work.mask("M07") | work.mask("M120"))
    with pytest.raises(UsageError, match="which is the mask of a channel"):
        MaskBook(channels, {"M120": "M07"})
    with pytest.raises(UsageError, match="no mask 'M121'"):
        book.check("M121")


def test_reserved_names(planes):
    book, union = MaskBook(CHANNELS), np.logical_or.reduce(stored_masks(planes))
    assert np.array_equal(book.mask(planes, "MC"), union)
    assert np.array_equal(book.mask(planes, "NMC"), ~union)
    assert not book.mask(planes, "None").any()
    assert book.mask(planes, "None").shape == union.shape


def test_operators(planes):
    m1, m2, m5 = stored_masks(planes)
    book = MaskBook(CHANNELS)
    for text, expected in {
        "M01 And M02": m1 & m2,
        "M01 Or M02 And Not M05": m1 | (m2 & ~m5),
        "(M01 Or M02) And Not M05": (m1 | m2) & ~m5,
        "Not|M01": ~m1,
        "M01 And M01": m1,
        "M05|And|None": np.zeros_like(m1),
    }.items():
        assert np.array_equal(book.mask(planes, text), expected), text


def test_definitions_refer_to_each_other(planes):
    work = MaskBook(CHANNELS).workspace(planes)
    m5 = work.mask("M05")
    rim = shape.dilate(work, m5, 3) & ~shape.erode(work, m5, 1)
    for definitions in (
        {"Rim": "Wide And Not Small", "Wide": "Dilate(M05, 3)", "Small": "Erode|M05|1"},
        [("Wide", "Dilate|M05|3"), ("Erode(M05, 1)", "Erode(M05, 1)"), ("Rim", "Wide|And|Not|Erode(M05, 1)")],
        {"Rim": And((MaskCall("Dilate", (MaskName("M05"), 3)), Not(MaskName("In")))), "In": "Erode(M05,1)"},
    ):
        book = MaskBook(CHANNELS, definitions)
        assert np.array_equal(book.mask(planes, "Rim"), rim)
        assert np.array_equal(book.mask(planes, "Not Rim"), ~rim)


def test_every_function_runs_on_real_cells(shared_data):
    with CifReader(shared_data / "amnis" / "example.cif") as reader:
        channels = reader.channels
        cells = [reader.read_cell(i) for i in range(6)]
    batch = CellBatch.from_cells(cells, n_channels=len(channels), dtype=cells[0].images.dtype)
    book = MaskBook(channels, images={"DNA": 4})
    work = book.workspace(Planes(batch, channels, pixel_size_um=0.5))
    texts = [
        "Threshold(M05, DNA, 30)",
        "Intensity(M05, DNA, 50-4095)",
        "AdaptiveErode(M05, DNA, 75)",
        "Morphology(M05, DNA)",
        "Object(M05, DNA, Tight)",
        "Inspire(M05, DNA)",
        "System(M05, DNA, 50)",
        "LevelSet(M05, DNA, Bright, 3)",
        "Spot(M05, DNA, Bright, 0.1, 3)",
        "Peak(M05, DNA, Bright, 1.5)",
        "Valley(M05, DNA, 3)",
        "Watershed(M05)",
        "Skeleton(M05, DNA, Thin)",
        "Dilate(M05, 2)",
        "Erode(M05, 1)",
        "Fill(M05)",
        "Range(M05, 0-5000, 0-1)",
        "Component(1, Area, M05, Descending)",
        "Interface(M05, M01, 3)",
        "Nuclei(MC, DNA, 0.5, 5, 0.3, 0.7, 4, 0.3)",
    ]
    assert {text.split("(")[0] for text in texts} == set(MASKS)
    for text in texts:
        mask = book.mask(work, text)
        assert mask.dtype == bool, text
        assert mask.shape == work.image(0).shape, text
        assert mask.any(), text
        assert book.mask(work, text) is work.mask(text), text


def test_operands_arrive_as_the_functions_take_them(planes):
    taken = []

    def spy(work, *operands):
        taken.append(operands)
        return operands[0]

    with pytest.MonkeyPatch.context() as patch:
        for name in ("spot", "watershed", "level_set", "component"):
            module = {"level_set": "intensity", "component": "shape"}.get(name, "pieces")
            patch.setattr(f"ifcyto.masks.{module}.{name}", spy)
        work = MaskBook(CHANNELS).workspace(planes)
        for text in (
            "Spot(M05, DRAQ5, Dark, 2.5, 3)",
            "Spot(M05, DRAQ5, Bright, 2, 3, 1)",
            "Watershed|M05|DRAQ5|1|0|2|3",
            "Watershed(M05)",
            "LevelSet(M05, DRAQ5, Dim, 3)",
            "Component(2, Area, M05, Ascending)",
            "Component(1, Mean Pixel, M05, BF, Descending)",
        ):
            work.mask(text)
    assert [operands[1:] for operands in taken] == [
        (2, True, 2.5, 3, 0),
        (2, False, 2.0, 3, 1),
        (2, True, False, 2, 3),
        (0, False, False, 0, 1),
        (2, 2, 3.0),
        (None, None, "Area", True, 2),
        (0, None, "Mean Pixel", False, 1),
    ]
    assert type(taken[0][2]) is bool
    assert type(taken[0][3]) is float


def test_every_part_is_computed_once(planes):
    calls = []

    def spy(work, start, n):
        calls.append(n)
        return start

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ifcyto.masks.shape.dilate", spy)
        book = MaskBook(CHANNELS, {"Wide": "Dilate|M01|3", "Dilate(M01, 3)": "Dilate|M01|3"})
        work = book.workspace(planes)
        for name in (
            "Wide",
            "Dilate(M01, 3) Or M02",
            "M02|Or|Wide",
            "Fill(Dilate( M01,3 ))",
            "Dilate(Wide, 4)",
        ):
            work.mask(name)
    assert calls == [3, 4]
    assert work.mask("M02 Or Wide") is work.mask("Dilate(M01, 3) Or M02")


def test_without_stored_masks_the_fallback_takes_their_place(sample):
    planes = Planes(bare(sample.batch), CHANNELS, pixel_size_um=0.5)
    book = MaskBook(CHANNELS)
    work = book.workspace(planes)
    single = [default_mask(work, c) for c in range(3)]
    assert np.array_equal(work.mask("M05"), single[2])
    assert np.array_equal(work.mask("MC"), np.logical_or.reduce(single))


def test_images_are_found_by_given_name_role_name_and_short_name(planes):
    channels = [Channel(1, "BF"), Channel(2, "DAPI", role="DNA"), Channel(5, "DNA")]
    found = Planes(simulate_sample(3, seed=1).batch, channels, pixel_size_um=0.5)
    book = MaskBook(channels, images={"Ch05": 0, "raw, BF": 0})
    work = book.workspace(found)
    for image, same in {"DNA": "DAPI", "Ch02": "DAPI", "Ch05": "BF", "raw, BF": "BF"}.items():
        assert work.mask(f"Threshold(MC, {image}, 40)") is work.mask(f"Threshold(MC, {same}, 40)")
    assert not np.array_equal(work.mask("Threshold(MC, DNA, 40)"), work.mask("Threshold(MC, BF, 40)"))


def test_a_long_chain_of_definitions_is_no_crash(planes):
    deep = {"D0": "M01"} | {f"D{i}": f"Fill(D{i - 1})" for i in range(1, 2000)}
    book = MaskBook(CHANNELS, deep)
    with pytest.raises(UsageError, match="no more than 200 masks within each other"):
        book.check("D1999")
    book.check("D60")
    wide = {"W0": "M01 Or M02"} | {f"W{i}": f"W{i - 1} And Not (W{i - 1} And M05)" for i in range(1, 40)}
    assert MaskBook(CHANNELS, wide).mask(planes, "W39").any()


def test_definitions_of_a_real_analysis_file(shared_data):
    document = read_daf(shared_data / "amnis" / "ut7_ideas62.daf")
    images = {image.name: image.physical_channel for image in document.images}
    channels = [Channel(i + 1, f"Ch{i + 1:02d}") for i in range(6)]
    book = MaskBook(channels, ((mask.name, mask.definition) for mask in document.masks), images=images)
    with CifReader(shared_data / "amnis" / "example.cif") as reader:
        cells = [reader.read_cell(i) for i in range(5)]
    batch = CellBatch.from_cells(cells, n_channels=6, dtype=cells[0].images.dtype)
    work = book.workspace(Planes(batch, channels, pixel_size_um=0.5))
    for mask in document.masks:
        assert np.array_equal(work.mask(mask.name), work.mask(mask.definition)), mask.name
    assert np.array_equal(work.mask("MC"), MaskBook(channels).mask(work.planes, "MC"))
    assert not work.mask("None").any()
    cell, nucleus = work.mask("MC"), work.mask("Dilate(Threshold(M01, DAPI, 30), 5)")
    assert np.array_equal(work.mask("MC And Not Dilate(Threshold(M01, DAPI, 30), 5)"), cell & ~nucleus)


def test_a_definition_takes_the_place_of_mc(planes):
    book = MaskBook(CHANNELS, {"MC": "M01|Or|M05"})
    m1, _, m5 = stored_masks(planes)
    assert np.array_equal(book.mask(planes, "NMC"), ~(m1 | m5))


def test_a_batch_of_other_channels_is_refused(planes):
    with pytest.raises(ValueError, match="expected a batch with the channels"):
        MaskBook([Channel(1, "a"), Channel(2, "b")]).mask(planes, "M01")


def test_an_empty_batch(sample):
    empty = CellBatch.from_cells([], n_channels=3, dtype=np.dtype(np.int16))
    planes = Planes(empty, CHANNELS, pixel_size_um=0.5)
    assert MaskBook(CHANNELS).mask(planes, "MC And Not Fill(M01)").shape == (0,)


def test_workspaces_do_not_hold_themselves(planes):
    gc.collect()
    gc.disable()
    try:
        work = MaskBook(CHANNELS).workspace(planes)
        work.mask("Fill(MC)")
        gone = weakref.ref(work)
        del work
        assert gone() is None
    finally:
        gc.enable()


def test_books_travel_to_other_processes(planes):
    book = MaskBook(CHANNELS, {"A": parse_mask("Dilate(M01, 3)"), "B": "A Or M02"}, images={"DNA": 2})
    book.check("B")
    twin = pickle.loads(pickle.dumps(book))
    assert np.array_equal(
        twin.mask(planes, "B And Threshold(A, DNA, 50)"), book.mask(planes, "B And Threshold(A, DNA, 50)")
    )


def test_threads_share_a_book(sample):
    book = MaskBook(CHANNELS, {f"D{i}": f"Dilate(M05, {i})" for i in range(1, 10)})
    results = {}

    def run(key):
        work = book.workspace(Planes(sample.batch, CHANNELS, pixel_size_um=0.5))
        results[key] = [work.mask(f"D{i} And Not D{1 + i % 3}") for i in range(1, 10)]

    threads = [Thread(target=run, args=(key,)) for key in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for masks in results.values():
        assert all(np.array_equal(one, other) for one, other in zip(masks, results[0], strict=True))
