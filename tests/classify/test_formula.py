"""A printed formula gives the classifier's own values when another program evaluates it."""

from __future__ import annotations

import re

import numpy as np
import pytest

from ifcyto.classify.fit import fit
from ifcyto.classify.formula import formula
from ifcyto.classify.scorer import LinearScorer
from ifcyto.errors import UsageError
from ifcyto.readers.daf_document import read_daf

TOKEN = re.compile(r"\s*(?:\[(?P<name>(?:[^]]|]])+)]|(?P<number>\d+\.?\d*(?:[eE][-+]?\d+)?)|(?P<sign>[-+*]))")


def tokens(text: str) -> list[tuple[str, str]]:
    """Names, numbers and signs; anything else is a mistake."""
    found, place = [], 0
    while place < len(text):
        match = TOKEN.match(text, place)
        assert match, text[place:]
        found.append((match.lastgroup, match[match.lastgroup]))
        place = match.end()
    return found


def evaluate(text: str, cells: dict[str, float]) -> tuple[float, float]:
    """Value of a sum of products, and the sum of the products' sizes, as a spreadsheet would do it."""
    total, size, sign, product = 0.0, 0.0, 1.0, None
    for kind, word in [*tokens(text), ("sign", "+")]:
        if kind == "sign" and word == "*":
            continue
        if kind == "sign":
            if product is not None:
                total, size = total + sign * product, size + abs(product)
            sign, product = (-1.0 if word == "-" else 1.0), None
            continue
        value = cells[word.replace("]]", "]")] if kind == "name" else float(word)
        product = value if product is None else product * value
    return total, size


def compare(scorer: LinearScorer, values: np.ndarray) -> None:
    lines = dict(line.split(" = ", 1) for line in formula(scorer).splitlines())
    classes = scorer.classes
    assert list(lines)[: len(classes)] == list(classes)
    assert len(lines) == len(classes) + len(classes) * (len(classes) - 1) // 2
    scores = scorer.scores(values)
    for name, text in lines.items():
        first, _, second = name.partition(" vs ")
        wanted = scores[:, classes.index(first)] if not second else scorer.pair(values, first, second)
        for row, value in zip(values, wanted, strict=True):
            found, size = evaluate(text, dict(zip(scorer.features, row.tolist(), strict=True)))
            assert found == pytest.approx(value, rel=1e-12, abs=1e-12 * size)


def test_the_evaluator_itself():
    assert evaluate("-2.0 * [a] + 1e-05 - 3 * [b]] c]", {"a": 4.0, "b] c": 1.0})[0] == -8 + 1e-05 - 3
    with pytest.raises(AssertionError, match=r"/ 2"):
        evaluate("1 / 2", {})


def test_random_weights_give_the_same_values():
    g = np.random.default_rng(3)
    features = ("Area_M05", "Aspect Ratio_M05", "odd ] name [", "a*b-c+d", "[x]]")
    weights = g.normal(size=(4, 5)) * 10.0 ** g.integers(-12, 12, (4, 5))
    scorer = LinearScorer(features, ("W", "X", "Y", "Z"), weights, g.normal(size=4))
    compare(scorer, g.normal(size=(50, 5)) * 10.0 ** g.integers(-3, 6, (50, 5)))


@pytest.mark.parametrize("method", ["lda", "logistic"])
def test_stored_features_of_real_cells_give_the_same_values(shared_data, method):
    stored = read_daf(shared_data / "amnis" / "ut7_ideas62.daf")
    names = [
        name for name in stored.feature_names if name.split("_")[0] in ("Area", "Intensity", "H Energy Mean")
    ]
    values = np.stack([stored.feature(name) for name in names], axis=1)
    names = [name for name, good in zip(names, np.isfinite(values).all(axis=0), strict=True) if good]
    values = values[:, np.isfinite(values).all(axis=0)]
    assert len(names) > 10
    assert len(values) == 420
    labels = np.array(["low", "middle", "high"])[np.arange(420) // 140]
    scorer = fit(values, labels, names, ["low", "middle", "high"], method=method)
    assert np.count_nonzero(scorer.weights) > 30
    compare(scorer, values[::7])


def test_signs_zeros_and_the_lone_offset():
    scorer = LinearScorer(
        ("a", "b"),
        ("X", "Y", "Z"),
        np.array([[-1.5, 0.0], [0.0, 0.0], [0.1, 1e-5]]),
        np.array([0.0, -2.0, 3.0]),
    )
    assert formula(scorer).splitlines() == [
        "X = -1.5 * [a] + 0.0",
        "Y = -2.0",
        "Z = 0.1 * [a] + 1e-05 * [b] + 3.0",
        "X vs Y = -1.5 * [a] + 2.0",
        "X vs Z = -1.6 * [a] - 1e-05 * [b] - 3.0",
        "Y vs Z = -0.1 * [a] - 1e-05 * [b] - 5.0",
    ]


def test_what_is_no_formula_is_refused():
    trees = fit(np.arange(8.0)[:, None], np.repeat(["X", "Y"], 4), ["a"], ["X", "Y"], method="forest")
    with pytest.raises(UsageError, match=r"expected a linear classifier .*, found trees"):
        formula(trees)
    for bad in (np.nan, np.inf):
        with pytest.raises(UsageError, match="expected finite weights"):
            formula(LinearScorer(("a",), ("X", "Y"), np.array([[bad], [1.0]]), np.zeros(2)))
