"""Random forests and boosted trees as flat arrays, without scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ifcyto.classify.scorer import Scorer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["FLOOR", "KINDS", "MAX_DEPTH", "Tree", "TreeScorer", "numbers"]

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
        shapes = [part.shape for part in (self.feature, self.threshold, self.left, self.right)]
        leaf = self.feature == LEAF
        if nodes == 0 or set(shapes) != {(nodes,)}:
            msg = f"expected arrays of one length, one number a node, found {shapes}"
        elif (self.feature < LEAF).any() or self.values.ndim != 2 or len(self.values) != leaf.sum():
            msg = f"expected a column or -1 a node, {leaf.sum()} leaves' values, found {self.values.shape}"
        elif not (np.isfinite(self.threshold).all() and np.isfinite(self.values).all()):
            msg = "expected finite thresholds and values"
        elif not (self._follow(self.left, leaf) and self._follow(self.right, leaf)):
            msg = "expected the nodes that follow a node after it, and -1 in leaves"
        elif self.depth() > MAX_DEPTH:
            msg = f"expected paths of at most {MAX_DEPTH} questions, found longer ones"
        else:
            return
        raise ValueError(msg)

    def _follow(self, children: NDArray[np.int64], leaf: NDArray[np.bool_]) -> bool:
        """Whether children stand behind their parents: then no path can turn in a circle."""
        nodes = np.arange(len(children))
        return bool(np.where(leaf, children == LEAF, (children > nodes) & (children < len(nodes))).all())

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
        feature = np.where(leaf, 0, self.feature)
        threshold = _single_below(self.threshold)
        children = np.where(leaf, np.arange(len(leaf)), np.stack([self.left, self.right])).T.ravel()
        flat, first, objects = columns.ravel(), feature * n, np.arange(n)
        node = children.take(columns[feature[0]] > threshold[0])
        for _ in range(1, self.depth()):  # who has reached a leaf stays there
            place = first.take(node)
            place += objects
            beyond = flat.take(place) > threshold.take(node)
            node *= 2
            node += beyond
            node = children.take(node)
        found: NDArray[np.int64] = (np.cumsum(leaf) - 1).take(node)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Write it as JSON values; :meth:`from_dict` reads them."""
        return {
            "feature": self.feature.tolist(),
            "threshold": self.threshold.tolist(),
            "left": self.left.tolist(),
            "right": self.right.tolist(),
            "values": self.values.tolist(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Tree:
        """Read what :meth:`to_dict` wrote; KeyError or ValueError where it is no tree."""
        whole = [numbers(data[key], np.int64, key) for key in ("feature", "left", "right")]
        threshold, values = (numbers(data[key], np.float64, key) for key in ("threshold", "values"))
        return cls(whole[0], threshold, whole[1], whole[2], values)


def numbers(values: Any, dtype: type[np.number[Any]], name: str) -> NDArray[Any]:
    """Lists of numbers, as JSON has them, as an array of int64 or float64.

    ValueError, with the `name`, where they hold anything else, fractions instead of
    whole numbers, lists of different lengths or numbers too large.

    Examples
    --------
    >>> numbers([[1, 2.5]], np.float64, "weights")
    array([[1. , 2.5]])
    """
    kinds = "i" if dtype is np.int64 else "if"
    try:
        found = np.array(values)
    except (ValueError, OverflowError):
        found = np.array("of different lengths")
    if not isinstance(values, list) or found.dtype.kind not in kinds:
        what = "whole numbers" if dtype is np.int64 else "numbers"
        msg = f"expected lists of {what} in {name}"
        raise ValueError(msg)
    return found.astype(dtype)


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
        classes, forest = len(self.classes), self.kind == "forest"
        width = classes if forest else 1
        if self.kind not in KINDS or not self.trees:
            msg = f"expected trees of kind {' or '.join(KINDS)}, found {len(self.trees)} of {self.kind!r}"
        elif self.offsets.shape != (classes,) or not np.isfinite(self.offsets).all():
            msg = f"expected {classes} finite offsets, found {self.offsets.tolist()}"
        elif len(self.targets) != (0 if forest else len(self.trees)):
            msg = (
                f"expected a class for each tree of boosting and none for a forest, found {len(self.targets)}"
            )
        elif any(not 0 <= target < classes for target in self.targets):
            msg = f"expected trees for classes 0 to {classes - 1}, found {sorted({*self.targets})[:9]}"
        elif any(tree.values.shape[1] != width for tree in self.trees):
            msg = f"expected {width} values in each leaf"
        elif any(tree.feature.max() >= len(self.features) for tree in self.trees):
            msg = f"expected trees that ask for {len(self.features)} columns, found more"
        else:
            return
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
        return {
            "kind": self.kind,
            "offsets": self.offsets.tolist(),
            "targets": list(self.targets),
            "trees": [tree.to_dict() for tree in self.trees],
        }

    @classmethod
    def from_dict(
        cls, features: tuple[str, ...], classes: tuple[str, ...], data: Mapping[str, Any]
    ) -> TreeScorer:
        """See :meth:`Scorer.from_dict`."""
        trees = []
        for place, tree in enumerate(data["trees"]):
            try:
                trees.append(Tree.from_dict(tree))
            except ValueError as error:
                msg = f"trees[{place}]: {error}"
                raise ValueError(msg) from error
        offsets = numbers(data["offsets"], np.float64, "offsets")
        targets = numbers(data["targets"], np.int64, "targets") if data["targets"] else np.zeros(0, np.int64)
        return cls(features, classes, tuple(trees), str(data["kind"]), offsets, tuple(targets.tolist()))

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
