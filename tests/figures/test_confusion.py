from __future__ import annotations

import numpy as np
import pytest

from ifcyto.figures.confusion import confusion_figure, confusion_panels
from ifcyto.figures.style import save_figure

# Rosenberg et al. 2024: the CNN on all 758 candidates; the middle of the last row follows from the totals.
MATRIX = [[115, 1, 31], [0, 349, 1], [11, 0, 250]]
CLASSES = ["BNE", "Doublet", "Irregular"]


def cells(figure):
    texts = [text.get_text() for text in figure.axes[0].texts]
    return [texts[i : i + 3] for i in range(0, len(texts), 3)]


def test_counts_are_written_in_rows_of_the_truth():
    figure = confusion_figure(MATRIX, CLASSES, title="CNN")
    assert cells(figure) == [[str(n) for n in row] for row in MATRIX]
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")
    assert [text.get_text() for text in axes.get_yticklabels()] == CLASSES
    assert axes.get_title(loc="left") == "CNN"


def test_row_form_shows_the_published_sensitivity_and_column_form_the_precision():
    row = cells(confusion_figure(MATRIX, CLASSES, form="row"))
    column = cells(confusion_figure(MATRIX, CLASSES, form="column"))
    assert row[0][0] == "78.2 %\n(115)"
    assert column[0][0] == "91.3 %\n(115)"


def test_colour_follows_the_form():
    shown = confusion_figure(MATRIX, CLASSES, form="row").axes[0].images[0].get_array()
    np.testing.assert_allclose(np.asarray(shown).sum(axis=1), 100)


def test_text_stands_out_from_its_cell():
    figure = confusion_figure(MATRIX, CLASSES)
    inks = [text.get_color() for text in figure.axes[0].texts]
    assert inks[4] == "white"  # 349 on dark blue
    assert inks[3] != "white"  # 0 on white


def test_a_class_without_objects_shows_a_dash(tmp_path):
    figure = confusion_figure([[3, 1], [0, 0]], ["a", "b"], form="row", predicted=["a", "Unknown"])
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["75.0 %\n(3)", "25.0 %\n(1)", "–", "–"]  # noqa: RUF001
    save_figure(figure, tmp_path, "dash")


@pytest.mark.parametrize("form", ["counts", "row", "column"])
def test_all_zero_and_many_classes_can_be_drawn(tmp_path, form):
    save_figure(confusion_figure(np.zeros((1, 1), int), ["only"], form=form), tmp_path, "one")
    many = confusion_figure(np.eye(12, dtype=int), [f"class number {i}" for i in range(12)], form=form)
    save_figure(many, tmp_path, "many")
    assert len(many.axes[0].texts) == 144


def test_disagreeing_shapes_are_refused():
    with pytest.raises(ValueError, match=r"3 rows and 3 columns, found \(2, 3\)"):
        confusion_figure(MATRIX[:2], CLASSES)
    with pytest.raises(ValueError, match="'rows'"):
        confusion_figure(MATRIX, CLASSES, form="rows")
    with pytest.raises(ValueError, match="found -1"):
        confusion_figure([[-1]], ["a"])


def test_panels_are_the_three_forms_of_one_matrix():
    figure = confusion_panels(MATRIX, CLASSES, title="CNN")
    forms = [[text.get_text() for text in axes.texts] for axes in figure.axes]
    singles = [confusion_figure(MATRIX, CLASSES, form=form) for form in ("counts", "row", "column")]
    assert forms == [[text.get_text() for text in one.axes[0].texts] for one in singles]
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["Objects", "Recall", "Precision"]


@pytest.mark.parametrize("n", [1, 2, 4, 8])
def test_panels_hold_few_and_many_classes(tmp_path, n):
    names = [f"class number {i}" for i in range(n)]
    save_figure(confusion_panels(np.eye(n, dtype=int) * 3533, names), tmp_path, "panels")
    with pytest.raises(ValueError, match="found -1"):
        confusion_panels(-np.eye(n, dtype=int), names)
