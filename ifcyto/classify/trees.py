"""Random forests and boosted trees as flat arrays, without scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ifcyto.classify.scorer import Scorer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["FLOOR", "KINDS", "MAX_DEPTH", "Tree", "TreeScorer"]

KINDS = ("forest", "boosting")
LEAF = -1
"""Feature and children of a node that ends a path."""

MAX_DEPTH = 40
"""Questions on the longest path of a tree that is trained or read."""

FLOOR = 1e-15
"""A forest's probability below this scores as this one, so that its logarithm is finite."""

ROWS = 8192
"""Objects that go through the trees at a time; memory is bounded by this."""


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """One binary tree; node 0 is its root.

    Parameters
    ----------
    feature : ndarray (nodes,) of int64
        Column that a node asks for; -1: a leaf.
    threshold : ndarray (nodes,) of float64
        An object goes left where its value, in single precision, is at most this; 0 in leaves.
    left, right : ndarray (nodes,) of int64
        Nodes that follow, each after the node itself in the arrays; -1 in leaves.
    values : ndarray (leaves, k) of float64
        What the leaves say, in the order of the nodes.
    """

    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    values: NDArray[np.float64]

    def __post_init__(self) -> None:
        nodes = len(self.feature)
        lengths = {self.feature.shape, self.threshold.shape, self.left.shape, self.right.shape}
        if nodes == 0 or lengths != {(nodes,)}:
            msg = f"expected a tree's arrays of one length, found {sorted(lengths)}"
            raise ValueError(msg)
        leaf = self.feature == LEAF
        if (self.feature < LEAF).any() or len(self.values) != leaf.sum() or self.values.ndim != 2:
            msg = f"expected values of {leaf.sum()} leaves, found {self.values.shape}"
            raise ValueError(msg)
        if not (np.isfinite(self.threshold).all() and np.isfinite(self.values).all()):
            msg = "expected finite thresholds and values in a tree"
            raise ValueError(msg)
        own = np.arange(nodes)
        for child in (self.left, self.right):
            if not np.where(leaf, child == LEAF, (child > own) & (child < nodes)).all():
                msg = "expected each child of a tree's node after the node itself"
                raise ValueError(msg)
        if self.depth() > MAX_DEPTH:
            msg = f"expected trees of at most {MAX_DEPTH} levels, found more"
            raise ValueError(msg)

    def depth(self) -> int:
        """Questions on the longest path; one more than :data:`MAX_DEPTH` for anything longer."""
        level = np.zeros(1, np.int64)
        for depth in range(MAX_DEPTH + 1):
            level = level[self.feature[level] != LEAF]
            if not len(level):
                return depth
            level = np.unique(np.concatenate([self.left[level], self.right[level]]))
        return MAX_DEPTH + 1

    def leaves(self, columns: NDArray[np.float32]) -> NDArray[np.int64]:
        """Row of `values` ``(n,)`` at which each object ends.

        Parameters
        ----------
        columns : ndarray (F, n) of float32
            Features, one row each, C order.
        """
        n = columns.shape[1]
        leaf = self.feature == LEAF
        own = np.arange(len(leaf))
        flat = columns.ravel()
        first = np.where(leaf, 0, self.feature) * n
        threshold = _single_below(self.threshold)
        children = np.stack([np.where(leaf, own, self.left), np.where(leaf, own, self.right)], 1).ravel()
        objects = np.arange(n)
        node = np.zeros(n, np.int64)
        for _ in range(self.depth()):
            place = first[node]
            place += objects
            beyond = flat[place] > threshold[node]
            node *= 2
            node += beyond
            node = children[node]
        found: NDArray[np.int64] = (np.cumsum(leaf) - 1)[node]
        return found


def _single_below(threshold: NDArray[np.float64]) -> NDArray[np.float32]:
    """Largest float32 that is at most each threshold: splits single values as the threshold does."""
    with np.errstate(over="ignore"):
        single = threshold.astype(np.float32)
    below = np.nextafter(single, np.float32(-np.inf))
    rounded: NDArray[np.float32] = np.where(single > threshold, below, single)
    return rounded


@dataclass(frozen=True, slots=True, eq=False)
class TreeScorer(Scorer):
    """Many trees: their mean (a forest) or their sum (boosting).

    Parameters
    ----------
    trees : tuple of Tree
        Forest: each leaf has the fractions ``(classes,)``. Boosting: each leaf
        has one number, which is added to the score of one class.
    kind : str
        ``forest`` or ``boosting``.
    offsets : ndarray (classes,)
        Scores before the first tree; 0 for a forest.
    targets : tuple of int
        Boosting: class of each tree; empty for a forest.

    Notes
    -----
    The score of a forest is the logarithm of its mean probability, at least
    :data:`FLOOR`; that of boosting is the sum itself.
    """

    trees: tuple[Tree, ...]
    kind: str
    offsets: NDArray[np.float64]
    targets: tuple[int, ...] = ()

    method: ClassVar[str] = "trees"

    def __post_init__(self) -> None:
        if self.kind not in KINDS or not self.trees:
            msg = f"expected trees of kind {' or '.join(KINDS)}, found {len(self.trees)} of {self.kind!r}"
            raise ValueError(msg)
        classes = len(self.classes)
        forest = self.kind == "forest"
        if self.offsets.shape != (classes,) or not np.isfinite(self.offsets).all():
            msg = f"expected {classes} finite offsets, found shape {self.offsets.shape}"
            raise ValueError(msg)
        if len(self.targets) != (0 if forest else len(self.trees)) or not all(
            0 <= target < classes for target in self.targets
        ):
            msg = "expected a class for each tree of boosting and none for a forest"
            raise ValueError(msg)
        for tree in self.trees:
            if tree.values.shape[1] != (classes if forest else 1):
                msg = f"expected {classes if forest else 1} numbers a leaf, found {tree.values.shape[1]}"
                raise ValueError(msg)
            if tree.feature.max() >= len(self.features):
                msg = f"expected trees on {len(self.features)} features, found {tree.feature.max()}"
                raise ValueError(msg)

    def scores(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """See :meth:`Scorer.scores`; values are compared in single precision, as in training."""
        found = np.empty((len(values), len(self.classes)))
        for first in range(0, len(values), ROWS):
            part = values[first : first + ROWS]
            found[first : first + ROWS] = self._scores(part)
            found[first : first + ROWS][~np.isfinite(part).all(axis=1)] = np.nan
        return found

    def _scores(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(over="ignore", invalid="ignore"):
            columns = np.ascontiguousarray(values.T, np.float32)
        sums = np.zeros((len(values), len(self.classes))) + self.offsets
        if self.kind == "boosting":
            for tree, target in zip(self.trees, self.targets, strict=True):
                sums[:, target] += tree.values[tree.leaves(columns), 0]
            return sums
        for tree in self.trees:
            sums += tree.values[tree.leaves(columns)]
        shares: NDArray[np.float64] = np.log(np.maximum(sums / len(self.trees), FLOOR))
        return shares

    def to_dict(self) -> dict[str, Any]:
        """See :meth:`Scorer.to_dict`."""
        trees = [
            {
                "feature": tree.feature.tolist(),
                "threshold": tree.threshold.tolist(),
                "left": tree.left.tolist(),
                "right": tree.right.tolist(),
                "values": tree.values.tolist(),
            }
            for tree in self.trees
        ]
        return {
            "kind": self.kind,
            "offsets": self.offsets.tolist(),
            "targets": list(self.targets),
            "trees": trees,
        }

    @classmethod
    def from_dict(
        cls, features: tuple[str, ...], classes: tuple[str, ...], data: Mapping[str, Any]
    ) -> TreeScorer:
        """See :meth:`Scorer.from_dict`."""
        kind = str(data["kind"])
        width = len(classes) if kind == "forest" else 1
        trees = tuple(
            Tree(
                np.array(tree["feature"], np.int64),
                np.array(tree["threshold"], np.float64),
                np.array(tree["left"], np.int64),
                np.array(tree["right"], np.int64),
                np.array(tree["values"], np.float64).reshape(-1, width),
            )
            for tree in data["trees"]
        )
        targets = tuple(int(target) for target in data["targets"])
        return cls(features, classes, trees, kind, np.array(data["offsets"], np.float64), targets)

    @classmethod
    def from_sklearn(cls, features: tuple[str, ...], classes: tuple[str, ...], model: Any) -> TreeScorer:
        """Take the trees out of a trained model of scikit-learn.

        Parameters
        ----------
        features, classes : tuple of str
            Names of the model's columns, and of its classes 0, 1, ...
        model : RandomForestClassifier or GradientBoostingClassifier
            The latter with the loss ``log_loss`` and the usual start from the classes' frequencies.

        Raises
        ------
        ValueError
            The numbers of features or classes differ from the model's.
        """
        if (model.n_features_in_, len(model.classes_)) != (len(features), len(classes)):
            msg = f"expected {model.n_features_in_} features and {len(model.classes_)} classes"
            raise ValueError(msg)
        if not hasattr(model, "learning_rate"):
            forest = tuple(_tree(estimator.tree_, 1.0) for estimator in model.estimators_)
            return cls(features, classes, forest, "forest", np.zeros(len(classes)))
        stages = model.estimators_
        trees = tuple(_tree(e.tree_, model.learning_rate) for e in stages.ravel())
        start = np.log(model.init_.class_prior_)
        if len(classes) == 2:  # one tree a stage: the odds of the second class
            return cls(features, classes, trees, "boosting", start - start[0], (1,) * len(trees))
        targets = tuple(range(len(classes))) * len(stages)
        return cls(features, classes, trees, "boosting", start - start.mean(), targets)


def _tree(tree: Any, scale: float) -> Tree:
    leaf = tree.children_left == LEAF
    return Tree(
        np.where(leaf, LEAF, tree.feature).astype(np.int64),
        np.where(leaf, 0.0, tree.threshold),
        tree.children_left.astype(np.int64),
        tree.children_right.astype(np.int64),
        scale * tree.value[leaf, 0, :],
    )
