"""Two classifiers one after the other, and the Boolean rest class.

Rosenberg et al. 2024 (Scientific Reports 14:9349) classify candidates with a "True 2N"
classifier, then BNE against doublets; ``Irregular = candidate and not BNE and not Doublet``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ifcyto.classify.scorer import UNKNOWN, LinearScorer, Scorer
from ifcyto.classify.trees import TreeScorer
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["NOT_TRUE_2N", "TRUE_2N", "TwoStepScorer", "boolean_rest"]

TRUE_2N = "True 2N"
"""Class of the first step for objects that go on to the second."""

NOT_TRUE_2N = "not True 2N"
"""Class of the first step for objects that get the rest class."""

SINGLE: dict[str, type[Scorer]] = {kind.method: kind for kind in (LinearScorer, TreeScorer)}
"""Classifiers that can be a step."""


@dataclass(frozen=True, slots=True, eq=False)
class TwoStepScorer(Scorer):
    """A classifier that lets objects pass, and one that tells kinds among those that did.

    Parameters
    ----------
    features : tuple of str
        Those of the first step, then those that the second has beside them.
    classes : tuple of str
        Those of the second step, then `rest`, if it is not among them.
    first : Scorer
        Of the classes :data:`TRUE_2N`, which passes, and :data:`NOT_TRUE_2N`.
    second : Scorer
        It may know the class `rest` as well.
    rest : str
        Class of objects that do not pass.
    threshold : float
        An object passes with at least this probability; 0.5: where passing is the likelier.

    Raises
    ------
    ValueError
        Features, classes, steps or a threshold that do not fit together.

    Notes
    -----
    With the first step's classifier value g (the logarithm of the odds of passing, less
    that of the threshold) and the scores s of the second step, a class k has the score
    ``g + s_k - max(s)`` and the rest class 0, or what the second step gives it if that
    is more. So the best kind has g, which is above 0 just for what passes, and two kinds
    differ by the classifier value of the second step.
    """

    first: Scorer
    second: Scorer
    rest: str
    threshold: float = 0.5

    method: ClassVar[str] = "steps"

    def __post_init__(self) -> None:
        features = tuple(dict.fromkeys((*self.first.features, *self.second.features)))
        classes = tuple(dict.fromkeys((*self.second.classes, self.rest)))
        if self.first.classes != (TRUE_2N, NOT_TRUE_2N):
            msg = (
                f"expected a first step of {TRUE_2N} and {NOT_TRUE_2N}, found {', '.join(self.first.classes)}"
            )
        elif (self.features, self.classes) != (features, classes):
            msg = f"expected the features {features} and classes {classes} of two steps, found others"
        elif not 0 < self.threshold < 1:
            msg = f"expected a threshold between 0 and 1, found {self.threshold}"
        else:
            return
        raise ValueError(msg)

    @classmethod
    def of(cls, first: Scorer, second: Scorer, rest: str, threshold: float = 0.5) -> TwoStepScorer:
        """Put two classifiers together.

        Examples
        --------
        >>> first = LinearScorer(("a",), (TRUE_2N, NOT_TRUE_2N), np.array([[1.0], [0]]), np.zeros(2))
        >>> second = LinearScorer(("b",), ("BNE", "Doublet"), np.array([[1.0], [0]]), np.zeros(2))
        >>> scorer = TwoStepScorer.of(first, second, "Irregular")
        >>> scorer.predict(np.array([[2.0, 3.0], [2.0, -3.0], [-2.0, 3.0]])).tolist()
        ['BNE', 'Doublet', 'Irregular']
        """
        features = tuple(dict.fromkeys((*first.features, *second.features)))
        classes = tuple(dict.fromkeys((*second.classes, rest)))
        return cls(features, classes, first, second, rest, threshold)

    def scores(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """See :meth:`Scorer.scores`; differences between steps are those that the notes tell."""
        first = self.first.scores(self._columns(values, self.first))
        second = self.second.scores(self._columns(values, self.second))
        gate = first[:, 0] - first[:, 1] - math.log(self.threshold / (1 - self.threshold))
        kinds = gate[:, np.newaxis] + second - second.max(axis=1, keepdims=True)
        found = np.zeros((len(values), len(self.classes)))
        found[:, : kinds.shape[1]] = kinds
        rest = self.classes.index(self.rest)
        found[:, rest] = np.maximum(found[:, rest], 0.0)
        found[~np.isfinite(values).all(axis=1)] = np.nan
        return found

    def probabilities(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability ``(n, classes)`` of each class, summing to 1; NaN where the scores are.

        Those of the second step times that of passing; the rest class has what does not
        pass on top. As a decision is taken at each step, the class of :meth:`predict` is
        not always the likeliest one.
        """
        return self.combine(
            self.first.probabilities(self._columns(values, self.first))[:, 0],
            self.second.probabilities(self._columns(values, self.second)),
        )

    def combine(self, passing: NDArray[np.float64], kinds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability ``(n, classes)`` from that of passing ``(n,)`` and of each kind ``(n, kinds)``."""
        shares = np.zeros((len(passing), len(self.classes)))
        shares[:, : kinds.shape[1]] = passing[:, np.newaxis] * kinds
        shares[:, self.classes.index(self.rest)] += 1 - passing
        return np.where(np.isnan(shares).any(axis=1, keepdims=True), np.nan, shares)

    def _columns(self, values: NDArray[np.float64], scorer: Scorer) -> NDArray[np.float64]:
        return values[:, [self.features.index(name) for name in scorer.features]]

    def to_dict(self) -> dict[str, Any]:
        """See :meth:`Scorer.to_dict`."""
        return {
            "kind": "steps",
            "rest": self.rest,
            "threshold": self.threshold,
            **{
                name: {
                    "method": step.method,
                    "features": list(step.features),
                    "classes": list(step.classes),
                    "classifier": step.to_dict(),
                }
                for name, step in (("first", self.first), ("second", self.second))
            },
        }

    @classmethod
    def from_dict(
        cls, features: tuple[str, ...], classes: tuple[str, ...], data: Mapping[str, Any]
    ) -> TwoStepScorer:
        """See :meth:`Scorer.from_dict`."""
        steps = [
            SINGLE[part["method"]].from_dict(
                tuple(part["features"]), tuple(part["classes"]), part["classifier"]
            )
            for part in (data["first"], data["second"])
        ]
        return cls(features, classes, steps[0], steps[1], str(data["rest"]), float(data["threshold"]))


def boolean_rest(members: Mapping[str, NDArray[np.bool_]], rest: str) -> NDArray[np.str_]:
    """Class ``(n,)`` of objects from populations: `rest` is what is in none of them.

    Parameters
    ----------
    members : mapping of str to ndarray (n,) of bool
        For each class, whether an object is in it, such as a gate on a classifier value.
    rest : str

    Returns
    -------
    ndarray (n,) of str
        ``Unknown`` for objects of two populations or more.

    Raises
    ------
    UsageError
        No population, or lengths that differ.

    Examples
    --------
    >>> bne, doublet = np.array([True, False, False, True]), np.array([False, True, False, True])
    >>> boolean_rest({"BNE": bne, "Doublet": doublet}, "Irregular").tolist()
    ['BNE', 'Doublet', 'Irregular', 'Unknown']
    """
    lengths = {len(inside) for inside in members.values()}
    if len(lengths) != 1:
        msg = f"expected populations of the same objects, found lengths {sorted(lengths) or 'of none'}"
        raise UsageError(msg)
    table = np.stack([np.asarray(inside, bool) for inside in members.values()])
    counts = table.sum(axis=0)
    names = np.array([*members, rest, UNKNOWN])
    place = np.where(counts == 0, len(members), np.where(counts == 1, table.argmax(axis=0), -1))
    return names[place]
