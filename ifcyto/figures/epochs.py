"""How the training of a network went: loss and accuracy over its epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from ifcyto.figures.style import COLUMN_MM, INK, PAGE_MM, colour, new_figure, styled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["epoch_curves"]

_LOSSES = {"loss": "training", "val_loss": "validation"}
_ACCURACIES = {
    "accuracy": "training",
    "val_accuracy": "validation",
    "val_balanced_accuracy": "validation, balanced",
}
_LOOKS: dict[str, dict[str, Any]] = {
    "training": {"color": colour(0), "linestyle": "-"},
    "validation": {"color": colour(1), "linestyle": "-"},
    "validation, balanced": {"color": colour(1), "linestyle": (0, (3, 1.5))},
}
_MARKED = 30  # with more epochs the single points are not marked
_WIDE = 120  # with more epochs the figure is as wide as a page


@styled
def epoch_curves(
    history: Mapping[str, Sequence[float | None]],
    best: int,
    *,
    classes: int | None = None,
    title: str = "Training of the network",
) -> Figure:
    """Draw loss and accuracy of training and validation over the epochs.

    Parameters
    ----------
    history : mapping of str to sequence of float
        ``loss``, ``val_loss``, ``accuracy``, ``val_accuracy`` and, optionally,
        ``val_balanced_accuracy``: one value an epoch. What is None or not finite is left out.
    best : int
        Epoch, from 1, whose weights are in use; a line marks it. 0: none.
    classes : int, optional
        Number of classes; draws the line of guessing at 1 / `classes`.
    title : str
        Title.

    Raises
    ------
    ValueError
        No epoch, curves of different lengths, or a best epoch that is not among them.

    Examples
    --------
    >>> history = {name: [0.5, 0.6] for name in ("loss", "val_loss", "accuracy", "val_accuracy")}
    >>> [axes.get_ylabel() for axes in epoch_curves(history, 2).axes]
    ['loss', 'accuracy']
    """
    names = [name for name in (*_LOSSES, *_ACCURACIES) if name in history]
    curves = {name: np.array([np.nan if y is None else y for y in history[name]], float) for name in names}
    n = len(curves["val_loss"])
    if not n or {len(curve) for curve in curves.values()} != {n} or not 0 <= best <= n:
        lengths = {name: len(curve) for name, curve in curves.items()}
        msg = f"expected as many epochs in each curve and the best of them, found {lengths} and {best}"
        raise ValueError(msg)
    figure = new_figure(COLUMN_MM if n <= _WIDE else PAGE_MM, 96)
    upper, lower = figure.subplots(2, 1, sharex=True)
    for axes, kinds in ((upper, _LOSSES), (lower, _ACCURACIES)):
        for name, label in kinds.items():
            if name in curves:
                axes.plot(
                    np.arange(1, n + 1), curves[name], label=label, linewidth=1.2, marker="o",
                    markersize=2.5 if n <= _MARKED else 0, **_LOOKS[label],
                )  # fmt: skip
        if best:
            axes.axvline(best, color=INK, linewidth=0.8, linestyle=":", label=f"epoch {best}, in use")
    if classes is not None:
        lower.axhline(1 / classes, color="#999999", linewidth=0.8, label="guessing")
    upper.set(ylabel="loss", title=title, ylim=(0, None))
    lower.set(ylabel="accuracy", xlabel="epoch", ylim=(-0.03, 1.03), xlim=(0.5, n + 0.5))
    lower.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    _legend(figure, lower)
    return figure


def _legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, handlelength=2.2, columnspacing=1.4)
