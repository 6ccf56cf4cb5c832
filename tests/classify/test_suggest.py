from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from ifcyto.classify.suggest import doubtful, entropy, margin, suggest
from ifcyto.classify.tagging import tagging_round
from ifcyto.classify.training import TrainOptions
from ifcyto.errors import UsageError

NAMES = ("BNE", "Doublet", "Irregular")


@pytest.fixture
def p(rng):
    found = rng.dirichlet([0.6] * 3, 500)
    found[17] = np.nan
    return found


@pytest.fixture
def cells(rng):
    """Features of 600 objects of three kinds, which overlap."""
    kinds = rng.choice(NAMES, 600, p=[0.2, 0.5, 0.3])
    centres = {"BNE": [2.2, 0, 0, 0], "Doublet": [0, 2.2, 0, 0], "Irregular": [0, 0, 2.2, 0]}
    return rng.normal(size=(600, 4)) + [centres[kind] for kind in kinds], kinds


def test_entropy_and_margin(p):
    known = np.delete(p, 17, axis=0)
    np.testing.assert_allclose(entropy(known), stats.entropy(known, axis=1) / math.log(3))
    slow = [sorted(row)[2] - sorted(row)[1] for row in known.tolist()]
    np.testing.assert_allclose(margin(known), slow)
    assert entropy([[0.25] * 4, [0, 0, 1, 0]]).tolist() == [1.0, 0.0]
    assert np.isnan(entropy(p)[17])
    assert np.isnan(margin(p)[17])


@pytest.mark.parametrize("measure", ["margin", "entropy"])
def test_orders(p, measure):
    certain = margin(p) if measure == "margin" else -entropy(p)
    order = [row for row in np.argsort(certain).tolist() if row != 17]
    assert suggest(p, NAMES, n=20, measure=measure).rows.tolist() == order[:20]
    assert suggest(p, NAMES, n=20, measure=measure, order="certain").rows.tolist() == order[::-1][:20]
    everything = suggest(p, NAMES, n=None, measure=measure)
    assert everything.rows.tolist() == order
    assert everything.probability.tolist() == np.nanmax(p[order], axis=1).tolist()
    assert everything.labels.tolist() == [NAMES[i] for i in p[order].argmax(axis=1)]


def test_tagged_objects_and_other_classes_are_passed_over(p):
    tagged = np.arange(500) % 2 == 0
    found = suggest(p, NAMES, n=None, tagged=tagged, of="Doublet")
    assert (found.rows % 2 == 1).all()
    assert set(found.labels) == {"Doublet"}
    assert len(found.rows) == (p[1::2].argmax(axis=1) == 1)[np.isfinite(p[1::2, 0])].sum()
    assert suggest(p, NAMES, tagged=np.ones(500, bool)).rows.tolist() == []
    assert suggest(p[17:18], NAMES, order="diverse", values=p[17:18]).rows.tolist() == []


def test_diverse_ones_are_uncertain_and_lie_apart(rng):
    """Least certain of all are a hundred twins; diverse suggestions take few of them."""
    values = rng.normal(size=(400, 3)) * 5
    values[:100] = values[0] + 1e-3 * rng.normal(size=(100, 3))
    doubt = np.append(rng.uniform(0.45, 0.5, 100), rng.uniform(0.2, 0.44, 300))
    p = np.column_stack([doubt, 1 - doubt])
    plain = suggest(p, NAMES[:2], n=20)
    apart = suggest(p, NAMES[:2], n=20, order="diverse", values=values)
    assert (plain.rows < 100).all()
    assert len(apart.rows) == 20
    assert (apart.rows < 100).sum() <= 3
    pool = np.argsort(margin(p), kind="stable")[:200]
    assert set(apart.rows) <= set(pool.tolist())
    assert (np.diff(apart.margin) >= 0).all()
    again = suggest(p, NAMES[:2], n=20, order="diverse", values=values)
    assert again.rows.tolist() == apart.rows.tolist()
    assert len(suggest(p[:8], NAMES[:2], n=20, order="diverse", values=values[:8]).rows) == 8


