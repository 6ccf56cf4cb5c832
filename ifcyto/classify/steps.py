"""Two steps as in the paper: first true 2N or not, then which kind; and the Boolean rest class.

Rosenberg et al. 2024 (Scientific Reports 14:9349) classify candidates with a "True 2N"
classifier, then BNE against doublets; ``Irregular = candidate and not BNE and not Doublet``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.classify.scorer import UNKNOWN, Scorer
from ifcyto.classify.training import Training, TrainOptions, train
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["TRUE_2N", "TwoStep", "TwoStepTraining", "boolean_rest", "train_two_step"]

TRUE_2N = "True 2N"
"""Class of the first step for objects that go on to the second."""


@dataclass(frozen=True, slots=True, eq=False)
class TwoStep:
    """A classifier that lets objects pass, and one that tells kinds among those that did.

    Parameters
    ----------
    first : Scorer
        Of two classes, `passing` and another one.
    second : Scorer
        It may know the class `rest` as well.
    rest : str
        Class of objects that do not pass.
    passing : str
    threshold : float
        An object passes with at least this probability; 0.5: where passing is the likelier.

    Raises
    ------
    UsageError
        A first step that has not two classes, `passing` among them; a threshold outside 0 to 1.
    """

    first: Scorer
    second: Scorer
    rest: str
    passing: str = TRUE_2N
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if len(self.first.classes) != 2 or self.passing not in self.first.classes:
            found = ", ".join(self.first.classes)
            msg = f"two steps: expected a first step of {self.passing!r} and another class, found {found}"
            raise UsageError(msg)
        if not 0 < self.threshold < 1:
            msg = f"two steps: expected a threshold between 0 and 1, found {self.threshold}"
            raise UsageError(msg)

    @property
    def features(self) -> tuple[str, ...]:
        """Columns that either step needs, in the order of `values`."""
        return tuple(dict.fromkeys((*self.first.features, *self.second.features)))

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes of the second step, then the rest class."""
        return tuple(dict.fromkeys((*self.second.classes, self.rest)))

    def passes(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability ``(n,)`` to be what the first step lets pass; NaN where it cannot be computed."""
        shares = self.first.probabilities(self._columns(values, self.first))
        passing: NDArray[np.float64] = shares[:, self.first.classes.index(self.passing)]
        return passing

    def predict(self, values: NDArray[np.float64]) -> NDArray[np.str_]:
        """Class ``(n,)``, step by step.

        Parameters
        ----------
        values : ndarray (n, features)

        Returns
        -------
        ndarray (n,) of str
            `rest` for objects that do not pass, else the likeliest class of the second step;
            ``Unknown`` where a step that is needed cannot be computed.
        """
        kinds = self.second.predict(self._columns(values, self.second))
        return _combine(self.passes(values), kinds, self)

    def probabilities(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability ``(n, classes)`` of each class, summing to 1.

        Those of the second step times that of passing; the rest class has what does not
        pass on top. As a decision is taken at each step, the class of :meth:`predict` is
        not always the likeliest one.
        """
        passing = self.passes(values)
        second = self.second.probabilities(self._columns(values, self.second))
        shares = np.zeros((len(values), len(self.classes)))
        shares[:, : len(self.second.classes)] = passing[:, np.newaxis] * second
        shares[:, self.classes.index(self.rest)] += 1 - passing
        return np.where(np.isnan(shares).any(axis=1, keepdims=True), np.nan, shares)

    def _columns(self, values: NDArray[np.float64], scorer: Scorer) -> NDArray[np.float64]:
        mine = self.features
        return values[:, [mine.index(name) for name in scorer.features]]


@dataclass(frozen=True, slots=True, eq=False)
class TwoStepTraining:
    """Two steps and what is known of them.

    Parameters
    ----------
    step : TwoStep
    first, second : Training
        Of each step alone.
    predictions : ndarray (n,) of str
        Class of each object of the truth by steps that were trained without it.
    matrix : ndarray (C, C) of int64
        Objects by class (rows) and predicted class, in the order of ``step.classes``;
        without those that are ``Unknown``.
    """

    step: TwoStep
    first: Training
    second: Training
    predictions: NDArray[np.str_]
    matrix: NDArray[np.int64]


def train_two_step(
    values: NDArray[np.float64],
    labels: NDArray[np.str_],
    names: Sequence[str],
    *,
    true_2n: Collection[str],
    rest: str = "Irregular",
    second_sees_rest: bool = False,
    options: TrainOptions | None = None,
    groups: NDArray[np.generic] | None = None,
) -> TwoStepTraining:
    """Train both steps on one truth.

    Parameters
    ----------
    values : ndarray (n, F)
    labels : ndarray (n,) of str
    names : sequence of str (F,)
    true_2n : collection of str
        Two classes or more that pass the first step, such as BNE and Doublet; all others
        become `rest`.
    rest : str
        Boolean rest class.
    second_sees_rest : bool
        The second step is trained on all objects and may call `rest` what passed; else on
        the classes of `true_2n` alone.
    options : TrainOptions, optional
    groups : ndarray (n,), optional

    Returns
    -------
    TwoStepTraining

    Raises
    ------
    UsageError
        Fewer than two classes pass, none is left for `rest`, or what
        :func:`ifcyto.classify.training.train` refuses.
    """
    labels = np.asarray(labels, np.str_)
    passing = np.isin(labels, list(true_2n))
    kinds = sorted(set(labels[passing].tolist()))
    if len(kinds) < 2 or passing.all() or rest in kinds:
        msg = (
            f"two steps: expected two classes that pass, and another one for {rest!r}, found that "
            f"{', '.join(kinds) or 'none'} of {', '.join(np.unique(labels))} pass"
        )
        raise UsageError(msg)
    truth = np.where(passing, labels, rest)
    first = train(values, np.where(passing, TRUE_2N, rest), names, options=options, groups=groups)
    rows = np.flatnonzero(passing | second_sees_rest)
    second = train(
        values[rows], truth[rows], names, options=options, groups=None if groups is None else groups[rows]
    )
    step = TwoStep(first.scorer, second.scorer, rest)
    predictions = _out_of_fold(step, first, second, values, names, rows)
    matrix = np.zeros((len(step.classes),) * 2, np.int64)
    places = {name: place for place, name in enumerate(step.classes)}
    for true, found in zip(truth.tolist(), predictions.tolist(), strict=True):
        if found != UNKNOWN:
            matrix[places[true], places[found]] += 1
    return TwoStepTraining(step, first, second, predictions, matrix)


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


def _combine(passing: NDArray[np.float64], kinds: NDArray[np.str_], step: TwoStep) -> NDArray[np.str_]:
    """Kind of what passes, the rest class for what does not."""
    result = np.where(passing >= step.threshold, kinds, np.array(step.rest))
    return np.where(np.isnan(passing), np.array(UNKNOWN), result)


def _out_of_fold(
    step: TwoStep,
    first: Training,
    second: Training,
    values: NDArray[np.float64],
    names: Sequence[str],
    rows: NDArray[np.int64],
) -> NDArray[np.str_]:
    """Classes by steps that did not see the object; the second never saw what is not in `rows`."""
    passing = first.cv.probabilities[:, first.scorer.classes.index(step.passing)]
    columns = [list(names).index(name) for name in second.scorer.features]
    known = second.scorer.predict(values[:, columns])
    width = max(known.dtype.itemsize, second.cv.predictions.dtype.itemsize) // 4
    kinds = known.astype(f"U{width}")
    kinds[rows] = second.cv.predictions
    return _combine(passing, kinds, step)
