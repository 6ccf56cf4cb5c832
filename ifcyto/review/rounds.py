"""One turn of truth building: what a classifier says of the tags, and what to look at next."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.classify.suggest import Suggestions
from ifcyto.review.errands import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Round", "Turn"]


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """What to look at next.

    Parameters
    ----------
    suggestions : Suggestions
        Untagged objects; rows of the review.
    doubtful : Suggestions
        Tagged objects that the classifier takes for another class.
    """

    suggestions: Suggestions
    doubtful: Suggestions


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """What the tags so far teach, or what a model says of them.

    Parameters
    ----------
    tagging : Turn
    classes : tuple of str
        Of the classifier.
    labels : ndarray (n,) of str
        Tags of all objects of the review at that time; empty without one.
    predicted : ndarray (n,) of str
        Class that was given to tagged objects, by classifiers that had not learned from
        them unless `said` says otherwise; empty for others.
    said : str
        How good it is, in a sentence.
    """

    tagging: Turn
    classes: tuple[str, ...]
    labels: NDArray[np.str_]
    predicted: NDArray[np.str_]
    said: str

    def rows_of(self, true: str, predicted: str) -> NDArray[np.int64]:
        """Rows of a cell of the confusion matrix."""
        return np.flatnonzero((self.labels == true) & (self.predicted == predicted))

    @property
    def matrix(self) -> NDArray[np.int64]:
        """Confusion ``(classes, classes)``: tags down, classifier across."""
        return np.array([[len(self.rows_of(true, said)) for said in self.classes] for true in self.classes])

    def to_answer(self) -> Answer:
        """As what another process can give back."""
        arrays = {"labels": self.labels, "predicted": self.predicted}
        for name in ("suggestions", "doubtful"):
            found = getattr(self.tagging, name)
            parts = zip(fields(found), astuple(found), strict=True)
            arrays |= {f"{name} {part.name}": values for part, values in parts}
        return Answer({"classes": list(self.classes), "said": self.said}, arrays)

    @classmethod
    def from_answer(cls, answer: Answer) -> Round:
        """Undo :meth:`to_answer`."""
        arrays = answer.arrays
        first, second = (
            Suggestions(*(arrays[f"{name} {part.name}"] for part in fields(Suggestions)))
            for name in ("suggestions", "doubtful")
        )
        document = answer.document
        classes: Sequence[str] = document["classes"]
        return cls(
            Turn(first, second), tuple(classes), arrays["labels"], arrays["predicted"], document["said"]
        )
