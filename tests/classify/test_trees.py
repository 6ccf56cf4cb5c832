"""Trees as flat arrays: by hand, against scikit-learn, and what is no tree."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier

from ifcyto.classify import trees
from ifcyto.classify.scorer import UNKNOWN
from ifcyto.classify.trees import FLOOR, MAX_DEPTH, Tree, TreeScorer, numbers


def tree(values, feature=(0, -1, 1, -1, -1), threshold=(2.0, 0, 0.125, 0, 0), left=None, right=None) -> Tree:
    """Column 0 at most 2: leaf 0; else column 1 at most 0.125: leaf 1; else leaf 2."""
    return Tree(
        np.array(feature),
        np.array(threshold, float),
        np.array((1, -1, 3, -1, -1) if left is None else left),
        np.array((2, -1, 4, -1, -1) if right is None else right),
        np.array(values, float),
    )


STUMP = Tree(np.array([-1]), np.zeros(1), np.array([-1]), np.array([-1]), np.array([[0.5, 0.5]]))
FOREST = TreeScorer(
    ("a", "b"), ("X", "Y"), (tree([[1, 0], [0.5, 0.5], [0, 1]]), STUMP), "forest", np.zeros(2)
)
SUM = TreeScorer(
    ("a", "b"),
    ("X", "Y"),
    (tree([[1], [2], [3]]), tree([[10], [20], [30]])),
    "boosting",
    np.array([0.25, 0]),
    (0, 1),
)


def walk(one: Tree, row: np.ndarray) -> np.ndarray:
    """The plain way through one tree."""
    node = 0
    while one.feature[node] >= 0:
        low = np.float64(np.float32(row[one.feature[node]])) <= one.threshold[node]
        node = int(one.left[node] if low else one.right[node])
    return one.values[int((one.feature[:node] < 0).sum())]


def trained(kind: str, n_classes: int, **options):
    g = np.random.default_rng(n_classes)
    values = g.normal(size=(150, 5)) * 10.0 ** np.array([-6, 0, 3, 8, 0])
    values[:, 4] = np.round(values[:, 4])
    codes = np.arange(150) % n_classes
    values += codes[:, None] * values.std(axis=0) * [0, 1, 0.5, 0, 1]
    make = RandomForestClassifier if kind == "forest" else GradientBoostingClassifier
    model = make(n_estimators=10, random_state=0, **options).fit(values, codes)
    names, classes = tuple("abcde"), tuple("UVWXYZ"[:n_classes])
    return TreeScorer.from_sklearn(names, classes, model), model, values


def test_by_hand():
    values = np.array([[2.0, 9.0], [2.1, 0.125], [3.0, 0.2]])
    assert FOREST.probabilities(values) == pytest.approx(np.array([[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]]))
    assert SUM.scores(values).tolist() == [[1.25, 10], [2.25, 20], [3.25, 30]]
    assert FOREST.predict(values).tolist() == ["X", "X", "Y"]
    assert [one.depth() for one in FOREST.trees] == [2, 0]


def test_what_no_tree_gives_scores_as_next_to_nothing():
    sure = TreeScorer(("a", "b"), ("X", "Y"), FOREST.trees[:1], "forest", np.zeros(2))
    assert sure.scores(np.zeros((1, 2)))[0].tolist() == [0, np.log(FLOOR)]
    assert sure.probabilities(np.zeros((1, 2))) == pytest.approx(np.array([[1, 0]]), abs=2 * FLOOR)


@pytest.mark.parametrize("scorer", [FOREST, SUM], ids=["forest", "boosting"])
def test_what_is_missing_is_unknown(scorer):
    values = np.array([[np.nan, 1.0], [1.0, 1.0], [1.0, np.inf], [1.0, -np.inf], [1e300, -1e300]])
    assert np.isnan(scorer.scores(values)).all(axis=1).tolist() == [True, False, True, True, False]
    assert scorer.predict(values)[[0, 2, 3]].tolist() == [UNKNOWN] * 3
    assert scorer.scores(np.zeros((0, 2))).shape == (0, 2)


@pytest.mark.parametrize("n_classes", [2, 3, 6])
@pytest.mark.parametrize("kind", ["forest", "boosting"])
def test_the_same_as_scikit_learn_and_as_the_plain_way(kind, n_classes, monkeypatch):
    monkeypatch.setattr(trees, "ROWS", 64)
    scorer, model, values = trained(kind, n_classes)
    other = np.random.default_rng(1).permuted(values, axis=0)
    for found in (values, other):
        assert np.abs(scorer.probabilities(found) - model.predict_proba(found)).max() < 1e-12
    if kind == "boosting":
        raw = model.decision_function(other)
        scores = scorer.scores(other)
        assert (scores[:, 1] if n_classes == 2 else scores) == pytest.approx(raw, rel=1e-12, abs=1e-12)
    single = np.ascontiguousarray(other.T, np.float32)
    for one in scorer.trees:
        assert np.array_equal(one.values[one.leaves(single)], [walk(one, row) for row in other])


@pytest.mark.parametrize("kind", ["forest", "boosting"])
@pytest.mark.parametrize("options", [{"max_depth": 1}, {"max_leaf_nodes": 7}, {"min_samples_leaf": 100}])
def test_trees_of_every_form(kind, options):
    scorer, model, values = trained(kind, 3, **options)
    assert np.abs(scorer.probabilities(values) - model.predict_proba(values)).max() < 1e-12


def test_values_on_a_threshold_and_beside_it():
    """Values are compared in single precision, thresholds have double: no neighbour may slip over."""
    thresholds = np.array([0.1, -0.1, np.float32(0.1), 1e-50, -1e-50, 1e30, 16777217.0, 3.5e38, -3.5e38, 0.0])
    beside = [np.nextafter(np.float32(t), np.float32(to)) for t in thresholds[:7] for to in (np.inf, -np.inf)]
    values = np.array([*thresholds, *beside, 1e39, -1e39], float)[:, None]
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    for threshold in thresholds:
        one = Tree(
            np.array([0, -1, -1]),
            np.array([threshold, 0, 0]),
            np.array([1, -1, -1]),
            np.array([2, -1, -1]),
            np.zeros((2, 1)),
        )
        assert np.array_equal(one.leaves(single.T.copy()), single[:, 0].astype(float) > threshold)


@pytest.mark.parametrize("kind", ["forest", "boosting"])
def test_it_comes_back_from_json(kind):
    scorer, _, values = trained(kind, 3)
    data = json.loads(json.dumps(scorer.to_dict(), allow_nan=False))
    again = TreeScorer.from_dict(scorer.features, scorer.classes, data)
    assert again.to_dict() == scorer.to_dict()
    assert np.array_equal(again.scores(values), scorer.scores(values))


VALUES = [[1], [2], [3]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"left": (0, -1, 3, -1, -1)}, "follow a node after it"),
        ({"left": (1, -1, 0, -1, -1)}, "follow a node after it"),
        ({"right": (2, -1, 2, -1, -1)}, "follow a node after it"),
        ({"right": (2, -1, 5, -1, -1)}, "follow a node after it"),
        ({"right": (2, -1, -1, -1, -1)}, "follow a node after it"),
        ({"left": (1, 2, 3, -1, -1)}, "follow a node after it"),
        ({"left": (1, -1, 3, -1)}, "arrays of one length"),
        ({"threshold": (1, 2)}, "arrays of one length"),
        ({"feature": ()}, "arrays of one length"),
        ({"feature": (0, -2, 1, -1, -1)}, "a column or -1 a node"),
        ({"feature": (0, -1, 1, 1, -1)}, "2 leaves' values"),
        ({"values": [[1], [2]]}, "3 leaves' values"),
        ({"values": [1, 2, 3]}, "3 leaves' values"),
        ({"values": [[1], [np.nan], [3]]}, "finite"),
        ({"threshold": (np.inf, 0, 0, 0, 0)}, "finite"),
    ],
)
def test_what_is_no_tree_is_refused(change, message):
    assert tree(VALUES).depth() == 2
    with pytest.raises(ValueError, match=message):
        tree(**{"values": VALUES, **change})


def chain(length: int) -> Tree:
    """A tree of which each node's right child asks again."""
    inner = np.arange(0, 2 * length, 2)
    feature = np.full(2 * length + 1, -1)
    left, right = feature.copy(), feature.copy()
    feature[inner], left[inner], right[inner] = 0, inner + 1, inner + 2
    return Tree(feature, np.zeros(2 * length + 1), left, right, np.zeros((length + 1, 1)))


