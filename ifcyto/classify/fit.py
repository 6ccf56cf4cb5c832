"""From objects of known class to a classifier: the methods of scikit-learn, on one footing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from ifcyto.classify.scorer import LinearScorer
from ifcyto.classify.trees import MAX_DEPTH, TreeScorer
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ifcyto.classify.scorer import Scorer

__all__ = ["METHODS", "fit", "standardise"]

METHODS = ("lda", "logistic", "forest", "boosting")
"""Names of the methods: linear discriminant analysis, logistic regression, random forest, boosting."""

LINEAR = ("lda", "logistic")
FOREST_TREES = 100
BOOSTING_STAGES = 100
BOOSTING_DEPTH = 3
FLAT = 1e-12
"""A column whose standard deviation is at most this part of its largest value counts as constant."""


def fit(
    values: NDArray[np.float64],
    labels: NDArray[np.str_],
    names: Sequence[str],
    classes: Sequence[str],
    *,
    method: str = "lda",
    n_features: int | None = None,
    equal_priors: bool = True,
    seed: int = 0,
) -> Scorer:
    """Train a classifier.

    Parameters
    ----------
    values : ndarray (n, F)
        Features in their own units; finite.
    labels : ndarray (n,) of str
        Class of each row.
    names : sequence of str
        The F columns.
    classes : sequence of str
        Two or more, in the order of the scores; each needs two rows.
    method : str
        One of :data:`METHODS`. ``lda`` shrinks each class' covariance as Ledoit
        and Wolf (2004), solved by least squares; ``logistic`` is multinomial with
        an L2 penalty; ``forest`` has 100 trees; ``boosting`` 100 stages of trees
        of depth 3, each question out of the square root of the number of columns.
    n_features : int or None
        Use this many columns, the first ones (as a ranking gives them); None: all.
    equal_priors : bool
        Every class counts alike, however many rows it has: people choose how many
        objects they tag. False: a class counts by its rows.
    seed : int
        Of the random forest and of boosting. The same seed gives the same classifier.

    Returns
    -------
    Scorer
        A :class:`LinearScorer` with weights for values in their own units, or a
        :class:`TreeScorer`. Its probabilities are those of scikit-learn's model.
        Constant columns have the weight 0.

    Raises
    ------
    UsageError
        An unknown method, values that are not finite, a label that is no class,
        or a class with fewer than two rows.
    ValueError
        Lengths that do not fit together.

    Examples
    --------
    >>> values = np.array([[1.0], [2.0], [8.0], [9.0]])
    >>> scorer = fit(values, np.array(["small", "small", "large", "large"]), ["Area"], ["small", "large"])
    >>> scorer.predict(np.array([[3.0], [7.0]])).tolist()
    ['small', 'large']
    """
    columns = tuple(names if n_features is None else names[:n_features])
    if values.ndim != 2 or values.shape != (len(labels), len(names)) or not columns:
        msg = f"expected values ({len(labels)}, {len(names)}) and a column, found {values.shape}, {columns}"
        raise ValueError(msg)
    values = np.ascontiguousarray(values[:, : len(columns)], np.float64)
    codes = _codes(np.asarray(labels), tuple(classes))
    _refuse_values(values, columns)
    if method in LINEAR:
        return _linear(values, codes, columns, tuple(classes), method, equal_priors=equal_priors)
    if method in METHODS:
        model = _trees(method, seed, equal_priors=equal_priors)
        weights = _balancing(codes) if equal_priors and method == "boosting" else None
        model.fit(values, codes, weights)
        return TreeScorer.from_sklearn(columns, tuple(classes), model)
    msg = f"expected a method among {', '.join(METHODS)}, found {method!r}"
    raise UsageError(msg)


def standardise(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Subtract each column's mean and divide by its standard deviation.

    Parameters
    ----------
    values : ndarray (n, F)

    Returns
    -------
    standardised : ndarray (n, F)
        0 in constant columns.
    mean : ndarray (F,)
    scale : ndarray (F,)
        Standard deviation (of the population); 1 for constant columns.

    Examples
    --------
    >>> standardised, mean, scale = standardise(np.array([[1.0, 7.0], [3.0, 7.0]]))
    >>> standardised.tolist(), mean.tolist(), scale.tolist()
    ([[-1.0, 0.0], [1.0, 0.0]], [2.0, 7.0], [1.0, 1.0])
    """
    mean, scale = values.mean(axis=0), values.std(axis=0)
    flat = scale <= FLAT * np.abs(values).max(axis=0, initial=0.0)
    scale = np.where(flat, 1.0, scale)
    standardised = np.where(flat, 0.0, (values - mean) / scale)
    return standardised, mean, scale


