"""Which candidates a run explains: those that say most of what its network looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.pipeline.judged import POSITIVE
from ifcyto.pipeline.study_model import LABELS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from ifcyto.pipeline.judged import Judged

__all__ = ["KINDS", "ExplainedCell", "choose_cells"]

KINDS = {
    "right": "Right and most certain",
    "wrong": "Wrong",
    "certain": "Most certain",
    "disputed": "Disputed",
    "unsure": "Least certain",
}
"""Kinds of cells in the order in which they are shown, and their titles."""

UNTAGGED, UNKNOWN = "none", LABELS[-1]


@dataclass(frozen=True, slots=True)
class ExplainedCell:
    """A candidate that is explained.

    Parameters
    ----------
    kind : str
        Of :data:`KINDS`.
    sample : str
    object : int
    label : str
        Class by the network.
    probability : float
        Of a BNE, by the network.
    truth : str
        Class by the table of truth or by the observer, ``none`` where the observer saw none; empty
        where nobody looked.
    other : str
        Class by the feature-based classifier; empty where it did not run.
    """

    kind: str
    sample: str
    object: int
    label: str
    probability: float
    truth: str
    other: str

    @property
    def called(self) -> bool:
        """Whether the network calls it a BNE."""
        return self.label == POSITIVE

    @property
    def margin(self) -> float:
        """Distance of the probability from one half, from 0 to 0.5."""
        return abs(self.probability - 0.5)


def choose_cells(
    samples: Sequence[Judged], stages: Sequence[str], learned: Collection[tuple[str, int]], *, most: int
) -> list[ExplainedCell]:
    """Choose candidates to explain, of each kind the most telling ones.

    Where there are candidates whose class is known, only these are taken: of those that the network rightly
    calls a BNE the most certain (``right``); of those where it is wrong about a BNE the most certain too
    (``wrong``); of the others those with a probability nearest to one half (``unsure``). Else:
    the likeliest BNEs (``certain``), the most certain ones of which the feature-based classifier, or where it
    did not run the plain rule, says the opposite (``disputed``), and ``unsure``.

    Parameters
    ----------
    samples : sequence of Judged
        In the order of the study; those of which the network judged no candidate are skipped.
    stages : sequence of str
        Of counted samples only objects of these stages are taken.
    learned : collection of (sample, object)
        What the network learned from; it is never shown.
    most : int
        Cells of each kind.

    Returns
    -------
    list of ExplainedCell
        Kind by kind, and the most telling first; of equals the first of the study.
    """
    pool = list(_candidates(samples, stages, frozenset(learned)))
    known = [cell for cell in pool if cell.truth]
    if known:
        pool = known
        first = ("right", [cell for cell in pool if cell.called and cell.truth == POSITIVE])
        second = ("wrong", [cell for cell in pool if cell.called != (cell.truth == POSITIVE)])
    else:
        first = ("certain", [cell for cell in pool if cell.called])
        second = ("disputed", [cell for cell in pool if cell.called != _other_calls(cell)])
    top = sorted(first[1], key=lambda cell: -cell.probability)[:most]
    against = sorted((cell for cell in second[1] if cell not in top), key=lambda cell: -cell.margin)[:most]
    taken = {(cell.sample, cell.object) for cell in (*top, *against)}
    rest = [cell for cell in pool if (cell.sample, cell.object) not in taken]
    unsure = sorted(rest, key=lambda cell: cell.margin)[:most]
    kinds = ((first[0], top), (second[0], against), ("unsure", unsure))
    return [
        ExplainedCell(kind, c.sample, c.object, c.label, c.probability, c.truth, c.other)
        for kind, chosen in kinds
        for c in chosen
    ]


def _other_calls(cell: ExplainedCell) -> bool:
    """Whether the other method calls a candidate a BNE; the plain rule always does."""
    return not cell.other or cell.other == POSITIVE


def _candidates(
    samples: Sequence[Judged], stages: Sequence[str], learned: frozenset[tuple[str, int]]
) -> Iterator[ExplainedCell]:
    for judged in samples:
        if judged.cnn is None or judged.cnn_probability is None:
            continue
        inside = np.isin(judged.stages, stages) | judged.sample.training_only
        for row in np.flatnonzero(inside & (judged.cnn != "")).tolist():
            number = int(judged.objects[row])
            if (judged.sample.id, number) in learned:
                continue
            other = "" if judged.fbml is None else str(judged.fbml[row])
            yield ExplainedCell(
                "", judged.sample.id, number, str(judged.cnn[row]), float(judged.cnn_probability[row]),
                _known_class(judged, row), other,
            )  # fmt: skip


def _known_class(judged: Judged, row: int) -> str:
    """Class by the table of truth, else by the observer; empty where it is not known."""
    if judged.truth is not None and judged.truth[row]:
        label = str(judged.truth[row])
    elif judged.manual is not None:
        label = str(judged.manual[row]) or UNTAGGED
    else:
        return ""
    return "" if label == UNKNOWN else label