def test_paths_that_are_too_long_are_refused():
    assert chain(MAX_DEPTH).depth() == MAX_DEPTH
    for length in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(ValueError, match="paths of at most 40"):
            chain(length)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "magic"}, "kind forest or boosting"),
        ({"trees": ()}, "kind forest or boosting, found 0"),
        ({"offsets": np.zeros(3)}, "2 finite offsets"),
        ({"offsets": np.array([0, np.nan])}, "2 finite offsets"),
        ({"targets": (0,)}, "a class for each tree"),
        ({"targets": (0, 2)}, r"classes 0 to 1, found \[0, 2\]"),
        ({"targets": (0, -1)}, r"classes 0 to 1, found \[-1, 0\]"),
        ({"trees": FOREST.trees}, "1 values in each leaf"),
        ({"kind": "forest", "targets": ()}, "2 values in each leaf"),
        ({"features": ("a",)}, "ask for 1 columns"),
    ],
)
def test_trees_that_do_not_belong_together_are_refused(change, message):
    good = {
        "features": ("a", "b"),
        "classes": ("X", "Y"),
        "trees": SUM.trees,
        "kind": "boosting",
        "offsets": np.zeros(2),
        "targets": (0, 1),
    }
    TreeScorer(**good)
    with pytest.raises(ValueError, match=message):
        TreeScorer(**{**good, **change})


def test_another_models_names_are_refused():
    _, model, _ = trained("forest", 3)
    with pytest.raises(ValueError, match="expected 5 features and 3 classes"):
        TreeScorer.from_sklearn(("a",), ("X", "Y", "Z"), model)


@pytest.mark.parametrize(
    "bad",
    [["1"], [None], [[1], [2, 3]], [[[1]], 2], [True], [10**400], [1.5, 10**400], "12", {"a": 1}, 7, [{}]],
)
def test_only_numbers_are_numbers(bad):
    for dtype in (np.int64, np.float64):
        with pytest.raises(ValueError, match=r"numbers in it$"):
            numbers(bad, dtype, "it")


def test_whole_numbers_are_whole():
    assert numbers([1, 2], np.int64, "it").dtype == np.int64
    assert numbers([1, 2], np.float64, "it").dtype == np.float64
    for bad in ([1.0], [2**63], [1, 2.5]):
        with pytest.raises(ValueError, match="whole numbers in it"):
            numbers(bad, np.int64, "it")
