"""Which objects to look at next, and what they probably are."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal

import numpy as np
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from ifcyto.classify.candidates import known
from ifcyto.classify.groups import reduced
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["ORDERS", "Measure", "Order", "Suggestions", "doubtful", "entropy", "margin", "suggest"]

Order = Literal["uncertain", "certain", "diverse"]
Measure = Literal["margin", "entropy"]

ORDERS: tuple[Order, ...] = ("uncertain", "certain", "diverse")

POOL = 10
"""Diverse objects are chosen among this many times as many of the least certain ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Suggestions:
    """Objects to look at, the first one first.

    Parameters
    ----------
    rows : ndarray (m,) of int64
        Rows of the probabilities that were given.
    labels : ndarray (m,) of str
        The likeliest class.
    probability : ndarray (m,)
        Of that class.
    margin, entropy : ndarray (m,)
        See :func:`margin` and :func:`entropy`.
    """

    rows: NDArray[np.int64]
    labels: NDArray[np.str_]
    probability: NDArray[np.float64]
    margin: NDArray[np.float64]
    entropy: NDArray[np.float64]

    def take(self, places: NDArray[np.int64]) -> Suggestions:
        """Some of them, by their places."""
        return Suggestions(*(getattr(self, part.name)[places] for part in fields(self)))


def entropy(probabilities: ArrayLike) -> NDArray[np.float64]:
    """Shannon entropy ``(n,)`` over that of a guess: 0 for certainty, 1 where all classes are alike.

    ``-sum(p ln p) / ln C`` of probabilities ``(n, C)``; NaN where one is.

    Examples
    --------
    >>> entropy([[0.5, 0.5], [1.0, 0.0]]).tolist()
    [1.0, 0.0]
    """
    p = np.asarray(probabilities, np.float64)
    logs = np.log(np.where(p > 0, p, 1.0))
    found: NDArray[np.float64] = -(p * logs).sum(axis=1) / np.log(p.shape[1])
    return np.abs(found)


def margin(probabilities: ArrayLike) -> NDArray[np.float64]:
    """Probability ``(n,)`` of the likeliest class less that of the second; NaN where one is.

    Examples
    --------
    >>> margin([[0.5, 0.3, 0.2]]).round(3).tolist()
    [0.2]
    """
    ranked = np.sort(np.asarray(probabilities, np.float64), axis=1)
    found: NDArray[np.float64] = ranked[:, -1] - ranked[:, -2]
    return found


def suggest(
    probabilities: ArrayLike,
    classes: Sequence[str],
    *,
    order: Order = "uncertain",
    n: int | None = 100,
    measure: Measure = "margin",
    tagged: ArrayLike | None = None,
    of: str | None = None,
    values: NDArray[np.float64] | None = None,
    seed: int = 0,
) -> Suggestions:
    """Choose objects for a person to look at, with the class that they probably have.

    Parameters
    ----------
    probabilities : array_like (n, C)
        Objects with NaN are never suggested.
    classes : sequence of str (C,)
    order : {"uncertain", "certain", "diverse"}
        The least certain ones first: they teach a classifier most [1]_. The most certain ones
        first: a person confirms many at a glance. Or uncertain ones that differ from each
        other [2]_: of the ten times as many least certain objects, k-means makes `n` groups,
        weighted by how uncertain they are, and the object next to each centre is taken.
    n : int, optional
        How many at most; None: all, not with ``diverse``.
    measure : {"margin", "entropy"}
        How certain: by the two likeliest classes, or by all of them.
    tagged : array_like (n,) of bool, optional
        Objects that have a tag already; they are not suggested.
    of : str, optional
        Only objects whose likeliest class is this.
    values : ndarray (n, F), optional
        Features or embedding; needed for ``diverse``.
    seed : int

    Returns
    -------
    Suggestions
        The same for the same arguments. Empty where nothing is left.

    Raises
    ------
    UsageError
        Shapes that do not fit, a class or an order that is not known, or ``diverse`` without values.

    References
    ----------
    .. [1] B. Settles, "Active learning literature survey", Computer Sciences Technical Report 1648,
       University of Wisconsin-Madison (2009).
    .. [2] F. Zhdanov, "Diverse mini-batch active learning", arXiv:1901.05954 (2019).

    Examples
    --------
    >>> p = [[0.9, 0.1], [0.45, 0.55], [0.7, 0.3], [np.nan, np.nan]]
    >>> found = suggest(p, ["BNE", "Doublet"], n=2)
    >>> found.rows.tolist(), found.labels.tolist()
    ([1, 2], ['Doublet', 'BNE'])
    """
    p = np.asarray(probabilities, np.float64)
    done = np.zeros(len(p), bool) if tagged is None else np.asarray(tagged, bool)
    _check(p, done, classes, order, n, of, values)
    best = np.argmax(np.nan_to_num(p, nan=-1.0), axis=1)
    free = np.isfinite(p).all(axis=1) & ~done
    if of is not None:
        free &= best == list(classes).index(of)
    certain = margin(p) if measure == "margin" else -entropy(p)
    rows = np.flatnonzero(free)
    if order == "diverse" and values is not None and n is not None:
        rows = rows[known(values[rows]).all(axis=1)]
        rows = rows[np.argsort(certain[rows], kind="stable")]
        rows = _apart(rows[: POOL * n], values, 1 - margin(p), n, seed)
    else:
        sign = 1 if order == "uncertain" else -1
        rows = rows[np.argsort(sign * certain[rows], kind="stable")][:n]
    return _said(rows, p, classes)


