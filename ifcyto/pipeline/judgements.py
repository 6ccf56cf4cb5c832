"""Labels of a classifier and the truth for the same objects, from CSV tables, joined by object number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.classify.scorer import UNKNOWN
from ifcyto.errors import UsageError
from ifcyto.pipeline.classify import PROBABILITY
from ifcyto.pipeline.labels import nearest, object_number, table_header, table_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Judged", "Pairs", "join", "read_judged", "read_tolerable", "read_true"]

SUM_WITHIN = 1e-3
SHOWN = 5

Key = tuple[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A table of labels.

    Parameters
    ----------
    keys : list of (sample, object)
        Sample is empty where the table has no such column.
    labels : ndarray (n,) of str
    probability : ndarray (n,)
        Of the label; NaN where the table does not say it.
    classes : tuple of str
        Classes that have a column of probabilities, in its order.
    probabilities : ndarray (n, C)
        NaN in rows without any.
    """

    keys: list[Key]
    labels: NDArray[np.str_]
    probability: NDArray[np.float64]
    classes: tuple[str, ...]
    probabilities: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Objects that have both a label and truth.

    Parameters
    ----------
    rows : ndarray (m,) of int64
        Of the table of labels.
    truth : ndarray (m,) of str
    samples : ndarray (m,) of str
    missing : list of (sample, object)
        Truth without a label, in the order of the table of truth.
    """

    rows: NDArray[np.int64]
    truth: NDArray[np.str_]
    samples: NDArray[np.str_]
    missing: list[Key]


def read_judged(path: Path) -> Judged:
    """Read ``[sample,]object,label[,probability,...][,p CLASS,...]``; rows without a label are left out.

    Raises
    ------
    StudyError
        The file is missing, has other columns, or a value that is no object number.
    UsageError
        An object occurs twice, or probabilities that are none: outside 0 to 1, not a number, some but
        not all of them, or of another sum than 1.
    """
    header = table_header(path)
    classes = tuple(name.removeprefix(PROBABILITY) for name in header if name.startswith(PROBABILITY))
    optional = [name for name in ("sample", "probability") if name in header]
    shares = [PROBABILITY + name for name in classes]
    columns = ["object", "label", *optional, *shares]
    keys: list[Key] = []
    labels, probability, probabilities = [], [], []
    for line, texts in table_rows(path, columns, may_be_empty=("label", "probability", *shares)):
        row = dict(zip(columns, texts, strict=True))
        if not row["label"]:
            continue
        keys.append((row.get("sample", ""), object_number(path, line, row["object"])))
        labels.append(row["label"])
        probability.append(_probability(path, line, row.get("probability", "")))
        probabilities.append(_shares(path, line, [row[name] for name in shares]))
        if classes and row["label"] not in {*classes, UNKNOWN}:
            msg = f"{path}: line {line}: expected a label among {', '.join(classes)}, found {row['label']!r}"
            raise UsageError(msg)
    _refuse_repeats(path, keys)
    return Judged(
        keys,
        np.array(labels, np.str_),
        np.array(probability, np.float64),
        classes,
        np.array(probabilities, np.float64).reshape(len(keys), len(classes)),
    )


def read_true(path: Path, renamed: Mapping[str, str] | None = None) -> dict[Key, str]:
    """Read ``[sample,]object,label``: truth, any classes; empty labels are left out.

    Parameters
    ----------
    path : pathlib.Path
    renamed : mapping of str to str, optional
        Other names for classes, to meet those of a classifier.

    Raises
    ------
    StudyError
        The file is missing, has other columns, or a value that is no object number.
    UsageError
        An object occurs twice, or `renamed` names a class that does not occur.
    """
    sampled = "sample" in table_header(path)
    columns = ("object", "label", *(("sample",) if sampled else ()))
    rows = [
        ((texts[2] if sampled else "", object_number(path, line, texts[0])), texts[1])
        for line, texts in table_rows(path, columns, may_be_empty=("label",))
    ]
    _refuse_repeats(path, [key for key, _ in rows])
    names = {label for _, label in rows if label}
    for name in renamed or {}:
        if name not in names:
            msg = f"{path}: expected a class {name!r} to rename, found {', '.join(sorted(names)) or 'none'}"
            raise UsageError(msg + nearest(name, names))
    return {key: (renamed or {}).get(label, label) for key, label in rows if label}


def read_tolerable(path: Path) -> tuple[tuple[str, str], ...]:
    """Read ``true,predicted``: mix-ups that count as right in a tolerant evaluation.

    Raises
    ------
    StudyError
        The file is missing or has other columns.
    """
    pairs = [(texts[0], texts[1]) for _, texts in table_rows(path, ("true", "predicted"))]
    return tuple(dict.fromkeys(pairs))


def join(judged: Judged, truth: Mapping[Key, str], *, sample: str | None = None) -> Pairs:
    """Bring labels and truth of the same objects together.

    Parameters
    ----------
    judged : Judged
    truth : mapping of (sample, object) to class
    sample : str, optional
        Which sample of the truth the labels are of, where the table of labels does not say it.

    Returns
    -------
    Pairs
        Objects of the class ``Unknown`` by truth are left out.

    Raises
    ------
    UsageError
        No object has both, a sample is not there, or the tables do not say which sample is meant.
    """
    wanted, named = _of_sample(judged, truth, sample)
    places = {key: row for row, key in enumerate(judged.keys)}
    if named:
        places = {(named, number): row for (_, number), row in places.items()}
    known = {key: label for key, label in wanted.items() if label != UNKNOWN}
    found = [key for key in known if key in places]
    missing = [key for key in known if key not in places]
    if not found:
        msg = (
            f"expected objects that have both a label and truth, found none among {len(judged.keys)} labels "
            f"and {len(known)} objects of known class: do the tables belong together?"
        )
        raise UsageError(msg)
    return Pairs(
        np.array([places[key] for key in found], np.int64),
        np.array([known[key] for key in found], np.str_),
        np.array([name for name, _ in found], np.str_),
        missing,
    )


def _of_sample(judged: Judged, truth: Mapping[Key, str], sample: str | None) -> tuple[dict[Key, str], str]:
    """Truth that is meant, with keys as the labels have them or under the name of one sample."""
    labelled = {name for name, _ in judged.keys}
    told = sorted({name for name, _ in truth})
    if sample is not None:
        if sample not in told:
            msg = f"expected a sample of the truth ({', '.join(told) or 'none'}), found {sample!r}"
            raise UsageError(msg + nearest(sample, told))
        mine = {key: label for key, label in truth.items() if key[0] == sample}
        return mine, "" if labelled - {""} else sample
    if labelled - {""} and told == [""]:
        if len(labelled) > 1:
            msg = "expected the column sample in the truth, as the labels are of several samples, found none"
            raise UsageError(msg)
        name = next(iter(labelled))
        return {(name, number): label for (_, number), label in truth.items()}, ""
    if labelled <= {""} and told != [""]:
        if len(told) > 1:
            msg = (
                f"expected labels of a sample that is named, as the truth is of {len(told)} "
                f"({', '.join(told[:SHOWN])}): say which sample the labels are of"
            )
            raise UsageError(msg)
        return dict(truth), told[0] if told else ""
    return dict(truth), ""


def _refuse_repeats(path: Path, keys: Sequence[Key]) -> None:
    seen: set[Key] = set()
    for key in keys:
        if key in seen:
            of = f" of sample {key[0]}" if key[0] else ""
            msg = f"{path}: object {key[1]}{of} occurs twice; every object may have one row"
            raise UsageError(msg)
        seen.add(key)


def _probability(path: Path, line: int, text: str) -> float:
    if not text:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        msg = f"{path}: line {line}: expected a probability from 0 to 1, found {text[:40]!r}"
        raise UsageError(msg)
    return value


def _shares(path: Path, line: int, texts: Sequence[str]) -> list[float]:
    if not any(texts):
        return [math.nan] * len(texts)
    values = [_probability(path, line, text) for text in texts]
    total = sum(values)
    if not abs(total - 1) <= SUM_WITHIN:
        found = "one or more missing" if math.isnan(total) else f"a sum of {total:.4g}"
        msg = f"{path}: line {line}: expected probabilities of all classes that sum to 1, found {found}"
        raise UsageError(msg)
    return values
