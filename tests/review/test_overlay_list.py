"""The list of outlines: what is drawn, what is refused, what a blinded reader does not get."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from ifcyto.errors import UsageError
from ifcyto.review.overlay_list import COLOURS, FIRST_SPOT, MOST, OverlayList
from ifcyto.review.overlays import borders, line_pattern, outlines, piece_centres
from ifcyto.review.said import caret_place, narrowed


@pytest.fixture
def masks(opened):
    review = opened()
    return OverlayList(review.masks, rule=review.rule)


def read(masks, rows=range(8), size=64):
    objects = masks.masks.pages.stacks  # of one sample alone

    class Objects:
        samples, objects = np.full(20, ""), np.arange(20)

    assert list(objects) == [""]
    return masks.read(Objects, np.array(list(rows)), size)


def test_borders_are_those_of_an_erosion_frame_by_frame(rng):
    inside = rng.random((5, 17, 12)) > 0.3
    cross = ndimage.generate_binary_structure(2, 1)
    for frame, found in zip(inside, borders(inside), strict=True):
        assert np.array_equal(found, frame & ~ndimage.binary_erosion(frame, cross))
    assert np.array_equal(outlines(inside[:1].astype(np.uint8)) > 0, borders(inside[0]))


@pytest.mark.parametrize("line", ["dashed", "dotted"])
@pytest.mark.parametrize("step", [(0, 1), (1, 0), (1, 1), (1, -1)])
def test_broken_lines_are_broken_whichever_way_they_run(line, step):
    pattern = line_pattern(line, 60, 60)
    ink = [pattern[(30 + n * step[0]) % 60, (30 + n * step[1]) % 60] for n in range(20)]
    runs = "".join("x" if each else " " for each in ink).split(" ")
    assert any(ink)
    assert max(map(len, runs)) <= (3 if line == "dashed" else 2)
    assert sum(ink) == (12 if line == "dashed" else 8)


def test_centres_are_those_of_scipy(rng):
    labels = np.stack([ndimage.label(rng.random((30, 40)) > 0.7)[0] for _ in range(3)])
    cells, numbers, centres = piece_centres(labels, most=9)
    for cell in range(3):
        mine = cells == cell
        assert numbers[mine].tolist() == list(range(1, 10))
        wanted = ndimage.center_of_mass(labels[cell] > 0, labels[cell], numbers[mine])
        assert np.allclose(centres[mine], wanted)


def test_several_outlines_differ_in_colour_and_line(masks):
    first, second, third = (masks.add(text) for text in ("M05", "M01", "Dilate(MC, 2)"))
    assert [each.line for each in (first, second, third)] == ["solid", "dashed", "dotted"]
    assert len({each.colour for each in (first, second, third)}) == 3
    drawn = read(masks)
    assert set(np.unique(drawn.lines).tolist()) == {0, 1, 2, 3}
    assert masks.colours()[2] == second.colour
    assert drawn.counts is None
    masks.change(0, shown=False)
    masks.change(1, line="solid", name="field")
    drawn = read(masks, size=64)
    outline = borders(masks.masks.read(Cells, np.arange(8), 64, "M01").labels > 0)
    assert ((drawn.lines == 2) <= outline).all()
    assert (drawn.lines[outline] > 0).all()
    masks.remove(0)
    masks.remove(1)
    assert [each.name for each in masks.items] == ["field"]
    masks.turn()
    assert not masks.drawing
    assert not read(masks).lines.any()


class Cells:
    samples, objects = np.full(20, ""), np.arange(20)


def test_spots_are_numbered_coloured_and_counted(masks):
    masks.number_spots()  # nothing is in the list: the plain rule's nuclei
    (item,) = masks.items
    assert (item.text, item.spots) == (masks.rule, True)
    drawn = read(masks, range(20))
    pieces = masks.masks.read(Cells, np.arange(20), 64, item.text)
    assert drawn.counts.tolist() == pieces.counts.tolist()
    assert {1, 2} <= set(drawn.counts.tolist())
    assert len(drawn.numbers) == len(np.unique(pieces.labels + 1000 * np.arange(20)[:, None, None])) - 20
    two = int(np.flatnonzero(drawn.counts == 2)[0])
    assert set(np.unique(drawn.lines[two]).tolist()) == {0, FIRST_SPOT, FIRST_SPOT + 1}
    other = masks.add("M05", spots=True)
    assert [each.spots for each in masks.items] == [False, True]
    assert other.name == "M05"
    masks.number_spots()
    assert not any(each.spots for each in masks.items)
    masks.number_spots()
    assert [each.spots for each in masks.items] == [True, False]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "found nothing"),
        ("Erode(M05, 99)", r"0 to 19.*\n  Erode\(M05, 99\)\n             \^"),
        ("M05 and M01", "operators are And, Or, Not"),
        ("Erode(M05, 1)", "not in the list yet"),
    ],
)
def test_what_cannot_be_drawn_is_told_and_changes_nothing(masks, text, said):
    masks.add("Erode(M05, 1)")
    with pytest.raises(UsageError, match=said):
        masks.add(text)
    assert [each.text for each in masks.items] == ["Erode(M05, 1)"]
    with pytest.raises(UsageError, match="#RRGGBB"):
        masks.change(0, colour="red")
    with pytest.raises(UsageError, match="name of an outline"):
        masks.change(0, name=" ")
    assert masks.items[0].colour == COLOURS[0]


def test_the_list_has_an_end(masks):
    for n in range(MOST):
        masks.add(f"Erode(M05, {n})")
    with pytest.raises(UsageError, match=f"at most {MOST}"):
        masks.add("M01")


def test_ready_masks_are_masks(masks):
    ready = masks.ready()
    assert ready[0] == ("nuclei of the plain rule", "Nuclei(MC, DRAQ5, 0.5, 5, 0.3, 0.7, 4, 0.3)")
    assert [text for _, text in ready[1:]] == ["M01", "M02", "M05", "MC"]
    for _, text in ready:
        masks.masks.expression(text)


def test_a_blinded_reader_gets_no_verdict_of_the_plain_rule(opened):
    review = opened(blinded=True)
    masks = OverlayList(review.masks, rule="Erode(M05, 2)", blinded=True)
    assert [text for _, text in masks.ready()] == ["M01", "M02", "M05", "MC"]
    for text in ("Erode(M05,2)", "M01 And Erode(M05, 2)", review.rule, "Dilate(" + review.rule + ", 1)"):
        with pytest.raises(UsageError, match="a blinded reader does not see"):
            masks.add(text)
    with pytest.raises(UsageError, match="a blinded reader does not see"):
        masks.add("M05", spots=True)
    with pytest.raises(UsageError, match="a blinded reader does not see"):
        masks.number_spots()
    masks.add("M05")
    with pytest.raises(UsageError, match="a blinded reader does not see"):
        masks.number_spots()
    assert [each.spots for each in masks.items] == [False]
    assert read(masks).counts is None


@pytest.mark.parametrize("width", [30, 44, 60, 200])
def test_a_caret_stays_under_its_place_in_a_narrow_window(opened, width):
    review = opened()
    text = "Dilate(M05, 1) And Not Erode(M01, 2) Or Morphologie(M05, Ch05) Or Threshold(M05, Ch05, 50)"
    with pytest.raises(UsageError) as caught:
        review.masks.expression(text)
    said = narrowed(str(caught.value), width)
    line, caret = said.split("\n")[-2:]
    assert max(map(len, said.split("\n")[-2:])) <= max(width, 30)
    assert line[caret.index("^") :].startswith("Morphol")
    assert text[caret_place(str(caught.value), text) :].startswith("Morphol")
    assert caret_place("no caret", text) is None
    assert narrowed("no caret at all", 9) == "no caret at all"
