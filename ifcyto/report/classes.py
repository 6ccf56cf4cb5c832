"""What the sections of all trained methods share: scores of the classes, the matrix, merely guessing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ifcyto.report.model import Column, Table
from ifcyto.report.training_text import is_known

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SCORE_NOTES", "class_table", "guessing_warnings", "matrix_table"]

SCORE_NOTES = (
    "Balanced accuracy: the mean of the recalls of all classes; each class counts the same, however many "
    "images it has.",
    "Precision: of the images called so, the share that are. Recall: of the images of the class, the "
    "share found. F1: their harmonic mean.",
)


def class_table(record: Mapping[str, Any], caption: str) -> Table:
    """Images, hits and scores of each class.

    Parameters
    ----------
    record : mapping
        ``classes``; ``matrix``, rows of true classes and columns of predicted ones; ``scores``, a list of
        ``{"class", "precision", "recall", "f1"}``; ``n_truth``, class to number of images, where it
        differs from the sum of the row.
    caption : str
    """
    columns = (
        Column("class"),
        *(Column(name, kind="integer") for name in ("truth images", "found", "called so")),
        *(Column(name, kind="number", digits=3) for name in ("precision", "recall", "F1")),
    )
    matrix = record["matrix"]
    scores = {row["class"]: row for row in record["scores"]}
    counts = record.get("n_truth", {})
    rows = tuple(
        (
            name,
            counts.get(name, sum(matrix[i])),
            matrix[i][i],
            sum(row[i] for row in matrix),
            *(scores[name][key] for key in ("precision", "recall", "f1")),
        )
        for i, name in enumerate(record["classes"])
    )
    return Table(caption, columns, rows)


def matrix_table(record: Mapping[str, Any], caption: str) -> Table:
    """The matrix of a record: one row a true class."""
    columns = (Column("true class"), *(Column(f"called {n}", kind="integer") for n in record["classes"]))
    rows = tuple((name, *row) for name, row in zip(record["classes"], record["matrix"], strict=True))
    return Table(caption, columns, rows)


def guessing_warnings(
    what: str, mean: float | None, scatter: float | None, n_classes: int
) -> tuple[str, ...]:
    """Warn where a balanced accuracy, less its scatter, is not above that of guessing.

    Examples
    --------
    >>> guessing_warnings("The network", 0.4, 0.1, 3)[0].partition(":")[0]
    'The network can hardly be told from guessing'
    >>> guessing_warnings("The network", 0.9, 0.1, 3)
    ()
    """
    guess = 1 / n_classes
    if not is_known(mean) or mean - (scatter if is_known(scatter) else 0) > guess:
        return ()
    return (
        f"{what} can hardly be told from guessing: balanced accuracy {mean:.3f}, guessing {guess:.3f}. Do "
        "not use its classes.",
    )
