"""One turn of the loop of tagging, training and correcting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.classify.candidates import known
from ifcyto.classify.suggest import Suggestions, doubtful, suggest
from ifcyto.classify.training import TrainOptions, train
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from ifcyto.classify.suggest import Order
    from ifcyto.classify.training import Training

__all__ = ["TaggingRound", "tagging_round"]


@dataclass(frozen=True, slots=True, eq=False)
class TaggingRound:
    """What the tags so far teach, and what to look at next.

    Parameters
    ----------
    training : Training
        From the tagged objects; its cross-validation says how good it is by now.
    probabilities : ndarray (n, C)
        Of all objects, by ``training.scorer``; NaN where a feature cannot be computed.
    training_probabilities : ndarray (n, C)
        Of the tagged objects, by classifiers trained without them; NaN for others.
    suggestions : Suggestions
        Untagged objects.
    doubtful : Suggestions
        Tagged objects that classifiers trained without them take for another class.
    """

    training: Training
    probabilities: NDArray[np.float64]
    training_probabilities: NDArray[np.float64]
    suggestions: Suggestions
    doubtful: Suggestions


def tagging_round(
    values: NDArray[np.float64],
    tags: ArrayLike,
    names: Sequence[str] | None = None,
    *,
    order: Order = "uncertain",
    n: int | None = 100,
    of: str | None = None,
    options: TrainOptions | None = None,
    classes: Sequence[str] | None = None,
    groups: NDArray[np.generic] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> TaggingRound:
    """Train on the tags that there are, and suggest what to tag and what to correct.

    Parameters
    ----------
    values : ndarray (n, F)
        Features of all objects, or the embedding of a network.
    tags : array_like (n,) of str
        Class of each object; empty where there is none yet.
    names : sequence of str (F,), optional
        Of features; embeddings have none.
    order, n, of
        As in :func:`ifcyto.classify.suggest.suggest`.
    options : TrainOptions, optional
        By default without a learning curve.
    classes : sequence of str, optional
        Their order; by default sorted.
    groups : ndarray (n,), optional
        Samples or donors, kept whole in the cross-validation.
    progress : callable, optional
        Called as ``progress(done, total)`` in steps of the training.

    Returns
    -------
    TaggingRound
        The same for the same arguments.

    Raises
    ------
    UsageError
        Lengths that differ, fewer than two tagged classes, or a class with fewer than two tags.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> kinds = np.repeat(["BNE", "Doublet"], 100)
    >>> values = rng.normal(size=(200, 3)) + 5 * (kinds == "BNE")[:, None] * [1, 0, 0]
    >>> tags = np.where(np.arange(200) % 10 == 0, kinds, "")  # the tenth object each
    >>> found = tagging_round(values, tags, n=5)
    >>> len(found.suggestions.rows), bool(found.training.cv.balanced_accuracy.mean() > 0.9)
    (5, True)
    """
    given = np.asarray(tags, np.str_)
    if given.ndim != 1 or values.ndim != 2 or len(given) != len(values):
        msg = f"tags: expected a tag (or none) for each of {len(values)} objects, found {given.shape}"
        raise UsageError(msg)
    columns = [f"e{i}" for i in range(values.shape[1])] if names is None else list(names)
    rows = np.flatnonzero(given != "")
    options = options or TrainOptions(learning_curve=False)
    training = train(
        values[rows], given[rows], columns,
        options=options, classes=classes, groups=None if groups is None else np.asarray(groups)[rows],
        progress=progress,
    )  # fmt: skip
    scorer = training.scorer
    used = values[:, [columns.index(name) for name in scorer.features]]
    probabilities = scorer.probabilities(np.where(known(used), used, np.nan))
    found = suggest(
        probabilities, scorer.classes,
        order=order, n=n, of=of, tagged=given != "", values=used, seed=options.seed,
    )  # fmt: skip
    judged = np.full((len(values), len(scorer.classes)), np.nan)
    judged[rows] = training.cv.probabilities
    return TaggingRound(training, probabilities, judged, found, doubtful(given, judged, scorer.classes))
