"""A flat map of objects for people: like ones lie near each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["flat_map"]

NEIGHBOURS = 30.0
"""Perplexity: about so many neighbours of each object are kept near it; fewer where there are few objects."""

STEPS = 500
"""Of the descent, half of them with exaggerated attraction, as scikit-learn begins."""

LEAST = 5
"""Fewer objects are laid out by their first two components alone."""


def flat_map(points: NDArray[np.float64], *, seed: int = 0) -> NDArray[np.float64]:
    """Place objects in a plane by t-SNE [1]_, starting from the first two columns.

    Near means alike; how far apart groups lie, and how large they are, means nothing.

    Parameters
    ----------
    points : ndarray (n, P)
        Principal components, such as ``points`` of :class:`ifcyto.classify.groups.Groups`.
    seed : int

    Returns
    -------
    ndarray (n, 2) of float64
        The same for the same arguments on the same machine.

    References
    ----------
    .. [1] L. van der Maaten, G. Hinton, "Visualizing data using t-SNE", Journal of Machine Learning
       Research 9, 2579-2605 (2008).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> points = rng.normal(size=(60, 3)) + np.repeat([[0.0], [30.0]], 30, axis=0)
    >>> places = flat_map(points)
    >>> middle = places[:30].mean(axis=0), places[30:].mean(axis=0)
    >>> apart = np.linalg.norm(middle[0] - middle[1])
    >>> bool(apart > 2 * np.linalg.norm(places[:30] - middle[0], axis=1).max())
    True
    """
    first = np.zeros((len(points), 2))
    first[:, : min(2, points.shape[1])] = points[:, :2]
    spread = first[:, 0].std() if len(first) else 0.0
    if len(points) < LEAST or not spread:
        return first
    made = TSNE(
        perplexity=min(NEIGHBOURS, (len(points) - 1) / 3), init=(first / spread * 1e-4).astype(np.float32),
        learning_rate="auto", max_iter=STEPS, random_state=seed, n_jobs=1,
    )  # fmt: skip
    with threadpool_limits(1):
        return np.asarray(made.fit_transform(points), np.float64)
