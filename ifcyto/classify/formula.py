"""A linear classifier as text that can be typed into another program."""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING

from ifcyto.classify.scorer import LinearScorer
from ifcyto.classify.steps import TwoStepScorer
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifcyto.classify.scorer import Scorer

__all__ = ["formula"]


def formula(scorer: Scorer) -> str:
    """Write the value of each class, and of each pair of classes, as a sum of products.

    Parameters
    ----------
    scorer : Scorer
        A :class:`LinearScorer`, or a :class:`TwoStepScorer` of two of them.

    Returns
    -------
    str
        One line a class, ``BNE = 0.5 * [Area_M05] - 2.0 * [Aspect Ratio_M05] + 1.5``,
        then one line a pair, ``BNE vs Doublet = ...``, the difference of the two: above
        0 where the first is the likelier, a logarithm of odds. Numbers have all
        their digits. Names stand in square brackets, a ``]`` inside a name twice.
        Features with the weight 0 are left out. Two steps come one after the other, with
        a line in front that starts with ``#`` and says how they go together.

    Raises
    ------
    UsageError
        The classifier is not linear, or its numbers are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> weights, offsets = np.array([[0.5, 0.0], [0.0, -2.0]]), np.array([0.0, 1.5])
    >>> print(formula(LinearScorer(("Area_M05", "Aspect Ratio_M05"), ("small", "long"), weights, offsets)))
    small = 0.5 * [Area_M05] + 0.0
    long = -2.0 * [Aspect Ratio_M05] + 1.5
    small vs long = 0.5 * [Area_M05] + 2.0 * [Aspect Ratio_M05] - 1.5
    <BLANKLINE>
    """
    if isinstance(scorer, TwoStepScorer):
        limit = math.log(scorer.threshold / (1 - scorer.threshold))
        gate = " vs ".join(scorer.first.classes)
        return (
            f'# Step 1: where "{gate}" is below {limit!r} the class is {scorer.rest}.\n'
            f"{formula(scorer.first)}"
            f"# Step 2: of all others the highest of these class values wins.\n{formula(scorer.second)}"
        )
    if not isinstance(scorer, LinearScorer):
        msg = f"expected a linear classifier (lda, logistic) to write as a formula, found {scorer.method}"
        raise UsageError(msg)
    weights, offsets = scorer.weights, scorer.offsets
    lines = [
        f"{name} = {_sum(scorer.features, weights[place].tolist(), float(offsets[place]))}\n"
        for place, name in enumerate(scorer.classes)
    ]
    for first, second in combinations(range(len(scorer.classes)), 2):
        difference = (weights[first] - weights[second]).tolist()
        offset = float(offsets[first] - offsets[second])
        names = f"{scorer.classes[first]} vs {scorer.classes[second]}"
        lines.append(f"{names} = {_sum(scorer.features, difference, offset)}\n")
    return "".join(lines)


def _sum(features: Sequence[str], weights: Sequence[float], offset: float) -> str:
    terms = [
        (weight, f"{abs(weight)!r} * [{name.replace(']', ']]')}]")
        for name, weight in zip(features, weights, strict=True)
        if weight
    ]
    text = ""
    for number, words in [*terms, (offset, repr(abs(offset)))]:
        if abs(number) == float("inf") or number != number:
            msg = f"expected finite weights to write as a formula, found {number!r}"
            raise UsageError(msg)
        sign = "-" if number < 0 else "+"
        text += f" {sign} {words}" if text else f"{sign.replace('+', '')}{words}"
    return text