def doubtful(labels: ArrayLike, probabilities: ArrayLike, classes: Sequence[str]) -> Suggestions:
    """Tagged objects that a classifier takes for another class, the least likely tag first.

    Look at them again: tags are wrong more often among them [1]_. The probabilities must come from
    classifiers that were trained without the object, such as those of a cross-validation.

    Parameters
    ----------
    labels : array_like (n,) of str
        Tags; empty where there is none.
    probabilities : array_like (n, C)
    classes : sequence of str (C,)

    Returns
    -------
    Suggestions
        With the class that the classifier gives.

    Raises
    ------
    UsageError
        Shapes that do not fit, or a tag that is no class.

    References
    ----------
    .. [1] C. Northcutt, L. Jiang, I. Chuang, "Confident learning: estimating uncertainty in dataset
       labels", Journal of Artificial Intelligence Research 70, 1373-1411 (2021).

    Examples
    --------
    >>> found = doubtful(["BNE", "BNE", ""], [[0.2, 0.8], [0.9, 0.1], [0.1, 0.9]], ["BNE", "Doublet"])
    >>> found.rows.tolist(), found.labels.tolist()
    ([0], ['Doublet'])
    """
    tags, p = np.asarray(labels, np.str_), np.asarray(probabilities, np.float64)
    strange = sorted(set(tags.tolist()) - {*classes, ""})
    if tags.shape != p.shape[:1] or p.ndim != 2 or p.shape[1] != len(classes) or strange:
        found = f"the tags {', '.join(strange)}" if strange else f"{tags.shape} tags and {p.shape} values"
        msg = f"doubtful tags: expected a tag and {len(classes)} probabilities of every object, found {found}"
        raise UsageError(msg)
    rows = np.flatnonzero((tags != "") & np.isfinite(p).all(axis=1))
    places = {name: place for place, name in enumerate(classes)}
    own = np.array([p[row, places[str(tags[row])]] for row in rows.tolist()], np.float64)
    less = own < p[rows].max(axis=1) if len(rows) else np.zeros(0, bool)
    rows, own = rows[less], own[less]
    return _said(rows[np.argsort(own, kind="stable")], p, classes)


def _check(
    p: NDArray[np.float64],
    tagged: NDArray[np.bool_],
    classes: Sequence[str],
    order: str,
    n: int | None,
    of: str | None,
    values: NDArray[np.float64] | None,
) -> None:
    problem = ""
    if p.ndim != 2 or p.shape[1] != len(classes) or len(classes) < 2 or tagged.shape != p.shape[:1]:
        problem = f"probabilities of {len(classes)} classes for every object, found {p.shape}"
    elif order not in ORDERS:
        problem = f"an order among {', '.join(ORDERS)}, found {order!r}"
    elif n is not None and n < 1:
        problem = f"one object or more to suggest, found {n}"
    elif of is not None and of not in classes:
        problem = f"a class among {', '.join(classes)}, found {of!r}"
    elif order == "diverse" and (n is None or values is None or len(values) != len(p)):
        problem = "a number of objects and their features for diverse ones, found none"
    if problem:
        msg = f"suggestions: expected {problem}"
        raise UsageError(msg)


def _apart(
    rows: NDArray[np.int64], values: NDArray[np.float64], doubt: NDArray[np.float64], n: int, seed: int
) -> NDArray[np.int64]:
    """Of `rows`, sorted by doubt, the one next to each of `n` centres; in their order."""
    if len(rows) <= n:
        return rows
    points = reduced(values[rows])
    weights = np.maximum(doubt[rows], 1e-3)
    with threadpool_limits(1):
        fitted = KMeans(n, n_init=1, random_state=seed).fit(points, sample_weight=weights)
    distance = np.linalg.norm(points - fitted.cluster_centers_[fitted.labels_], axis=1)
    order = np.lexsort((distance, fitted.labels_))
    _, first = np.unique(fitted.labels_[order], return_index=True)
    return rows[np.sort(order[first])]


def _said(rows: NDArray[np.int64], p: NDArray[np.float64], classes: Sequence[str]) -> Suggestions:
    part = p[rows]
    best = part.argmax(axis=1) if len(rows) else np.zeros(0, np.int64)
    return Suggestions(
        rows, np.array(classes, np.str_)[best], part[np.arange(len(rows)), best], margin(part), entropy(part)
    )
