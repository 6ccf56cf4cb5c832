"""Classifiers in their own units give what scikit-learn gives."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from ifcyto.classify.fit import METHODS, fit, standardise
from ifcyto.classify.scorer import LinearScorer
from ifcyto.classify.trees import TreeScorer
from ifcyto.errors import UsageError

KINDS = {"lda": LinearScorer, "logistic": LinearScorer, "forest": TreeScorer, "boosting": TreeScorer}


def truth(n_classes: int, n: int = 240, n_features: int = 6, seed: int = 5):
    """Values in very different units, one column constant; unequal classes, not in alphabetical order."""
    g = np.random.default_rng(seed)
    codes = np.sort(g.integers(0, n_classes + 1, n) % n_classes)
    units = 10.0 ** np.array([-4, 0, 2, 5, 1, 0])[:n_features]
    values = g.normal(size=(n, n_features)) + 1.5 * g.normal(size=(n_classes, n_features))[codes]
    values = (values + 3) * units
    values[:, 4] = 0.1
    classes = [f"class {n_classes - place}" for place in range(n_classes)]
    names = [f"f{place}" for place in range(n_features)]
    return values, np.array(classes)[codes], names, classes, codes


def reference(method: str, n_classes: int, *, equal: bool):
    if method == "lda":
        priors = [1 / n_classes] * n_classes if equal else None
        return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=priors)
    return LogisticRegression(max_iter=5000, class_weight="balanced" if equal else None)


@pytest.mark.parametrize("n_classes", [2, 3, 7])
@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("method", ["lda", "logistic"])
def test_linear_probabilities_are_those_of_scikit_learn(method, equal, n_classes):
    values, labels, names, classes, codes = truth(n_classes)
    scorer = fit(values, labels, names, classes, method=method, equal_priors=equal)
    changing = np.delete(np.arange(6), 4)
    mean, sd = values.mean(axis=0), values.std(axis=0)
    sd[4], mean[4] = 1.0, values[0, 4]
    model = reference(method, n_classes, equal=equal).fit((values - mean) / sd, codes)
    other = np.random.default_rng(9).normal(size=(100, 6)) * sd + mean
    other[:, 4] = mean[4]
    for found in (values, other):
        wanted = model.predict_proba((found - mean) / sd)
        assert np.abs(scorer.probabilities(found) - wanted).max() < 1e-10
        assert scorer.predict(found).tolist() == [classes[c] for c in model.predict((found - mean) / sd)]
    assert not scorer.weights[:, 4].any()
    assert scorer.weights[:, changing].all()
    assert scorer.kind == method
    odds = np.log(model.predict_proba((values - mean) / sd))
    pair = scorer.pair(values, classes[0], classes[1])
    assert pair == pytest.approx(odds[:, 0] - odds[:, 1], rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3, 7])
@pytest.mark.parametrize("equal", [True, False])
def test_tree_probabilities_are_those_of_scikit_learn(n_classes, equal):
    values, labels, names, classes, codes = truth(n_classes)
    weight = "balanced" if equal else None
    forest = RandomForestClassifier(100, max_depth=40, class_weight=weight, random_state=3).fit(values, codes)
    weights = len(codes) / (n_classes * np.bincount(codes)[codes]) if equal else None
    boosting = GradientBoostingClassifier(max_features="sqrt", random_state=3).fit(values, codes, weights)
    other = np.random.default_rng(9).normal(size=(300, 6)) * values.std(axis=0) + values.mean(axis=0)
    for method, model in (("forest", forest), ("boosting", boosting)):
        scorer = fit(values, labels, names, classes, method=method, equal_priors=equal, seed=3)
        assert np.abs(scorer.probabilities(other) - model.predict_proba(other)).max() < 1e-12


@pytest.mark.parametrize("method", METHODS)
def test_every_method_learns_and_is_the_same_twice(method):
    values, labels, names, classes, _ = truth(3)
    first, second = (fit(values, labels, names, classes, method=method, seed=4) for _ in range(2))
    assert isinstance(first, KINDS[method])
    assert first.features == tuple(names)
    assert first.classes == tuple(classes)
    assert first.to_dict() == second.to_dict()
    assert (first.predict(values) == labels).mean() > 0.85


@pytest.mark.parametrize("method", ["forest", "boosting"])
def test_the_seed_counts_where_chance_plays(method):
    values, labels, names, classes, _ = truth(3)
    made = [fit(values, labels, names, classes, method=method, seed=seed).to_dict() for seed in (0, 1)]
    assert made[0] != made[1]


def test_units_change_weights_and_nothing_else():
    values, labels, names, classes, _ = truth(3)
    units = np.array([2.0, 0.5, 1024, 1, 8, 0.25])  # powers of two: exact
    plain, scaled = (fit(v, labels, names, classes) for v in (values, values * units))
    assert scaled.weights * units == pytest.approx(plain.weights, rel=1e-9)
    assert scaled.scores(values * units) == pytest.approx(plain.scores(values), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_only_the_first_columns_when_asked(method):
    values, labels, names, classes, _ = truth(3)
    scorer = fit(values, labels, names, classes, method=method, n_features=2)
    alone = fit(values[:, :2], labels, names[:2], classes, method=method)
    assert scorer.features == ("f0", "f1")
    assert scorer.to_dict() == alone.to_dict()


@pytest.mark.parametrize("method", METHODS)
def test_columns_that_do_not_change_harm_nobody(method):
    values = np.column_stack([np.full(8, 1e6 / 3), 1e9 + np.arange(8) % 2 * 1e-7, np.zeros(8)])
    labels = np.repeat(["a", "b"], 4)
    scorer = fit(values, labels, ["x", "y", "z"], ["a", "b"], method=method)
    assert scorer.probabilities(values) == pytest.approx(0.5, abs=0.05)
    assert np.isfinite(scorer.scores(values + 1)).all()


def test_equal_priors_help_the_rare_class():
    g = np.random.default_rng(0)
    values = np.concatenate([g.normal(0, 1, 500), g.normal(1.5, 1, 20)])[:, None]
    labels = np.repeat(["common", "rare"], [500, 20])
    for method in METHODS:
        alike, counted = (
            fit(values, labels, ["f"], ["common", "rare"], method=method, equal_priors=equal).probabilities(
                np.array([[0.75]])
            )[0, 1]
            for equal in (True, False)
        )
        assert alike > counted, method


def test_standardise():
    values, *_ = truth(2)
    standardised, mean, scale = standardise(values)
    assert np.delete(standardised.std(axis=0), 4) == pytest.approx(1)
    assert not standardised[:, 4].any()
    assert scale[4] == 1
    assert standardised * scale + mean == pytest.approx(values)


def call(**change):
    good = {
        "values": np.arange(6.0)[:, None],
        "labels": np.array(["a", "a", "a", "b", "b", "b"]),
        "names": ["f"],
        "classes": ["a", "b"],
    }
    return fit(**{**good, **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "magic"}, "among lda, logistic, forest, boosting, found 'magic'"),
        ({"classes": ["a"]}, "two or more different classes"),
        ({"classes": ["a", "b", "a"]}, "two or more different classes"),
        ({"classes": ["a", "c"]}, "labels among a, c, found 'b'"),
        ({"classes": ["a", "b", "c"]}, "two or more objects of class 'c', found 0"),
        ({"labels": np.array(["a"] * 5 + ["b"])}, "two or more objects of class 'b', found 1"),
        ({"values": np.array([0, 1, 2, 3, 4, np.nan])[:, None]}, "finite numbers .* found 1 .* in f"),
        ({"values": np.array([0, 1, 2, np.inf, 4, 1e39])[:, None]}, "found 2 values that are missing or too"),
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_bad_truth_is_refused(change, message, method):
    with pytest.raises(UsageError, match=message):
        call(**{"method": method, **change})


@pytest.mark.parametrize(
    "change",
    [{"names": ["f", "g"]}, {"labels": np.array(["a", "b"])}, {"n_features": 0}, {"values": np.arange(6.0)}],
)
def test_lengths_must_fit(change):
    with pytest.raises(ValueError, match="expected values"):
        call(**change)
