"""What every trained classifier can do: from feature values to scores, classes and probabilities."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["UNKNOWN", "LinearScorer", "Scorer", "softmax"]

UNKNOWN = "Unknown"
"""Class of an object of which a feature that is needed cannot be computed."""


@dataclass(frozen=True, slots=True, eq=False)
class Scorer(ABC):
    """A trained classifier: plain numbers that go to JSON and back.

    Parameters
    ----------
    features : tuple of str
        Columns that it needs, in the order of `values`.
    classes : tuple of str
        Two or more, in the order of the scores.
    """

    features: tuple[str, ...]
    classes: tuple[str, ...]

    method: ClassVar[str]
    """Name of the kind of classifier, in model files and on the command line."""

    @abstractmethod
    def scores(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Score ``(n, classes)`` of feature values ``(n, features)``; the highest one wins.

        The difference of two scores is the logarithm of the odds of two classes.
        NaN in a row of values gives NaN in its scores.
        """

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Write it as JSON values, without the fields of the base class."""

    @classmethod
    @abstractmethod
    def from_dict(
        cls, features: tuple[str, ...], classes: tuple[str, ...], data: Mapping[str, Any]
    ) -> Scorer:
        """Read what :meth:`to_dict` wrote.

        Raises
        ------
        KeyError, ValueError
            `data` does not describe a classifier of these features and classes.
        """

    def probabilities(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability ``(n, classes)`` of each class, summing to 1; NaN where the scores are."""
        return softmax(self.scores(values))

    def predict(self, values: NDArray[np.float64]) -> NDArray[np.str_]:
        """Class ``(n,)`` with the highest score; :data:`UNKNOWN` where it cannot be computed."""
        return self.classes_of(self.scores(values))

    def classes_of(self, scores: NDArray[np.float64]) -> NDArray[np.str_]:
        """Class ``(n,)`` of scores or probabilities ``(n, classes)``."""
        known = np.asarray(np.isfinite(scores).all(axis=1))
        best = np.argmax(np.where(known[:, np.newaxis], scores, 0.0), axis=1)
        names = np.array([*self.classes, UNKNOWN])
        return names[np.where(known, best, len(self.classes))]

    def pair(self, values: NDArray[np.float64], first: str, second: str) -> NDArray[np.float64]:
        """Classifier value ``(n,)`` of a pair of classes: above 0 where `first` is the likelier.

        Raises
        ------
        UsageError
            A class that it does not know.
        """
        places = []
        for name in (first, second):
            if name not in self.classes:
                msg = f"expected a class among {', '.join(self.classes)}, found {name!r}"
                raise UsageError(msg)
            places.append(self.classes.index(name))
        scores = self.scores(values)
        difference: NDArray[np.float64] = scores[:, places[0]] - scores[:, places[1]]
        return difference


@dataclass(frozen=True, slots=True, eq=False)
class LinearScorer(Scorer):
    """A weighted sum of features for each class, in the features' own units.

    Parameters
    ----------
    weights : ndarray (classes, features)
    offsets : ndarray (classes,)
    kind : str
        ``lda`` or ``logistic``: how the weights were found.

    Examples
    --------
    >>> weights, offsets = np.array([[0.0], [1.0]]), np.array([0.0, -5.0])
    >>> scorer = LinearScorer(("Area_M01",), ("small", "large"), weights, offsets)
    >>> scorer.predict(np.array([[3.0], [7.0], [np.nan]])).tolist()
    ['small', 'large', 'Unknown']
    """

    weights: NDArray[np.float64]
    offsets: NDArray[np.float64]
    kind: str = "lda"

    method: ClassVar[str] = "linear"

    def __post_init__(self) -> None:
        shape = (len(self.classes), len(self.features))
        if self.weights.shape != shape or self.offsets.shape != shape[:1]:
            msg = f"expected weights {shape}, found {self.weights.shape} and offsets {self.offsets.shape}"
            raise ValueError(msg)

    def scores(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """See :meth:`Scorer.scores`."""
        found: NDArray[np.float64] = values @ self.weights.T + self.offsets
        return found

    def to_dict(self) -> dict[str, Any]:
        """See :meth:`Scorer.to_dict`."""
        return {"kind": self.kind, "weights": self.weights.tolist(), "offsets": self.offsets.tolist()}

    @classmethod
    def from_dict(
        cls, features: tuple[str, ...], classes: tuple[str, ...], data: Mapping[str, Any]
    ) -> LinearScorer:
        """See :meth:`Scorer.from_dict`."""
        weights = np.array(data["weights"], np.float64).reshape(len(classes), len(features))
        return cls(features, classes, weights, np.array(data["offsets"], np.float64), str(data["kind"]))


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exponentials of each row of scores ``(n, k)``, divided by their sum.

    Examples
    --------
    >>> softmax(np.array([[0.0, 0.0], [1000.0, 0.0]])).tolist()
    [[0.5, 0.5], [1.0, 0.0]]
    """
    with np.errstate(invalid="ignore", over="ignore"):
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares
