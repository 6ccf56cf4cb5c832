"""A network and its training in words that can go into a paper, and whom to cite for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ifcyto.report.model import Citation
from ifcyto.report.network_text import ARCHITECTURES, listed, network_accuracy, varied_text
from ifcyto.report.training_text import is_known

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["network_citations", "network_methods"]

_VGG = Citation(
    "Simonyan K, Zisserman A, International Conference on Learning Representations (2015), arXiv 1409.1556: "
    "the VGG networks.",
    "10.48550/arXiv.1409.1556",
)
_PLANS = {
    "vgg_small": _VGG,
    "vgg16": _VGG,
    "vgg16_bn": _VGG,
    "deepflow": Citation(
        "Eulenberg P et al., Nature Communications 8, 463 (2017): DeepFlow.", "10.1038/s41467-017-00623-3"
    ),
    "resnet50": Citation(
        "He K, Zhang X, Ren S, Sun J, Computer Vision and Pattern Recognition, 770-778 (2016): ResNet.",
        "10.1109/CVPR.2016.90",
    ),
    "densenet121": Citation(
        "Huang G, Liu Z, van der Maaten L, Weinberger KQ, Computer Vision and Pattern Recognition, 2261-2269 "
        "(2017): DenseNet.",
        "10.1109/CVPR.2017.243",
    ),
    "inceptionv3": Citation(
        "Szegedy C et al., Computer Vision and Pattern Recognition, 2818-2826 (2016): Inception v3.",
        "10.1109/CVPR.2016.308",
    ),
}
_MEAN = Citation(
    "Polyak BT, Juditsky AB, SIAM Journal on Control and Optimization 30, 838-855 (1992): averages of the "
    "weights.",
    "10.1137/0330046",
)
_TEMPERATURE = Citation(
    "Guo C, Pleiss G, Sun Y, Weinberger KQ, International Conference on Machine Learning (2017), arXiv "
    "1706.04599: temperature scaling.",
    "10.48550/arXiv.1706.04599",
)
_MAPS = (
    Citation(
        "Selvaraju RR et al., International Conference on Computer Vision, 618-626 (2017): Grad-CAM.",
        "10.1109/ICCV.2017.74",
    ),
    Citation(
        "Zeiler MD, Fergus R, European Conference on Computer Vision, 818-833 (2014): occlusion maps.",
        "10.1007/978-3-319-10590-1_53",
    ),
)
_JUDGED = {"test": "that had no part in the training", "validation": "that chose the epoch"}


def network_citations(record: Mapping[str, Any] | None, *, explained: bool) -> tuple[Citation, ...]:
    """Works to cite for a network.

    Parameters
    ----------
    record : mapping or None
        ``network`` of ``results.json``; None: there is none.
    explained : bool
        Whether there are heat maps.
    """
    if record is None:
        return ()
    plan = _PLANS.get(record["architecture"])
    calibrated = _is_calibrated(record)
    return (
        *([] if plan is None else [plan]),
        *([_MEAN] if record["options"].get("average") else []),
        *([_TEMPERATURE] if calibrated else []),
        *(_MAPS if explained else ()),
    )


def network_methods(record: Mapping[str, Any], *, explained: bool) -> str:
    """One paragraph on a network and its training, with the parameters of this run."""
    options, parts = record["options"], record["parts"]
    plan, chosen = record["architecture"], sum(parts["validation"].values())
    plan = ARCHITECTURES.get(plan, plan)
    size, weights = options["size"], options["weights"]
    counts = ", ".join(f"{count:,} {name}" for name, count in parts["training"].items())
    start = "random weights" if weights is None else f"pretrained weights ({weights})"
    rate = max((rate for rate in record["history"].get("rate", ()) if is_known(rate)), default=None)
    said = "" if rate is None else f" The highest learning rate was {rate:g}."
    text = (
        f"Candidates were classified by a convolutional neural network, {plan} ({record['weights']:,} "
        f"weights; Keras on TensorFlow), from their images in {listed(record['channels'])}, cut or "
        f"padded to {size} x {size} pixels about the cell, less the cell's own background and scaled by one "
        f"number a channel. "
        f"It was trained from {start} on tagged objects ({counts}); of at most {options['epochs']:,} epochs "
        f"the one with the lowest loss on {chosen:,} further objects was kept (epoch "
        f"{record['best_epoch']:,}). {varied_text(options)}{said} {_accuracy(record)}"
    )
    if _is_calibrated(record):
        heat = record["calibration"]["temperature"]
        text += f" Its probabilities were calibrated by temperature scaling (T = {heat:.3f})."
    if explained:
        text += " Heat maps of single cells are Grad-CAM and occlusion maps of the class BNE."
    return text


def _accuracy(record: Mapping[str, Any]) -> str:
    mean, scatter = network_accuracy(record)
    if not is_known(mean):
        return "Its balanced accuracy could not be computed."
    if record["judged"] == "folds":
        n = len(record["folds"]["balanced_accuracy"])
        spread = f"s.d. {scatter:.3f}, " if is_known(scatter) else ""
        return f"Its balanced accuracy in cross-validation is {mean:.3f} ({spread}{n} folds)."
    objects = sum(map(sum, record["matrix"]))
    return f"Its balanced accuracy for {objects:,} objects {_JUDGED[record['judged']]} is {mean:.3f}."


def _is_calibrated(record: Mapping[str, Any]) -> bool:
    calibration = record.get("calibration") or {}
    return bool(calibration) and not calibration["why_not"]
