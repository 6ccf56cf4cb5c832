"""How a network was trained and how well it does, as a section of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ifcyto.report.classes import SCORE_NOTES, class_table, guessing_warnings, matrix_table
from ifcyto.report.model import Column, Section, Table
from ifcyto.report.network_text import (
    calibrated_text,
    ended_text,
    judged_text,
    learned_text,
    network_accuracy,
    varied_text,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ifcyto.report.model import FigureRef

__all__ = ["network_section"]

_JUDGED = {"folds": "the cross-validation", "test": "the test part", "validation": "the validation part"}
_CALIBRATION_NOTES = (
    "ECE: expected calibration error, the mean distance of the probability of the likeliest class from the "
    "share that is right, in ten bins. By chance: where every probability is true it is below this in 95 of "
    "100 cases.",
)
_CURVES = ("rate", "loss", "accuracy", "val_loss", "val_accuracy", "val_balanced_accuracy")
_NAMES = {
    "rate": "learning rate",
    "loss": "training loss",
    "accuracy": "training accuracy",
    "val_loss": "validation loss",
    "val_accuracy": "validation accuracy",
    "val_balanced_accuracy": "balanced",
}


def network_section(
    record: Mapping[str, Any], figures: tuple[FigureRef, ...] = (), *, history_file: str = ""
) -> Section:
    """Say what the network learned from, how, how well it does, and how sure it may be.

    Parameters
    ----------
    record : mapping
        ``network`` of ``results.json``: plain data, a number that does not exist is None or NaN. Of it:

        - ``architecture``, ``weights`` (how many), ``channels``, ``classes``, ``samples``, ``options`` and
          ``precision``;
        - ``n_truth``: class to number of truth images; ``parts``: part to class to number;
        - ``grouped``: whether each sample lies in one part as a whole;
        - ``history``: name to one value an epoch; ``best_epoch``, from 1; ``reason``: why it ended;
        - ``matrices`` and ``balanced_accuracy_of``, by part;
        - ``judged``: ``folds``, ``test`` or ``validation``: what ``matrix`` and ``scores`` are of; with folds
          ``folds`` and ``balanced_accuracy`` too;
        - ``notes``: list of str, shown as warnings;
        - each optional: ``calibration`` with ``temperature``, ``objects``, ``why_not`` and ``judged``, the
          errors before and after it; ``thresholds`` with ``limits``, ``classes`` and ``test``;
          ``least_probability``, that of the study; ``device`` and ``seconds``.
    figures : tuple of FigureRef
        Curves over the epochs.
    history_file : str
        Path, relative to the report, of the curves as a table.

    Returns
    -------
    Section
    """
    where = _JUDGED[record["judged"]]
    scores = {key: record[key] for key in ("classes", "matrix", "scores")}
    texts = [
        learned_text(record),
        varied_text(record["options"]),
        ended_text(record),
        judged_text(record),
        calibrated_text(record),
    ]
    mean, scatter = network_accuracy(record)
    return Section(
        "network",
        "Training of the network",
        tuple(text for text in texts if text),
        figures,
        (
            _parts(record),
            _accuracies(record),
            class_table(scores, f"Each class in {where}"),
            matrix_table(scores, f"Truth images by true class and class in {where}"),
            *_calibration(record),
            *_thresholds(record),
            _settings(record),
            _epochs(record, history_file),
        ),
        (
            *SCORE_NOTES,
            *(_CALIBRATION_NOTES if record.get("calibration") else ()),
            "The loss and accuracy of training are of varied images and by weights that change from batch to "
            "batch, so that they can lie on either side of those of validation.",
        ),
        (
            *record["notes"],
            *_last_epoch(record),
            *guessing_warnings("The network", mean, scatter, len(record["classes"])),
        ),
    )


def _last_epoch(record: Mapping[str, Any]) -> tuple[str, ...]:
    epochs = len(record["history"]["val_loss"])
    if epochs < 2 or record["best_epoch"] < epochs:
        return ()
    return (
        f"The validation loss was lowest in the last of {epochs:,} epochs: with more epochs the network "
        "would probably be better.",
    )


def _parts(record: Mapping[str, Any]) -> Table:
    parts = record["parts"]
    columns = (Column("class"), *(Column(name, kind="integer") for name in (*parts, "together")))
    rows = tuple(
        (name, *(counts[name] for counts in parts.values()), record["n_truth"][name])
        for name in record["classes"]
    )
    whole = ", each sample whole in one part" if record["grouped"] else ", samples not kept whole"
    return Table(
        f"Truth images by class and part{whole if len(record['samples']) > 1 else ''}", columns, rows
    )


def _accuracies(record: Mapping[str, Any]) -> Table:
    columns = (
        Column("judged on"),
        *(Column(name, kind="integer") for name in ("images", "right", "best epoch")),
        Column("balanced accuracy", kind="number", digits=3),
    )
    found = record["matrices"], record["balanced_accuracy_of"], record["best_epoch"]
    rows: list[Any] = [
        (part, sum(map(sum, matrix)), sum(row[i] for i, row in enumerate(matrix)), found[2], found[1][part])
        for part, matrix in found[0].items()
    ]
    folds = record.get("folds")
    if folds:
        pairs = zip(folds["best_epochs"], folds["balanced_accuracy"], strict=True)
        rows += [(f"fold {i}", None, None, *pair) for i, pair in enumerate(pairs, 1)]
        matrix, accuracy = record["matrix"], record["balanced_accuracy"]
        right = sum(row[i] for i, row in enumerate(matrix))
        rows.append(("mean of the folds", sum(map(sum, matrix)), right, None, accuracy["mean"]))
        rows.append(("s.d. of the folds", None, None, None, accuracy["sd"]))
    return Table("Balanced accuracy; that of the training part is too good", columns, tuple(rows))


def _calibration(record: Mapping[str, Any]) -> tuple[Table, ...]:
    found = record.get("calibration") or {}
    judged = found.get("judged")
    if not judged:
        return ()
    columns = (
        Column("judged on"),
        Column("images", kind="integer"),
        *(
            Column(name, kind="number", digits=3)
            for name in ("ECE before", "ECE after", "ECE by chance", "log loss before", "log loss after")
        ),
    )
    keys = ("of", "objects", "ece_before", "ece_after", "ece_by_chance", "nll_before", "nll_after")
    rows = tuple(tuple(row.get(key) for key in keys) for row in judged)
    what = "as they are, without calibration" if found["why_not"] else "before and after calibration"
    return (Table(f"Probabilities {what}", columns, rows),)


def _thresholds(record: Mapping[str, Any]) -> tuple[Table, ...]:
    """How the thresholds were chosen, and what they leave of the test part."""
    found = record.get("thresholds") or {}
    rows = [(found["chosen_on"], row) for row in found.get("classes", ())]
    rows += [("test", row) for row in (found.get("test") or {}).get("classes", ())]
    if not rows:
        return ()
    columns = (
        *(Column(name) for name in ("judged on", "class")),
        Column("threshold", kind="number", digits=3),
        *(Column(name, kind="integer") for name in ("called so", "kept")),
        *(Column(name, kind="number", digits=3) for name in ("precision", "95 % from", "to")),
    )
    limits, keys = found["limits"], ("judged", "kept", "precision", "precision_low", "precision_high")
    values = tuple(
        (where, row["class"], row.get("threshold", limits.get(row["class"])), *(row[key] for key in keys))
        for where, row in rows
    )
    wanted = found.get("wanted_precision")
    of = "" if wanted is None else f"; wanted precision {wanted:g}"
    return (Table(f"Objects that keep their class at the thresholds{of}", columns, values),)


def _settings(record: Mapping[str, Any]) -> Table:
    options = {name: value for name, value in record["options"].items() if name != "augmentation"}
    limits = (record.get("thresholds") or {}).get("limits") or {}
    varied = {f"augmentation: {name}": value for name, value in record["options"]["augmentation"].items()}
    rows = {
        "architecture": record["architecture"],
        "weights to learn": record["weights"],
        "channels": ", ".join(record["channels"]),
        **{name: value for name, value in options.items() if name not in {"architecture", "precision"}},
        **varied,
        "precision": record["precision"],
        "temperature": (record.get("calibration") or {}).get("temperature"),
        **{f"threshold: {name}": value for name, value in limits.items()},
        "device": record.get("device"),
        "seconds": record.get("seconds"),
    }
    known = tuple((name, _setting(value)) for name, value in rows.items() if value is not None)
    return Table("Settings of the network", (Column("setting"), Column("value")), known)


def _setting(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _epochs(record: Mapping[str, Any], file: str) -> Table:
    history, names = record["history"], [name for name in _CURVES if name in record["history"]]
    columns = (
        Column("epoch", kind="integer"),
        *(Column(_NAMES[name], kind="number", digits=6 if name == "rate" else 3) for name in names),
    )
    rows = tuple(
        (epoch, *row) for epoch, row in enumerate(zip(*(history[name] for name in names), strict=True), 1)
    )
    return Table("Every epoch of the training", columns, rows, file)
