"""What the record of a network's training says, in sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ifcyto.report.training_text import accuracy_text, classes_text, is_known, number_of, unseen_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "ARCHITECTURES",
    "calibrated_text",
    "ended_text",
    "judged_text",
    "learned_text",
    "listed",
    "network_accuracy",
    "varied_text",
]

ARCHITECTURES = {
    "vgg_small": "a small VGG of 8 convolutions with batch normalisation",
    "vgg16": "VGG16",
    "vgg16_bn": "VGG16 with batch normalisation",
    "deepflow": "DeepFlow",
    "resnet50": "ResNet50",
    "densenet121": "DenseNet121",
    "inceptionv3": "InceptionV3",
}
"""Plans of networks in words."""

_TURNED = {"right": "turned by right angles", "free": "turned by any angle"}
_BALANCED = {
    "resample": "every class was drawn equally often",
    "weights": "rare classes weighed more",
    "none": "classes were as frequent as they are",
}
_RATES = {
    "cosine": "rose at first and then fell along a cosine",
    "plateau": "was halved where validation did not improve",
    "constant": "was constant",
}


def learned_text(record: Mapping[str, Any]) -> str:
    """What was trained on what.

    Parameters
    ----------
    record : mapping
        As in :func:`ifcyto.report.network.network_section`.
    """
    plan, size, weights = record["architecture"], record["options"]["size"], record["options"]["weights"]
    parts = {name: sum(counts.values()) for name, counts in record["parts"].items()}
    counts = record["n_truth"]
    aside = f", and {parts['test']:,} were kept aside to judge it" if parts.get("test") else ""
    start = "random weights" if weights is None else f"weights of another task ({weights})"
    return (
        f"The network is {ARCHITECTURES.get(plan, plan)}, with {record['weights']:,} weights. It sees "
        f"{listed(record['channels'])} as images of {size} x {size} pixels about the cell, less the cell's "
        f"own background. Of {sum(counts[name] for name in record['classes']):,} truth images from "
        f"{number_of(len(record['samples']), 'sample')}, of {len(record['classes'])} classes, "
        f"{classes_text(counts, record['classes'])}, it learned from {parts['training']:,}, starting from "
        f"{start}; {parts['validation']:,} chose the epoch (validation){aside}."
    )


def varied_text(options: Mapping[str, Any]) -> str:
    """How the training images were varied, and how the network learned from them."""
    how = options["augmentation"]
    done = [
        *([_TURNED[how["rotate"]]] if how["rotate"] in _TURNED else []),
        *(["mirrored"] if how["flip"] else []),
        *([f"shifted by up to {100 * how['shift']:g} % of their side"] if how["shift"] else []),
        *([f"scaled by up to {100 * how['scale']:g} %"] if how["scale"] else []),
        *([f"made brighter or darker by up to {100 * how['intensity']:g} %"] if how["intensity"] else []),
        *(["blurred or sharpened"] if how["focus"] else []),
    ]
    images = f"were {listed(done)}, anew in every epoch" if done else "were not varied"
    loss = f"focal loss (gamma {options['focal']:g})" if options["focal"] else "cross-entropy"
    smoothing = f" with label smoothing {options['smoothing']:g}" if options["smoothing"] else ""
    span = options.get("average", 0)
    epochs = "one epoch" if span == 1 else f"{span:g} epochs"
    mean = f" Each weight is an exponential mean over about {epochs} of steps." if span else ""
    return (
        f"Training images {images}; {_BALANCED[options['balance']]}. It learned by Adam in batches of "
        f"{options['batch']:,} images, from {loss}{smoothing}; the learning rate "
        f"{_RATES[options['schedule']]}.{mean}"
    )


def ended_text(record: Mapping[str, Any]) -> str:
    """Why the training ended and which epoch was kept."""
    losses, best = record["history"]["val_loss"], record["best_epoch"]
    text = f"Training ended after {number_of(len(losses), 'epoch')}: {record['reason']}."
    if not 0 < best <= len(losses) or not is_known(losses[best - 1]):
        return f"{text} No epoch has a validation loss."
    text += (
        f" The weights of epoch {best} are in use, where the validation loss was lowest "
        f"({losses[best - 1]:.3f})."
    )
    if record.get("device"):
        text += f" All epochs took {record['seconds']:,.0f} s ({record['device']}, {record['precision']})."
    return text


def network_accuracy(record: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Balanced accuracy for images that the network has not learned from, and its scatter.

    The scatter is the standard deviation over the folds. Without folds it is the standard error of a network
    that guesses: the root of ``sum(g (1 - g) / n)``, divided by K, for K classes of n images and ``g = 1 /
    K``, as the recalls are independent (INFERRED).

    Examples
    --------
    >>> record = {"judged": "test", "balanced_accuracy_of": {"test": 0.75}, "matrix": [[6, 2], [2, 6]]}
    >>> network_accuracy(record)
    (0.75, 0.125)
    """
    if record["judged"] == "folds":
        return record["balanced_accuracy"]["mean"], record["balanced_accuracy"]["sd"]
    sizes = [sum(row) for row in record["matrix"] if sum(row)]
    guess = 1 / len(sizes) if sizes else 1.0
    scatter = math.sqrt(sum(guess * (1 - guess) / n for n in sizes)) / max(len(sizes), 1)
    return record["balanced_accuracy_of"][record["judged"]], scatter


def judged_text(record: Mapping[str, Any]) -> str:
    """How well it does on what it has not learned from, and what that is."""
    judged, samples = record["judged"], len(record["samples"])
    mean, scatter = network_accuracy(record)
    found = accuracy_text(
        {**record, "balanced_accuracy": {"mean": mean, "sd": scatter if judged == "folds" else None}}
    )
    if judged == "folds":
        n = len(record["folds"]["balanced_accuracy"])
        how = (
            f"It is judged by {n}-fold cross-validation: {n} more networks were trained, each without one "
            "part of the truth, which it then judged. The network in use is another one, trained in the "
            "same way."
        )
    elif judged == "test":
        how = "It is judged by the test part, whose images had no part in the training."
    else:
        how = (
            "There is no test part. It is judged by the validation part, which also chose the epoch, so that "
            "the scores are somewhat too good."
        )
    return f"{how} {found} {unseen_text(samples, whole=record['grouped'])}"


def calibrated_text(record: Mapping[str, Any]) -> str:
    """What is made of its logits: views, temperature, thresholds; empty where nothing is."""
    texts, views = [], record["options"].get("views", 1)
    if views > 1:
        texts.append(f"It looks at each image in {views} orientations, and the mean of its logits counts.")
    calibration = record.get("calibration") or {}
    if calibration and not calibration["why_not"]:
        texts.append(
            f"Its probabilities are calibrated by a temperature of {calibration['temperature']:.3f}, fitted "
            f"on {calibration['objects']:,} validation images."
        )
    limits = (record.get("thresholds") or {}).get("limits")
    if limits:
        said = listed([f"{name} {value:.3f}" for name, value in limits.items()])
        texts.append(f"An object whose class is less probable than this is Unknown: {said}.")
    if record.get("least_probability"):
        least = record["least_probability"]
        texts.append(f"The study asks for a probability of {least:g} at least (cnn.threshold), else Unknown.")
    return " ".join(texts)


def listed(names: Sequence[str]) -> str:
    """Names one after the other, as a sentence has them.

    Examples
    --------
    >>> listed(["BF"]), listed(["BF", "CD235a", "DRAQ5"])
    ('BF', 'BF, CD235a and DRAQ5')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
