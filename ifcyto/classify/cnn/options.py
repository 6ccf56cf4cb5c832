"""How a network is trained: every choice, its default and its limits. Needs no keras."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from ifcyto.classify.cnn.views import VIEWS
from ifcyto.errors import UsageError

__all__ = ["BALANCES", "ROTATIONS", "SCHEDULES", "STOPS", "Augmentation", "CnnOptions"]

ROTATIONS = ("none", "right", "free")
BALANCES = ("none", "weights", "resample")
SCHEDULES = ("constant", "cosine", "plateau")
STOPS = ("patience", "meet", "never")

JUDGING = ("views", "wanted_precision")
"""Options of what is made of a trained network: they change nothing in its training."""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How training images are varied, anew in every epoch. Outside an image lies its background.

    Parameters
    ----------
    rotate : str
        ``none``, ``right`` (by right angles, exact) or ``free`` (by any angle).
    flip : bool
        Mirror half of the images.
    shift : float
        Most that an image moves along each axis, as a part of its side.
    scale : float
        Most that an image grows or shrinks: by a factor from ``1 - scale`` to ``1 + scale``.
    intensity : float
        Most that a channel gets brighter or darker, as a part of its intensity.
    focus : float
        From 0 to 1: most that an image is blurred towards its 5x5 Gaussian, or sharpened away
        from it by half of that.

    Raises
    ------
    UsageError
        A value that cannot be.
    """

    rotate: str = "free"
    flip: bool = True
    shift: float = 0.06
    scale: float = 0.1
    intensity: float = 0.1
    focus: float = 0.3

    def __post_init__(self) -> None:
        rules = (
            (self.rotate in ROTATIONS, f"rotate among {', '.join(ROTATIONS)}", self.rotate),
            *(
                (0 <= getattr(self, name) <= limit, f"{name} from 0 to {limit:g}", getattr(self, name))
                for name, limit in (("shift", 0.5), ("scale", 0.5), ("intensity", 0.9), ("focus", 1))
            ),
        )
        _refuse("augmentation", rules)

    @classmethod
    def none(cls) -> Augmentation:
        """Images as they are."""
        return cls("none", False, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class CnnOptions:
    """How to train a network.

    Parameters
    ----------
    architecture : str
        Name in :data:`ifcyto.classify.cnn.network.ARCHITECTURES`.
    size : int
        Side of the images, px, cut or padded about the cell.
    epochs : int
        At most so many.
    batch : int
        Images in a step.
    rate : float or None
        Learning rate at its highest; None: that of the architecture.
    schedule : str
        ``cosine`` (three epochs up, then down to 1 %), ``plateau`` (halved when validation does
        not improve for a third of `patience`) or ``constant``.
    stop : str
        ``patience``: when the validation loss has not improved for `patience` epochs. ``meet``: as well
        when training and validation accuracy have met, as in the paper. ``never``: after all epochs.
    patience : int
    balance : str
        ``resample``: every epoch draws each class equally often, and augmentation makes the
        copies differ; ``weights``: rare classes weigh more; ``none``.
    focal : float
        Gamma of the focal loss (Lin et al. 2017, arXiv 1708.02002); 0: cross-entropy.
    smoothing : float
        Label smoothing: so much of each target goes to all classes alike.
    augmentation : Augmentation
    average : float
        Epochs over which the weights are averaged; this mean is judged and kept. 0: the weights of the
        last step are. See :class:`ifcyto.classify.cnn.average.MeanWeights`.
    weights : str or None
        ``imagenet`` (downloaded by keras) or a file of ImageNet weights without top; None: random.
    validation, test : float
        Parts of the truth.
    folds : int
        Cross-validation beside the three parts; 0: none.
    precision : str
        ``auto``, ``float32`` or ``mixed_bfloat16``.
    seed : int
    views : int
        Orientations in which the trained network looks at each image, 1 or 8; see
        :class:`ifcyto.classify.cnn.predict.Forward`.
    wanted_precision : float or None
        Of the objects that keep a class; what is less probable becomes ``Unknown``. None: nothing does.

    Raises
    ------
    UsageError
        A value that cannot be.
    """

    architecture: str = "vgg_small"
    size: int = 64
    epochs: int = 60
    batch: int = 32
    rate: float | None = None
    schedule: str = "cosine"
    stop: str = "patience"
    patience: int = 20
    balance: str = "resample"
    focal: float = 0.0
    smoothing: float = 0.05
    augmentation: Augmentation = field(default_factory=Augmentation)
    average: float = 1.0
    weights: str | None = None
    validation: float = 0.1
    test: float = 0.1
    folds: int = 0
    precision: str = "auto"
    seed: int = 0
    views: int = 1
    wanted_precision: float | None = None

    def __post_init__(self) -> None:
        rules = (
            (8 <= self.size <= 512, "a size from 8 to 512 pixels", self.size),
            (1 <= self.epochs <= 10_000, "1 to 10,000 epochs", self.epochs),
            (1 <= self.batch <= 4096, "a batch of 1 to 4096 images", self.batch),
            (self.rate is None or 0 < self.rate <= 1, "a rate above 0, up to 1", self.rate),
            (self.schedule in SCHEDULES, f"a schedule among {', '.join(SCHEDULES)}", self.schedule),
            (self.stop in STOPS, f"stop among {', '.join(STOPS)}", self.stop),
            (self.patience >= 1, "a patience of 1 epoch or more", self.patience),
            (self.balance in BALANCES, f"balance among {', '.join(BALANCES)}", self.balance),
            (0 <= self.focal <= 10, "a focal gamma from 0 to 10", self.focal),
            (0 <= self.smoothing < 1, "label smoothing from 0 to below 1", self.smoothing),
            (0 <= self.average <= 1000, "an average over 0 to 1,000 epochs", self.average),
            (0 < self.validation <= 0.5, "a validation part above 0, up to 0.5", self.validation),
            (0 <= self.test <= 0.5, "a test part from 0 to 0.5", self.test),
            (self.folds == 0 or 2 <= self.folds <= 20, "0 or 2 to 20 folds", self.folds),
            (self.seed >= 0, "a seed of 0 or more", self.seed),
            (self.views in VIEWS, f"{' or '.join(map(str, VIEWS))} views", self.views),
            (
                self.wanted_precision is None or 0 < self.wanted_precision <= 1,
                "a wanted precision above 0, up to 1",
                self.wanted_precision,
            ),
        )
        _refuse("training", rules)

    def to_dict(self) -> dict[str, Any]:
        """All choices as JSON values."""
        return asdict(self)

    def of_training(self) -> dict[str, Any]:
        """Choices that decide how the training goes, as JSON values: all but :data:`JUDGING`."""
        return {name: value for name, value in self.to_dict().items() if name not in JUDGING}


def _refuse(what: str, rules: tuple[tuple[bool, str, Any], ...]) -> None:
    for holds, expected, found in rules:
        if not holds:
            msg = f"{what}: expected {expected}, found {found!r}"
            raise UsageError(msg)
