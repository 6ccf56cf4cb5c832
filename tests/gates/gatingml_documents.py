"""Gates of every kind, and Gating-ML written by hand, for the tests of both directions."""

from __future__ import annotations

import math

from ifcyto.gates.gate import Gate
from ifcyto.gates.polygon import Polygon
from ifcyto.gates.scales import Scale
from ifcyto.gates.shapes import Half, Oval, Quadrant, Range, Rectangle
from ifcyto.gates.tree import Population, make_gate_set

A, B = "Area_Dilate(M01, 2)", "Intensity"
LOG, LINLOG = Scale("log"), Scale("linlog", 0.5)
GATES = [
    Gate("G2/M & x", (A,), Range(-1, 1)),
    Gate("open range", (A,), Range(high=0.3)),
    Gate("below", (A,), Half(0.2, upper=False), colour="Lime"),
    Gate("from", (B,), Half(0.2, upper=True)),
    Gate("rectangle", (A, B), Rectangle(-1, 1, -0.5, math.inf)),
    Gate("quadrant", (A, B), Quadrant(0.0, -0.3, 3)),
    Gate("oval", (A, B), Oval(-1, 2, -0.5, 0.5)),
    Gate("log oval", (A, B), Oval(0.1, 2, 0.1, 0.9), (LOG, LOG)),
    Gate("polygon", (A, B), Polygon(((-1, -1), (1, -0.5), (0.5, 1)))),
    Gate("half log polygon", (A, B), Polygon(((0.1, -1), (1, -0.5), (0.5, 1))), (LOG, Scale())),
]
COMBINED = [
    Population("without", definition="oval|And|Not|polygon", comment="as drawn"),
    Population("nested", "from", definition="Not|(|oval|Or|rectangle|And|Not|polygon|)"),
    Population("one", definition="oval"),
    Population("rest", definition="All|And|Not|oval"),
    Population("all", definition="All|Or|oval"),
    Population("none", definition="Not|All"),
    Population("child", "quadrant", gate="below"),
]


def every_kind():
    """A set of them all."""
    drawn = [
        Population(gate.name, "G2/M & x" if i % 2 else "", gate=gate.name) for i, gate in enumerate(GATES)
    ]
    return make_gate_set(GATES, [*drawn, *COMBINED])


HEAD = (
    '<g:Gating-ML xmlns:g="http://www.isac-net.org/std/Gating-ML/v2.0/gating" '
    'xmlns:d="http://www.isac-net.org/std/Gating-ML/v2.0/datatypes" '
    'xmlns:t="http://www.isac-net.org/std/Gating-ML/v2.0/transformations">'
)
X, Y = "xy"


def axis(name, more="", kind="dimension", inner=""):
    start = f'<g:{kind} {more} g:compensation-ref="uncompensated">'
    return f'{start}<d:fcs-dimension d:name="{name}"/>{inner}</g:{kind}>'


def document(*parts):
    return HEAD + "".join(parts) + "</g:Gating-ML>"


def rectangle(name="r", more='g:min="1"', parent=""):
    return f'<g:RectangleGate g:id="{name}" {parent}>{axis(X, more)}</g:RectangleGate>'


def points(part, *rows, inner="coordinate"):
    words = ("".join(f'<g:{inner} d:value="{value}"/>' for value in row) for row in rows)
    return "".join(f"<g:{part}>{word}</g:{part}>" for word in words)


def ellipse(rows=((1, 0.5), (0.5, 1)), more=""):
    matrix = f"<g:covarianceMatrix>{points('row', *rows, inner='entry')}</g:covarianceMatrix>"
    axes = axis(X, more) + axis(Y, more)
    inner = f'{axes}{points("mean", (0, 0))}{matrix}<g:distanceSquare d:value="2"/>'
    return f'<g:EllipsoidGate g:id="e">{inner}</g:EllipsoidGate>'


def negated(name, other):
    return f'<g:BooleanGate g:id="{name}"><g:not><g:gateReference g:ref="{other}"/></g:not></g:BooleanGate>'


def on_logicle(old, new):
    return document(LOGICLE.replace(old, new), rectangle(more=f'g:min="1" {TRANSFORMED}'))


LOGICLE = '<t:transformation t:id="l"><t:logicle t:T="1000" t:W="0.5" t:M="4.5" t:A="0"/></t:transformation>'
TRANSFORMED = 'g:transformation-ref="l"'
POLYGON = f'<g:PolygonGate g:id="p">{axis(X)}{axis(Y)}{points("vertex", (1, 2), (3, 4))}</g:PolygonGate>'
QUADRANTS = (
    '<g:QuadrantGate g:id="q">'
    + axis(X, 'g:id="dx"', "divider", "<g:value>-1</g:value><g:value>2</g:value>")
    + axis(Y, 'g:id="dy"', "divider", "<g:value>0</g:value>")
    + '<g:Quadrant g:id="q1"><g:position g:divider_ref="dx" g:location="0"/>'
    + '<g:position g:divider_ref="dy" g:location="-1"/></g:Quadrant>'
    + '<g:Quadrant g:id="q2"><g:position g:divider_ref="dx" g:location="3"/></g:Quadrant></g:QuadrantGate>'
)