def test_doubtful_tags_come_first_where_they_are_least_likely():
    p = np.array([[0.3, 0.7], [0.1, 0.9], [0.6, 0.4], [np.nan, np.nan], [0.2, 0.8]])
    found = doubtful(["a", "a", "a", "a", ""], p, ["a", "b"])
    assert found.rows.tolist() == [1, 0]
    assert found.labels.tolist() == ["b", "b"]
    assert doubtful([""] * 5, p, ["a", "b"]).rows.tolist() == []
    with pytest.raises(UsageError, match="found the tags c"):
        doubtful(["c"] * 5, p, ["a", "b"])
    with pytest.raises(UsageError, match=r"\(4,\) tags"):
        doubtful(["a"] * 4, p, ["a", "b"])


def test_a_round_finds_tags_that_are_wrong(cells, rng):
    values, kinds = cells
    tags = np.where(np.arange(600) < 200, kinds, "")
    wrong = np.flatnonzero(kinds[:200] == "BNE")[:6]
    tags[wrong] = "Doublet"
    found = tagging_round(values, tags, n=30)
    assert len(set(wrong.tolist()) & set(found.doubtful.rows.tolist())) >= 5
    assert len(found.doubtful.rows) < 50
    assert (found.suggestions.rows >= 200).all()
    scorer = found.training.scorer
    places = [int(name[1:]) for name in scorer.features]
    np.testing.assert_allclose(found.probabilities, scorer.probabilities(values[:, places]))


def test_tagging_what_is_suggested_teaches_more_than_chance(cells, rng):
    """Thirty tags, then forty more: by margin against at random, mean of ten starts."""
    values, kinds = cells
    rare = (kinds != "BNE") | (rng.random(600) < 0.25)  # 5 % BNEs
    values, kinds = values[rare], kinds[rare]
    options = TrainOptions(learning_curve=False, n_features=4, folds=2)
    right = {"uncertain": [], "random": []}
    for start in range(10):
        part = np.random.default_rng(start)
        first = np.concatenate([part.permutation(np.flatnonzero(kinds == k))[:5] for k in NAMES])
        tags = np.full(len(kinds), "", dtype="U9")
        tags[first] = kinds[first]
        chosen = tagging_round(values, tags, n=40, options=options).suggestions.rows
        chance = part.permutation(np.flatnonzero(tags == ""))[:40]
        for name, rows in (("uncertain", chosen), ("random", chance)):
            more = tags.copy()
            more[rows] = kinds[rows]
            found = tagging_round(values, more, options=options).probabilities.argmax(axis=1)
            right[name].append(np.mean([(found[kinds == k] == i).mean() for i, k in enumerate(NAMES)]))
    assert np.mean(right["uncertain"]) > np.mean(right["random"])


def test_objects_without_a_feature_are_not_suggested(cells):
    values, kinds = cells
    values[300, 0] = np.nan
    tags = np.where(np.arange(600) < 200, kinds, "")
    for order in ("uncertain", "diverse"):
        found = tagging_round(values, tags, order=order, n=399)
        assert np.isnan(found.probabilities[300]).all()
        assert 300 not in found.suggestions.rows


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"order": "best"}, "an order among uncertain, certain, diverse, found 'best'"),
        ({"n": 0}, "one object or more to suggest, found 0"),
        ({"of": "Mitosis"}, "a class among BNE, Doublet, Irregular, found 'Mitosis'"),
        ({"order": "diverse"}, "their features for diverse"),
        ({"order": "diverse", "n": None, "values": np.zeros((500, 2))}, "a number of objects"),
        ({"classes": ("a", "b")}, "probabilities of 2 classes"),
        ({"tagged": [True]}, "for every object"),
    ],
)
def test_what_cannot_be_suggested(p, change, expected):
    with pytest.raises(UsageError, match=expected):
        suggest(**({"probabilities": p, "classes": NAMES} | change))


def test_tags_that_teach_nothing(cells):
    values, kinds = cells
    with pytest.raises(UsageError, match="each of 600 objects"):
        tagging_round(values, kinds[:5])
    with pytest.raises(UsageError, match="expected"):
        tagging_round(values, np.where(np.arange(600) < 5, "BNE", ""))
