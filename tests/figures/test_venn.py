from __future__ import annotations

from itertools import product

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from ifcyto.figures.style import save_figure
from ifcyto.figures.venn import venn_figure

NAMES = ["manual", "FBML", "CNN"]
REGIONS = [key for key in product((0, 1), repeat=3) if any(key)]


def shown(figure):
    """Numbers and names that can be seen."""
    return sorted(text.get_text() for text in figure.axes[0].texts if text.get_visible())


def remark(figure):
    return figure.get_supxlabel()


def test_three_sets_show_every_region_and_the_size_of_every_set():
    counts = dict(zip(REGIONS, (12, 9, 31, 14, 22, 16, 45), strict=True))
    figure = venn_figure(counts, NAMES, "ProE, MDS")
    assert figure.axes[0].get_title(loc="left") == "ProE, MDS"
    totals = [f"{n} ({sum(c for k, c in counts.items() if k[i])})" for i, n in enumerate(NAMES)]
    assert shown(figure) == sorted([*map(str, counts.values()), *totals])
    assert remark(figure) == ""


def test_large_counts_have_separators():
    assert "3,533" in shown(venn_figure({(1, 0): 3533, (0, 1): 3000, (1, 1): 2500}, ["a", "b"], ""))


@pytest.mark.parametrize("names", [NAMES, NAMES[:2]])
@pytest.mark.parametrize("seed", range(40))
def test_no_region_that_holds_objects_is_ever_lost(rng, names, seed):
    rng = type(rng)(type(rng.bit_generator)(seed))
    keys = [key for key in product((0, 1), repeat=len(names)) if any(key)]
    counts = {key: int(rng.integers(0, 10 ** rng.integers(0, 5))) * int(rng.random() < 0.6) for key in keys}
    figure = venn_figure(counts, names, "")
    numbers = [text for text in shown(figure) if "(" not in text]
    for count in filter(None, counts.values()):
        assert numbers.count(f"{count:,}") == sum(other == count for other in counts.values())


@pytest.mark.parametrize("names", [NAMES, NAMES[:2]])
def test_empty_sets_are_drawn_and_said_not_to_scale(tmp_path, names):
    figure = venn_figure({}, names, "empty")
    assert remark(figure) == "areas not to scale"
    assert shown(figure).count("0") == 2 ** len(names) - 1
    save_figure(figure, tmp_path, "empty")


def test_objects_in_no_set_are_written_below():
    figure = venn_figure({(1, 0): 30, (0, 1): 30, (1, 1): 20, (0, 0): 1234}, ["a", "b"], "")
    assert remark(figure) == "in no set: 1,234"


@pytest.mark.parametrize(
    ("counts", "names", "message"),
    [
        ({}, ["a"], "two or three sets"),
        ({}, list("abcd"), "two or three sets"),
        ({(1, 0): 3}, NAMES, r"\(1, 0\): 3"),
        ({(1, 2): 3}, NAMES[:2], r"\(1, 2\): 3"),
        ({(1, 1): -1}, NAMES[:2], "-1"),
    ],
)
def test_nonsense_is_refused(counts, names, message):
    with pytest.raises(ValueError, match=message):
        venn_figure(counts, names, "")


@pytest.mark.parametrize("both", [20, 200, 2000])
def test_names_of_two_sets_that_nearly_agree_do_not_touch(both):
    names = ["manual tags", "feature-based classifier"]
    figure = venn_figure({(1, 0): 2, (0, 1): 2, (1, 1): both}, names, "MDS")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    left, right = (t.get_window_extent(canvas.get_renderer()) for t in figure.axes[0].texts[-2:])
    assert left.x1 + 5 < right.x0 or left.y1 < right.y0 or right.y1 < left.y0
