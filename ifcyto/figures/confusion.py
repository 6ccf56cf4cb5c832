"""Confusion matrices in three forms: counts, percent of each row, percent of each column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from ifcyto.figures.style import COLUMN_MM, INK, MUTED, PAGE_MM, new_figure, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

__all__ = ["confusion_figure", "confusion_panels"]

_FORMS = {
    "counts": "objects",
    "row": "percent of each true class; diagonal: recall",
    "column": "percent of each predicted class; diagonal: precision",
}
_BLUES = LinearSegmentedColormap.from_list("ifcyto_blues", ["#FFFFFF", "#9CC9E8", "#0072B2", "#00395A"])


@styled
def confusion_figure(
    matrix: ArrayLike,
    classes: Sequence[str],
    *,
    form: Literal["counts", "row", "column"] = "counts",
    predicted: Sequence[str] | None = None,
    title: str = "",
) -> Figure:
    """Draw a confusion matrix.

    Parameters
    ----------
    matrix : array_like (T, P) of int
        Objects of true class (row) called a predicted class (column).
    classes : sequence of str
        The true classes, in the order of the rows.
    form : {"counts", "row", "column"}
        What colour and large number show; in the percent forms the count stands
        below. A row or column without objects shows a dash.
    predicted : sequence of str, optional
        Classes of the columns where they differ, such as one more for "Unknown".
    title : str
        Title.

    Raises
    ------
    ValueError
        Shape and classes do not agree, a count is negative, or the form is unknown.
    """
    counts, columns = _checked(matrix, classes, predicted)
    if form not in _FORMS:
        msg = f"expected a form of {sorted(_FORMS)}, found {form!r}"
        raise ValueError(msg)
    width = COLUMN_MM if len(columns) <= 5 else PAGE_MM
    side = (width - 28) / max(len(columns), 3)
    figure = new_figure(width, min(side * len(classes), 160) * 0.8 + 24)
    axes = figure.add_subplot()
    _draw(axes, counts, classes, columns, form, turned=len(columns) > 5)
    axes.set(xlabel="predicted", ylabel="true", title=title)
    figure.supxlabel(_FORMS[form], fontsize=6.5, color=MUTED)
    return figure


@styled
def confusion_panels(
    matrix: ArrayLike, classes: Sequence[str], *, predicted: Sequence[str] | None = None, title: str = ""
) -> Figure:
    """Draw the three forms of :func:`confusion_figure` side by side: counts, rows, columns.

    Parameters
    ----------
    matrix, classes, predicted, title
        As in :func:`confusion_figure`. Up to five columns fit on a page side by side; with
        more the three stand one below the other.

    Raises
    ------
    ValueError
        Shape and classes do not agree, or a count is negative.
    """
    counts, columns = _checked(matrix, classes, predicted)
    wide = len(columns) > 5
    side = (PAGE_MM - 28) / len(columns) if wide else 48 / max(len(columns), 2)
    height = max(min(side, 17.0) * len(classes), 20)
    figure = new_figure(PAGE_MM, (3 if wide else 1) * (height + 18) + 8)
    figure.suptitle(title, x=0.01, ha="left")
    panels = figure.subplots(3 if wide else 1, 1 if wide else 3, squeeze=False).ravel()
    for i, (axes, form) in enumerate(zip(panels, _FORMS, strict=True)):
        _draw(axes, counts, classes, columns, form, turned=len(columns) > 3)
        axes.set_title({"counts": "Objects", "row": "Recall", "column": "Precision"}[form])
        axes.set_xlabel(
            "predicted\n" + {"row": "(% of each row)", "column": "(% of each column)"}.get(form, "")
        )
        if i and not wide:
            axes.set_yticks([])
    panels[0].set_ylabel("true")
    return figure


def _checked(
    matrix: ArrayLike, classes: Sequence[str], predicted: Sequence[str] | None
) -> tuple[NDArray[Any], list[str]]:
    columns = list(classes if predicted is None else predicted)
    counts = np.asarray(matrix)
    if counts.shape != (len(classes), len(columns)) or not len(classes):
        msg = f"expected a matrix of {len(classes)} rows and {len(columns)} columns, found {counts.shape}"
        raise ValueError(msg)
    if counts.min() < 0:
        msg = f"expected counts from 0, found {counts.min()}"
        raise ValueError(msg)
    return counts, columns


def _draw(
    axes: Axes,
    counts: NDArray[Any],
    classes: Sequence[str],
    columns: Sequence[str],
    form: str,
    *,
    turned: bool,
) -> None:
    shown = _shares(counts, form)
    top = _top(shown, form)
    axes.imshow(np.nan_to_num(shown), cmap=_BLUES, vmin=0, vmax=top, aspect="auto")
    for row, column in np.ndindex(*counts.shape):
        _write_cell(axes, row, column, float(shown[row, column]), int(counts[row, column]), form, top)
    axes.set_xticks(range(len(columns)), columns, rotation=45 if turned else 0,
                    ha="right" if turned else "center")  # fmt: skip
    axes.set_yticks(range(len(classes)), classes)
    axes.tick_params(length=0)
    axes.set_xticks(np.arange(len(columns) - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(len(classes) - 1) + 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.2)
    axes.tick_params(which="minor", length=0)
    axes.spines[:].set_visible(False)


def _shares(counts: NDArray[Any], form: str) -> NDArray[np.float64]:
    """Values to show; NaN where there is nothing to divide by."""
    values = counts.astype(np.float64)
    if form == "counts":
        return values
    totals = values.sum(axis=1 if form == "row" else 0, keepdims=True)
    shares = np.full_like(values, np.nan)
    np.divide(100 * values, totals, out=shares, where=totals > 0)
    return shares


def _top(shown: NDArray[np.float64], form: str) -> float:
    return max(float(shown.max()), 1.0) if form == "counts" else 100.0


def _write_cell(axes: Axes, row: int, column: int, value: float, count: int, form: str, top: float) -> None:
    ink = "white" if np.isfinite(value) and value > 0.5 * top else INK
    if form == "counts":
        text = f"{count:,}"
    elif np.isnan(value):
        text = "\N{EN DASH}"
    else:
        text = f"{value:.1f} %\n({count:,})"
    axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=7)