def _codes(labels: NDArray[np.str_], classes: tuple[str, ...]) -> NDArray[np.int64]:
    """Place of each row's class in `classes`."""
    if len(classes) < 2 or len(set(classes)) < len(classes):
        msg = f"expected two or more different classes, found {list(classes)}"
        raise UsageError(msg)
    places = {name: place for place, name in enumerate(classes)}
    strange = sorted({str(label) for label in labels} - places.keys())
    if strange:
        msg = f"expected labels among {', '.join(classes)}, found {', '.join(map(repr, strange[:5]))}"
        raise UsageError(msg)
    codes = np.array([places[str(label)] for label in labels], np.int64)
    counts = np.bincount(codes, minlength=len(classes))
    if counts.min() < 2:
        few = classes[int(counts.argmin())]
        msg = f"expected two or more objects of class {few!r}, found {counts.min()}: tag more of them"
        raise UsageError(msg)
    return codes


def _refuse_values(values: NDArray[np.float64], columns: tuple[str, ...]) -> None:
    largest = float(np.finfo(np.float32).max)  # trees compare in single precision
    bad = ~(np.abs(values) <= largest)
    if bad.any():
        names = [columns[place] for place in np.flatnonzero(bad.any(axis=0))[:5]]
        msg = (
            f"expected finite numbers to train on, found {int(bad.sum())} values that are missing or too "
            f"large, in {', '.join(names)}: leave these columns or objects out"
        )
        raise UsageError(msg)


def _balancing(codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weights ``(n,)`` of mean 1 that make all classes weigh alike."""
    counts = np.bincount(codes)
    weights: NDArray[np.float64] = len(codes) / (len(counts) * counts[codes])
    return weights


def _linear(
    values: NDArray[np.float64],
    codes: NDArray[np.int64],
    columns: tuple[str, ...],
    classes: tuple[str, ...],
    method: str,
    *,
    equal_priors: bool,
) -> LinearScorer:
    standardised, mean, scale = standardise(values)
    n_classes = len(classes)
    model: Any
    if method == "lda":
        priors = np.full(n_classes, 1 / n_classes) if equal_priors else None
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=priors)
    else:
        model = LogisticRegression(max_iter=5000, class_weight="balanced" if equal_priors else None)
    model.fit(standardised, codes)
    weights = np.asarray(model.coef_, np.float64)
    offsets = np.asarray(model.intercept_, np.float64)
    if len(weights) == 1:  # two classes: one row, the difference; each gets half of it
        weights, offsets = (np.concatenate([-half, half]) for half in (weights / 2, offsets / 2))
    weights = np.where(standardised.any(axis=0), weights / scale, 0.0)
    return LinearScorer(columns, classes, weights, offsets - weights @ mean, method)


def _trees(method: str, seed: int, *, equal_priors: bool) -> Any:
    if method == "boosting":
        return GradientBoostingClassifier(
            n_estimators=BOOSTING_STAGES, max_depth=BOOSTING_DEPTH, max_features="sqrt", random_state=seed
        )
    weight = "balanced" if equal_priors else None
    return RandomForestClassifier(FOREST_TREES, max_depth=MAX_DEPTH, class_weight=weight, random_state=seed)
