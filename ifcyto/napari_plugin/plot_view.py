"""A plot on which a gate is drawn with the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from ifcyto.review.plots import limits_of, ticks

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PlotView"]

LEFT, RIGHT, TOP, BOTTOM = 58, 10, 10, 40
BINS = 60
GROUND, INK, BAR = "#1B1B1F", "#DDDDDD", "#56B4E9"


class PlotView(QWidget):
    """Points or bars, and the gate that is being drawn.

    Attributes
    ----------
    lasso : bool
        Draw a free border instead of a rectangle.
    points : list of (float, float)
        What was drawn, in data units.
    """

    gated = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumSize(280, 260)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.lasso = False
        self.points: list[tuple[float, float]] = []
        self._names = ("", "")
        self._values: NDArray[np.float64] = np.zeros((0, 2))
        self._colours: list[str] = []
        self._bars: NDArray[np.float64] | None = None
        self._edges: NDArray[np.float64] = np.zeros(0)
        self._x, self._y = (0.0, 1.0), (0.0, 1.0)

    def scatter(self, names: tuple[str, str], values: NDArray[np.float64], colours: list[str]) -> None:
        """Show points ``(n, 2)``, each in its colour."""
        self._names, self._values, self._colours, self._bars = names, values, colours, None
        self._x, self._y = limits_of(values[:, 0]), limits_of(values[:, 1])
        self.points = []
        self.update()

    def histogram(self, name: str, values: NDArray[np.float64]) -> None:
        """Show how often values occur."""
        finite = values[np.isfinite(values)]
        self._bars, self._edges = np.histogram(finite, BINS, limits_of(finite))
        self._names = (name, "objects")
        self._x = (float(self._edges[0]), float(self._edges[-1]))
        self._y = (0.0, float(max(self._bars.max(), 1)) * 1.05)
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
        """Begin a gate."""
        self.points = [self.value(event.position())]

    def mouseMoveEvent(self, event: Any) -> None:
        """Draw on."""
        if self.points:
            self.points = [*(self.points if self.lasso else self.points[:1]), self.value(event.position())]
            self.update()

    def mouseReleaseEvent(self, _event: Any) -> None:
        """End the gate."""
        if len(self.points) > 1:
            self.gated.emit()

    def paintEvent(self, _event: Any) -> None:
        """Draw all."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(GROUND))
        if self._bars is not None:
            for count, left, right in zip(self._bars, self._edges[:-1], self._edges[1:], strict=True):
                bar = QRectF(self.place(float(left), float(count)), self.place(float(right), 0.0))
                painter.fillRect(bar, QColor(BAR))
        else:
            self._paint_points(painter)
        self._paint_axes(painter)
        if len(self.points) > 1:
            painter.setPen(QPen(QColor("#FFFFFF"), 1.5, Qt.PenStyle.DashLine))
            if self.lasso and self._bars is None:
                painter.drawPolygon(QPolygonF([self.place(*point) for point in self.points]))
            else:
                painter.drawRect(
                    QRectF(self.place(*self.points[0]), self.place(*self.points[-1])).normalized()
                )
        painter.end()

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
