"""Figures of an evaluation: confusion, ROC and precision-recall curves, reliability."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifcyto.compare.discrimination import precision_recall_curve, roc_curve
from ifcyto.figures.confusion import confusion_panels
from ifcyto.figures.curves import ScoreCurve, precision_recall_figure, roc_figure
from ifcyto.figures.reliability import ReliabilityPanel, reliability_figure
from ifcyto.figures.style import save_figure

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ifcyto.compare.calibration import Reliability
    from ifcyto.compare.evaluation import Evaluation

__all__ = ["draw_evaluation"]

GIVEN = "class given"


def draw_evaluation(
    found: Evaluation, truth: NDArray[np.str_], shares: NDArray[np.float64] | None, folder: Path
) -> list[Path]:
    """Draw what there is to draw; files of those names are replaced.

    Parameters
    ----------
    found : Evaluation
    truth : ndarray (n,) of str
    shares : ndarray (n, C) or None
        Probabilities in the order of the classes; rows of NaN where there are none.
    folder : pathlib.Path

    Returns
    -------
    list of pathlib.Path
        PNG and PDF files.

    Raises
    ------
    OutputError
        The disk refuses.
    """
    classes = list(found.of_class)
    figures: dict[str, Figure] = {
        "confusion": confusion_panels(
            found.strict.agreement.matrix[: len(classes)], classes, predicted=found.classes, title="Strict"
        )
    }
    if found.tolerant is not None:
        figures["confusion_tolerant"] = confusion_panels(
            found.tolerant.agreement.matrix[: len(classes)],
            classes,
            predicted=found.classes,
            title="Tolerant",
        )
    if shares is not None:
        figures |= _curves(found, classes, truth, shares)
    if found.calibration is not None:
        panels = [_panel(GIVEN, found.calibration.given, found.calibration.expected_high)]
        panels += [_panel(name, curve) for name, curve in found.calibration.of_class.items()]
        figures["reliability"] = reliability_figure(panels, title="Reliability of the probabilities")
    return [
        path for name, figure in figures.items() for path in save_figure(figure, folder, name, overwrite=True)
    ]


def _curves(
    found: Evaluation, classes: list[str], truth: NDArray[np.str_], shares: NDArray[np.float64]
) -> dict[str, Figure]:
    known = ~np.isnan(shares).any(axis=1)
    roc, recall = [], []
    for place, name in enumerate(classes):
        score, positive = shares[known, place], truth[known] == name
        values, of = found.of_class[name], found.strict.agreement.score(name)
        area, average = values["roc_auc"], values["average_precision"]
        if not np.isnan(area.value):
            x, y, _ = roc_curve(score, positive)
            point = None if np.isnan(of.specificity) else (1 - of.specificity, of.recall)
            roc.append(ScoreCurve(name, x, y, area.value, _interval(area.low, area.high), point))
        if not np.isnan(average.value):
            x, y, _ = precision_recall_curve(score, positive)
            point = None if np.isnan(of.precision) else (of.recall, of.precision)
            recall.append(ScoreCurve(name, x, y, average.value, _interval(average.low, average.high), point))
    remark = f"{known.sum():,} objects; 95 % bootstrap intervals"
    figures = {}
    if roc:
        figures["roc"] = roc_figure(roc, title="ROC curves", remark=remark)
    if recall:
        figures["precision_recall"] = precision_recall_figure(
            recall, title="Precision and recall", remark=remark
        )
    return figures


def _interval(low: float, high: float) -> tuple[float, float] | None:
    return None if np.isnan(low) or np.isnan(high) else (low, high)


def _panel(name: str, curve: Reliability, chance: float | None = None) -> ReliabilityPanel:
    return ReliabilityPanel(
        name, curve.low, curve.high, curve.count, curve.said, curve.observed, curve.ci_low, curve.ci_high,
        curve.ece, chance,
    )  # fmt: skip
