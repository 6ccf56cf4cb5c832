"""The template for erythroblasts: refused as it is, sound when it is filled in."""

from __future__ import annotations

from pathlib import Path

import pytest

from ifcyto.errors import FormatError, GateError
from ifcyto.features.names import parse_name
from ifcyto.gates.members import populate
from ifcyto.gates.shapes import Range
from ifcyto.gates.store import parse_gates, read_gates

TEMPLATE = Path(__file__).resolve().parents[2] / "examples" / "gates" / "erythroblasts.json"
ROLES = ("BF", "DRAQ5", "CD45", "CD235a", "CD105", "CD117")


def test_every_threshold_is_the_users():
    with pytest.raises(FormatError, match="gate 'Focused': low: expected a number, found null"):
        read_gates(TEMPLATE)
    text = TEMPLATE.read_text("utf-8")
    n_thresholds = text.count(": null")
    assert n_thresholds == 9
    for filled in range(n_thresholds):
        with pytest.raises(GateError, match="fill in your own threshold"):
            parse_gates(text.replace(": null", ": 5", filled))
    assert parse_gates(text.replace(": null", ": 5")).gate("Focused").shape == Range(5)


def test_filled_in_it_parts_erythroid_cells_into_three_stages(rng):
    text = TEMPLATE.read_text("utf-8").replace('"x_high": null', '"x_high": 0.9')
    gates = parse_gates(text.replace(": null", ": 0.4"))
    for name in gates.columns():
        parse_name(name, images=ROLES, check_mask=lambda text: None)
    n = 2000
    objects = rng.permutation(n)
    found = populate(gates, {name: rng.random(n) for name in gates.columns()}, objects)
    stages = [found.member(name) for name in ("ProE", "BasoE", "PolyOrthoE")]
    assert (sum(stage.astype(int) for stage in stages) == found.member("Erythroid")).all()
    assert all(stage.any() for stage in stages)
