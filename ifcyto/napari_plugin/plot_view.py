"""A plot on which a gate is drawn with the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QBrush, QColor, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from ifcyto.review.plots import bars_of, limits_of, ticks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.review.plots import Bars

__all__ = ["PlotView"]

LEFT, RIGHT, TOP, BOTTOM = 58, 10, 10, 40
GROUND, INK, BAR, CHOSEN = "#1B1B1F", "#DDDDDD", "#56B4E9", "#FFFFFF"


class PlotView(QWidget):
    """Points or bars, and the gate that is being drawn.

    Attributes
    ----------
    lasso : bool
        Draw a free border instead of a rectangle.
    points : list of (float, float)
        What was drawn, in data units.
    bars : Bars or None
        The histogram; None for points.
    chosen : (int, int) or None
        First bar that was clicked, or from which was dragged, and the last one.
    """

    gated = Signal()
    picked = Signal()
    """Bars were chosen: by a click, a drag, or the keys."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumSize(280, 260)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.lasso = False
        self.points: list[tuple[float, float]] = []
        self._names = ("", "")
        self._values: NDArray[np.float64] = np.zeros((0, 2))
        self._colours: list[str] = []
        self.bars: Bars | None = None
        self.chosen: tuple[int, int] | None = None
        self._x, self._y = (0.0, 1.0), (0.0, 1.0)

    def scatter(self, names: tuple[str, str], values: NDArray[np.float64], colours: list[str]) -> None:
        """Show points ``(n, 2)``, each in its colour."""
        self._names, self._values, self._colours, self.bars = names, values, colours, None
        self._x, self._y = limits_of(values[:, 0]), limits_of(values[:, 1])
        self.points = []
        self.update()

    def histogram(self, name: str, values: NDArray[np.float64]) -> None:
        """Show how often values occur."""
        self.bars = bars = bars_of(values)
        self.chosen = None
        self._names = (name, "objects")
        self._x = (float(bars.edges[0]), float(bars.edges[-1]))
        self._y = (0.0, float(max(bars.counts.max(), 1)) * 1.05)
        self.points = []
        self.update()

    # --- places ------------------------------------------------------------------------

    def place(self, x: float, y: float) -> Any:
        """Point of the widget of a point of the data."""
        wide, tall = self.width() - LEFT - RIGHT, self.height() - TOP - BOTTOM
        across = (x - self._x[0]) / (self._x[1] - self._x[0])
        up = (y - self._y[0]) / (self._y[1] - self._y[0])
        return QPointF(LEFT + across * wide, TOP + (1 - up) * tall)

    def value(self, point: Any) -> tuple[float, float]:
        """Point of the data of a point of the widget."""
        wide, tall = self.width() - LEFT - RIGHT, self.height() - TOP - BOTTOM
        across = (point.x() - LEFT) / wide
        up = 1 - (point.y() - TOP) / tall
        return (
            self._x[0] + across * (self._x[1] - self._x[0]),
            self._y[0] + up * (self._y[1] - self._y[0]),
        )

    # --- Qt ----------------------------------------------------------------------------

    def mousePressEvent(self, event: Any) -> None:
        """Begin a gate, or choose a bar."""
        place = self.value(event.position())
        if self.bars is None:
            self.points = [place]
        else:
            self._choose(self.bars.at(place[0]))

    def mouseMoveEvent(self, event: Any) -> None:
        """Draw on, or choose all bars from the first one."""
        if self.bars is not None:
            bar = self.bars.at(self.value(event.position())[0])
            if self.chosen is not None and bar is not None:
                self._choose(bar, self.chosen[0])
        elif self.points:
            self.points = [*(self.points if self.lasso else self.points[:1]), self.value(event.position())]
            self.update()

    def mouseReleaseEvent(self, _event: Any) -> None:
        """End the gate, or take the bars."""
        if self.bars is not None and self.chosen is not None:
            self.picked.emit()
        elif len(self.points) > 1:
            self.gated.emit()

    def keyPressEvent(self, event: Any) -> None:
        """Move along the bars with the arrows, choose several with Shift, take them with Enter."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if self.bars is not None and event.key() in steps:
            first, last = self.chosen or (-1, -1)
            last = min(max(last + steps[event.key()], 0), len(self.bars.counts) - 1)
            more = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier) and self.chosen is not None
            self._choose(last, first if more else None)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.chosen is not None:
            self.picked.emit()
        else:
            super().keyPressEvent(event)

    def _choose(self, bar: int | None, first: int | None = None) -> None:
        """Choose the bars from `first` to `bar`, or `bar` alone."""
        self.chosen = None if bar is None else (bar if first is None else first, bar)
        self.update()

    def paintEvent(self, _event: Any) -> None:
        """Draw all."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(GROUND))
        if self.bars is not None:
            self._paint_bars(painter, self.bars)
        else:
            self._paint_points(painter)
        self._paint_axes(painter)
        if len(self.points) > 1:
            painter.setPen(QPen(QColor("#FFFFFF"), 1.5, Qt.PenStyle.DashLine))
            if self.lasso:
                painter.drawPolygon(QPolygonF([self.place(*point) for point in self.points]))
            else:
                painter.drawRect(
                    QRectF(self.place(*self.points[0]), self.place(*self.points[-1])).normalized()
                )
        painter.end()

    def _paint_bars(self, painter: Any, bars: Bars) -> None:
        """Draw the bars; chosen ones are hatched in white, over their whole height where they are empty."""
        low, high = sorted(self.chosen) if self.chosen is not None else (1, 0)
        for number, count in enumerate(bars.counts.tolist()):
            left, right = (float(edge) for edge in bars.edges[number : number + 2])
            bar = QRectF(self.place(left, count), self.place(right, 0.0))
            painter.fillRect(bar, QColor(BAR))
            if low <= number <= high:
                whole = bar if count else QRectF(self.place(left, self._y[1]), self.place(right, 0.0))
                painter.fillRect(whole, QBrush(QColor(CHOSEN), Qt.BrushStyle.DiagCrossPattern))

    def _paint_points(self, painter: Any) -> None:
        for colour in dict.fromkeys(self._colours):
            painter.setPen(QPen(QColor(colour), 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            mine = [place for place, each in enumerate(self._colours) if each == colour]
            painter.drawPoints(QPolygonF([self.place(*self._values[place].tolist()) for place in mine]))

    def _paint_axes(self, painter: Any) -> None:
        painter.setPen(QColor(INK))
        right, bottom = self.width() - RIGHT, self.height() - BOTTOM
        painter.drawRect(QRectF(LEFT, TOP, right - LEFT, bottom - TOP))
        middle = Qt.AlignmentFlag.AlignCenter
        for tick in ticks(*self._x):
            x = self.place(tick, self._y[0]).x()
            painter.drawText(QRectF(x - 40, bottom + 2, 80, 14), middle, f"{tick:g}")
        for tick in ticks(*self._y):
            y = self.place(self._x[0], tick).y()
            where = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, y - 8, LEFT - 4, 16), where, f"{tick:g}")
        painter.drawText(QRectF(LEFT, bottom + 18, right - LEFT, 18), middle, self._names[0])
        painter.drawText(
            QRectF(LEFT + 4, TOP + 2, right - LEFT, 16), Qt.AlignmentFlag.AlignLeft, self._names[1]
        )
