"""How well a score tells two classes apart: ROC and precision-recall curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.figures.style import COLUMN_MM, MUTED, colour, new_figure, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

__all__ = ["ScoreCurve", "precision_recall_figure", "roc_figure"]

_LINES = ("-", "--", "-.", ":")


@dataclass(frozen=True, slots=True, eq=False)
class ScoreCurve:
    """One curve and what is known of it.

    Parameters
    ----------
    name : str
        Of the score.
    x, y : array_like (k,) of float
        From 0 to 1: false positive rate and recall of an ROC curve; recall and
        precision of a precision-recall curve. `x` does not fall.
    area : float
        Area under the ROC curve, or average precision.
    interval : (float, float), optional
        95 % interval of the area.
    point : (float, float), optional
        Where the decision in use lies; marked.
    """

    name: str
    x: ArrayLike
    y: ArrayLike
    area: float
    interval: tuple[float, float] | None = None
    point: tuple[float, float] | None = None


@styled
def roc_figure(curves: Sequence[ScoreCurve], *, title: str, remark: str = "") -> Figure:
    """Draw recall against the false positive rate, with the line of guessing.

    Parameters
    ----------
    curves : sequence of ScoreCurve
        One or more.
    title : str
        Title.
    remark : str
        Small print below, such as the number of objects of either class.

    Raises
    ------
    ValueError
        No curve, or one whose points are not pairs from 0 to 1.
    """
    figure, axes = _frame(curves, title, remark, "area")
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.6, linestyle=":", zorder=1)
    axes.annotate("guessing", (0.72, 0.70), fontsize=6, color=MUTED, rotation=45, ha="center", va="top",
                  rotation_mode="anchor")  # fmt: skip
    axes.set(xlabel="false positive rate", ylabel="recall (true positive rate)")
    return figure


@styled
def precision_recall_figure(
    curves: Sequence[ScoreCurve], *, prevalence: float | None = None, title: str, remark: str = ""
) -> Figure:
    """Draw precision against recall, as steps, with the precision of guessing.

    Parameters
    ----------
    curves : sequence of ScoreCurve
        One or more; drawn as steps: linear lines between points would promise too much [1]_.
    prevalence : float, optional
        Share of the class among all objects: what guessing reaches.
    title : str
        Title.
    remark : str
        Small print below.

    Raises
    ------
    ValueError
        No curve, or one whose points are not pairs from 0 to 1.

    References
    ----------
    .. [1] J. Davis, M. Goadrich, "The relationship between Precision-Recall and ROC curves",
       Proceedings of the 23rd International Conference on Machine Learning, 233-240 (2006).
    """
    figure, axes = _frame(curves, title, remark, "average precision", steps=True)
    if prevalence is not None:
        axes.axhline(prevalence, color=MUTED, linewidth=0.6, linestyle=":", zorder=1)
        axes.annotate("guessing", (0.02, prevalence), (0, 1.5), textcoords="offset points", fontsize=6,
                      color=MUTED, va="bottom")  # fmt: skip
    axes.set(xlabel="recall", ylabel="precision")
    return figure


def _frame(
    curves: Sequence[ScoreCurve], title: str, remark: str, area: str, *, steps: bool = False
) -> tuple[Figure, Axes]:
    if not curves:
        msg = "expected a curve or more, found none"
        raise ValueError(msg)
    figure = new_figure(COLUMN_MM, 84 + 4 * len(curves))
    axes = figure.add_subplot()
    for i, curve in enumerate(curves):
        x, y = np.asarray(curve.x, np.float64), np.asarray(curve.y, np.float64)
        both = np.concatenate([x.ravel(), y.ravel()])
        if x.ndim != 1 or x.shape != y.shape or not len(x) or not ((both >= 0) & (both <= 1)).all():
            msg = f"{curve.name}: expected pairs from 0 to 1, found {x.shape} and {y.shape} values"
            raise ValueError(msg)
        label = f"{curve.name}: {area} {curve.area:.3f}"
        if curve.interval is not None:
            label += f" ({curve.interval[0]:.3f} to {curve.interval[1]:.3f})"
        axes.plot(x, y, color=colour(i), linestyle=_LINES[i % len(_LINES)], linewidth=1.3, zorder=3,
                  label=label, clip_on=False, drawstyle="steps-pre" if steps else "default")  # fmt: skip
        if curve.point is not None:
            axes.plot(*curve.point, marker="o", markersize=5, color="white", markeredgecolor=colour(i),
                      markeredgewidth=1.4, zorder=5, clip_on=False)  # fmt: skip
    axes.set(xlim=(0, 1), ylim=(0, 1.005), aspect="equal", title=title)
    marked = "circle: decision in use" if any(curve.point is not None for curve in curves) else ""
    small = "; ".join(text for text in (remark, marked) if text)
    legend = figure.legend(loc="outside lower center", ncols=1, title=small or None, title_fontsize=6,
                           handlelength=2.4)  # fmt: skip
    legend.get_title().set_color(MUTED)
    return figure, axes
