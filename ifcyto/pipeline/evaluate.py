"""From a table of labels and a table of truth to scores, tables, figures and one JSON file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto._output import refuse_existing
from ifcyto.classify.scorer import UNKNOWN
from ifcyto.compare.evaluation import EvaluateOptions, evaluate_labels
from ifcyto.compare.thresholds import choose_threshold
from ifcyto.errors import UsageError
from ifcyto.pipeline.draw_evaluation import draw_evaluation
from ifcyto.pipeline.evaluation_tables import document_of, tables_of
from ifcyto.pipeline.judgements import join, read_judged, read_tolerable, read_true
from ifcyto.pipeline.labels import nearest
from ifcyto.pipeline.sources import refuse_input_as_output
from ifcyto.pipeline.tables import write_text
from ifcyto.provenance import json_text, provenance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ifcyto.compare.evaluation import Evaluation
    from ifcyto.compare.thresholds import ThresholdChoice
    from ifcyto.pipeline.judgements import Judged, Pairs

__all__ = ["EvaluateOptions", "Evaluated", "evaluate"]

SHOWN = 5


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """An evaluation and what was written of it.

    Parameters
    ----------
    evaluation : Evaluation
    threshold : ThresholdChoice or None
        For the precision that was asked for.
    document : dict
        What ``metrics.json`` holds.
    notes : tuple of str
    folder : pathlib.Path or None
    """

    evaluation: Evaluation
    threshold: ThresholdChoice | None
    document: dict[str, Any]
    notes: tuple[str, ...]
    folder: Path | None


def evaluate(
    labels: Path | str,
    truth: Path | str,
    output: Path | str | None = None,
    *,
    options: EvaluateOptions | None = None,
    classes: Sequence[str] | None = None,
    renamed: Mapping[str, str] | None = None,
    sample: str | None = None,
    by_sample: bool = False,
    tolerable: Path | str | None = None,
    precision: float | None = None,
    precision_of: str | None = None,
    sure: bool = False,
    figures: bool = True,
    overwrite: bool = False,
) -> Evaluated:
    """Hold labels against truth.

    Parameters
    ----------
    labels : path-like
        Table as :func:`ifcyto.pipeline.classify.write_labels` writes it; a column ``sample`` may
        be added.
    truth : path-like
        Table ``object,label`` or ``sample,object,label``.
    output : path-like, optional
        Folder for tables, figures and ``metrics.json``.
    options : EvaluateOptions, optional
    classes : sequence of str, optional
        Their order; by default that of the columns of probabilities, or else sorted.
    renamed : mapping of str to str, optional
        Classes of the truth to those of the classifier, for a truth with other names.
    sample : str, optional
        Sample of the truth that the labels are of, where they do not say it.
    by_sample : bool
        Draw whole samples in the bootstrap.
    tolerable : path-like, optional
        Table ``true,predicted`` of mix-ups that count as right in the tolerant evaluation.
    precision : float, optional
        Choose the threshold that gives this precision.
    precision_of : str, optional
        Of one class; by default of all.
    sure : bool
        The lower bound of its interval must reach `precision`.
    figures : bool
        Draw them; needs an `output`.
    overwrite : bool

    Returns
    -------
    Evaluated

    Raises
    ------
    UsageError
        The tables do not belong together, a class of the truth that the classifier does not
        know, or probabilities that are none.
    StudyError
        A table cannot be read.
    OutputError
        The folder exists and `overwrite` is False, or cannot be written.
    """
    options = options or EvaluateOptions()
    sources = [Path(labels), Path(truth), *([Path(tolerable)] if tolerable is not None else [])]
    if output is not None:
        refuse_existing(output, overwrite=overwrite)
        refuse_input_as_output(sources, Path(output))
    judged = read_judged(sources[0])
    pairs = join(judged, read_true(sources[1], renamed), sample=sample)
    names = _classes(judged, pairs, classes, sources[1])
    if tolerable is not None:
        options = replace(options, tolerable=read_tolerable(Path(tolerable)))
    given = judged.labels[pairs.rows]
    shares = _shares(judged, pairs, names)
    found = evaluate_labels(
        pairs.truth, given, names,
        probabilities=shares, probability=judged.probability[pairs.rows],
        groups=pairs.samples if by_sample else None, options=options,
    )  # fmt: skip
    choice = None
    if precision is not None:
        choice = choose_threshold(
            pairs.truth, *_likeliest(judged, pairs, shares, names),
            precision=precision, label=precision_of, sure=sure, level=options.level,
        )  # fmt: skip
    notes = (*_join_notes(judged, pairs, by_sample=by_sample), *found.notes)
    document = document_of(found, choice, options, pairs, notes)
    document["provenance"] = provenance(sources=sources, options={"step": "evaluate"}, seed=options.seed)
    folder = None if output is None else Path(output)
    if folder is not None:
        for name, text in tables_of(found).items():
            write_text(folder / f"{name}.csv", text)
        if figures:
            draw_evaluation(found, pairs.truth, shares, folder / "figures")
        write_text(folder / "metrics.json", json_text(document) + "\n")
    return Evaluated(found, choice, document, notes, folder)


def _classes(judged: Judged, pairs: Pairs, asked: Sequence[str] | None, path: Path) -> tuple[str, ...]:
    """Classes in their order; refuses those of the truth that the classifier cannot give."""
    there = {*judged.labels.tolist(), *pairs.truth.tolist()} - {UNKNOWN}
    names = tuple(asked) if asked is not None else judged.classes or tuple(sorted(there))
    strange = sorted((there | set(judged.classes)) - set(names))
    if strange or len(set(names)) < len(names) or UNKNOWN in names:
        if not strange:
            msg = f"expected different classes, none of them {UNKNOWN!r}, found {', '.join(names)}"
            raise UsageError(msg)
        counts = {name: int((pairs.truth == name).sum()) for name in strange}
        shown = ", ".join(f"{name!r} ({counts[name]} objects)" for name in strange[:SHOWN])
        msg = (
            f"{path}: expected truth among the classes {', '.join(names)}, found {shown}"
            f"{nearest(strange[0], names)}: rename classes of the truth, or leave these objects out"
        )
        raise UsageError(msg)
    return names


def _shares(judged: Judged, pairs: Pairs, names: Sequence[str]) -> NDArray[np.float64] | None:
    """Probabilities ``(m, classes)`` in the order of `names`; None where the table has none."""
    if not judged.classes:
        return None
    given = judged.probabilities[pairs.rows]
    shares = np.zeros((len(given), len(names)))
    for place, name in enumerate(judged.classes):
        shares[:, names.index(name)] = given[:, place]
    shares[np.isnan(given).all(axis=1)] = np.nan
    return None if np.isnan(shares).all() else shares


def _likeliest(
    judged: Judged, pairs: Pairs, shares: NDArray[np.float64] | None, names: Sequence[str]
) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """Class and its probability, before any threshold where that can be told."""
    if shares is None:
        probability = judged.probability[pairs.rows]
        return np.where(np.isnan(probability), UNKNOWN, judged.labels[pairs.rows]), probability
    known = ~np.isnan(shares).any(axis=1)
    best = np.where(known, np.nan_to_num(shares).argmax(axis=1), len(names))
    top = np.where(known, np.nan_to_num(shares).max(axis=1), np.nan)
    return np.array([*names, UNKNOWN])[best], np.minimum(top, 1.0)


def _join_notes(judged: Judged, pairs: Pairs, *, by_sample: bool) -> list[str]:
    notes = []
    if pairs.missing:
        shown = ", ".join(f"{name} {number}".strip() for name, number in pairs.missing[:SHOWN])
        more = f" and {len(pairs.missing) - SHOWN} more (metrics.json lists them)" * (
            len(pairs.missing) > SHOWN
        )
        notes.append(
            f"{len(pairs.missing)} of {len(pairs.missing) + len(pairs.rows)} objects with truth have no "
            f"label and are left out: {shown}{more}"
        )
    samples = len(set(pairs.samples.tolist()))
    if samples > 1 and not by_sample:
        notes.append(
            f"intervals are for other objects of these {samples} samples; those for other samples are wider"
        )
    if not judged.classes:
        notes.append(
            "the labels have no probability of every class (columns 'p CLASS'): no areas under curves"
        )
    return notes
