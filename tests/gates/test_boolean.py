"""Combinations: precedence, brackets, names with signs, and what is none."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from ifcyto.errors import GateError
from ifcyto.gates.boolean import Combination

NAMES = ("A & B", "G2/M", "And more", "D")
ROWS = np.array(list(product([False, True], repeat=4)))
MEMBERS = {name: ROWS[:, i] for i, name in enumerate(NAMES)}


@pytest.mark.parametrize(
    ("definition", "twin"),
    [
        ("D", lambda a, b, c, d: d),
        ("G2/M|And|Not|D", lambda a, b, c, d: b and not d),
        ("A & B|Or|G2/M|And|D", lambda a, b, c, d: a or (b and d)),
        ("A & B|And|G2/M|Or|D", lambda a, b, c, d: (a and b) or d),
        ("Not|A & B|And|D", lambda a, b, c, d: (not a) and d),
        ("Not|A & B|Or|D", lambda a, b, c, d: (not a) or d),
        ("Not|(|A & B|Or|D|)", lambda a, b, c, d: not (a or d)),
        ("(|A & B|Or|G2/M|)|And|D", lambda a, b, c, d: (a or b) and d),
        ("Not|Not|D", lambda a, b, c, d: d),
        (" And more |Or| D ", lambda a, b, c, d: c or d),
        ("A & B|Or|G2/M|And|Not|And more|Or|D", lambda a, b, c, d: a or (b and not c) or d),
    ],
)
def test_every_row_of_the_truth_table(definition, twin):
    combination = Combination(definition)
    assert combination.member(MEMBERS).tolist() == [bool(twin(*row)) for row in ROWS.tolist()]
    assert set(combination.names) <= set(NAMES)


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ("", "expected a population, Not or an opening bracket at the beginning, found ''"),
        ("And|D", "expected a population, Not or an opening bracket at the beginning, found 'And'"),
        ("D|And", "expected a population, Not or an opening bracket after 'D|And', found the end"),
        ("D|D", "expected And, Or or the end after 'D', found 'D'"),
        ("Not", "after 'Not', found the end"),
        ("(|D", "expected And, Or or a closing bracket after '\\(|D', found the end"),
        ("D|)", "expected And, Or or the end after 'D', found '\\)'"),
        ("D||D", "expected And, Or or the end"),
        ("Not|" * 200 + "D", "expected at most 100 brackets within one another"),
        ("(|" * 3000 + "D" + "|)" * 3000, "expected a definition of at most 10000 characters, found 12001"),
        ("(|" * 300 + "D" + "|)" * 300, "expected at most 100 brackets"),
    ],
)
def test_what_is_no_combination_is_refused(definition, message):
    with pytest.raises(GateError, match=message.replace("|", "\\|")):
        Combination(definition)
