"""What may stand in ``study.toml``, table by table; the checks across tables are in :mod:`.study`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, StringConstraints, model_validator

from ifcyto.masks.nuclear import NuclearRule

__all__ = [
    "LABELS",
    "CandidatesTable",
    "CnnTable",
    "CompareTable",
    "FbmlTable",
    "ReportTable",
    "SampleTable",
    "StudyFile",
    "StudyTable",
]

LABELS = ("BNE", "Doublet", "Irregular", "Unknown")
"""Classes of an object, in manual tags, in truth tables and in the results."""

_RULE = NuclearRule()

Name = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")
]
SampleId = Annotated[
    str,
    StringConstraints(
        strict=True,
        min_length=1,
        max_length=100,
        pattern=r"^[^./\\:*?\"<>|\x00-\x1f][^/\\:*?\"<>|\x00-\x1f]*$",
    ),
]
MaskText = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=1000)]
FileName = Annotated[str, StringConstraints(strict=True, min_length=1)]
ChannelNumber = Annotated[StrictInt, Field(ge=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class StudyTable(_Table):
    """``[study]``: what is asked."""

    title: Name = Field("Study", description="Title of the report.")
    control: Name | None = Field(
        None, description="Group against which the others are tested; without it there are no tests."
    )
    case: list[Name] | None = Field(
        None, description="Groups that are tested; by default all but the control and training-only ones."
    )
    seed: Annotated[StrictInt, Field(ge=0)] = Field(0, description="Seed of every random choice.")
    labels: FileName | None = Field(
        None, description="Truth, a CSV file sample,object,label; the plain rule is compared with it."
    )


class SampleTable(_Table):
    """``[[samples]]``: one acquisition."""

    id: SampleId = Field(description="Name of the sample, unique; part of file names.")
    group: Name = Field(description="Group of the sample.")
    file: FileName = Field(description="Any readable input, or a cell stack.")
    stages: FileName | None = Field(
        None,
        description="CSV file object,population. Objects that are not in it belong to no stage and are not "
        "counted. Without it, daf or gates all objects are of the stage 'All'.",
    )
    daf: FileName | None = Field(
        None,
        description="Or an IDEAS analysis (DAF) of the same objects: its populations are the stages, by the "
        "features that it stores.",
    )
    gates: FileName | None = Field(
        None,
        description="Or a gates file, or a DAF as a template: populations of the features measured here.",
    )
    manual: FileName | None = Field(
        None,
        description="Tags of the blinded observer, a CSV file object,label; untagged objects are no BNE.",
    )
    training_only: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="Never in frequencies, tests or overlaps."
    )


class CandidatesTable(_Table):
    """``[candidates]``: how nuclei are found and counted."""

    channel: Name | None = Field(
        None, description="Role of the DNA channel; by default the one role that names a DNA dye."
    )
    spots: Annotated[StrictInt, Field(ge=1)] = Field(
        2, description="An object with this Spot Count is a candidate, and a BNE by the plain rule."
    )
    mask: MaskText | None = Field(
        None,
        description="The BNE mask, in IDEAS' grammar with the roles as image names; by default "
        "Nuclei(MC, DNA channel, ...) with the six settings that follow.",
    )
    smoothing_um: float = Field(
        _RULE.smoothing_um,
        ge=0,
        le=10,
        description="Standard deviation of the Gaussian that smooths the image, um.",
    )
    noise_sd: float = Field(
        _RULE.noise_sd,
        ge=0,
        description="A nucleus outshines the background by this many of its deviations.",
    )
    fraction: float = Field(
        _RULE.fraction,
        ge=0,
        lt=1,
        description="And this fraction of the brightest smoothed pixel.",
    )
    saddle_ratio: float = Field(
        _RULE.saddle_ratio,
        ge=0,
        le=1,
        description="Two peaks are two nuclei when the path between them falls "
        "to this ratio of the lower one.",
    )
    min_area_um2: float = Field(_RULE.min_area_um2, ge=0, description="Smaller pieces are not nuclei, um2.")
    min_share: float = Field(
        _RULE.min_share, ge=0, le=1, description="Nor are pieces smaller than this share of the largest one."
    )
    pixel_size_um: float | None = Field(
        None, gt=0, description="Side of a pixel, um; needed only where the files do not say it."
    )


class FbmlTable(_Table):
    """``[fbml]``: the feature-based classifier, trained on the table of truth."""

    algorithm: Literal["lda", "logistic", "forest", "boosting"] = Field(
        "lda", description="lda is that of IDEAS; the others are offered on the same footing."
    )
    features: FileName = Field(
        "fbml", description="Candidate features: a set, an IDEAS template (DAF), or a file of names."
    )
    n_features: Annotated[StrictInt, Field(ge=1)] | None = Field(
        None, description="Features to combine; by default as many as cross-validation finds best."
    )
    folds: Annotated[StrictInt, Field(ge=2, le=20)] = Field(5, description="Parts of the cross-validation.")
    steps: Literal[1, 2] = Field(
        1,
        description="2: first Irregular or not, then the other classes from each other, as in the paper; "
        "1: all classes at once.",
    )


class CnnTable(_Table):
    """``[cnn]``: the network, trained on the images of the objects in the table of truth."""

    architecture: Literal[
        "vgg_small", "vgg16_bn", "vgg16", "deepflow", "resnet50", "densenet121", "inceptionv3"
    ] = Field("vgg_small", description="Plan of the network; vgg_small suits a CPU.")
    channels: Annotated[list[Name], Field(min_length=1)] | None = Field(
        None, description="Roles of the channels that it looks at; by default all of [channels]."
    )
    size: Annotated[StrictInt, Field(ge=8, le=512)] = Field(64, description="Side of the images, px.")
    epochs: Annotated[StrictInt, Field(ge=1, le=10_000)] = Field(60, description="At most so many epochs.")
    augmentation: Literal["full", "right-angles", "none"] = Field(
        "full",
        description="How training images are varied: turned, mirrored, shifted, scaled, brighter, blurred; "
        "turned by right angles and mirrored; or not.",
    )
    balance: Literal["resample", "weights", "none"] = Field(
        "resample", description="How rare classes are made up for."
    )
    stop: Literal["patience", "meet", "never"] = Field(
        "patience",
        description="When to stop: validation no longer improves; or also training and validation meet.",
    )
    weights: FileName | None = Field(
        None, description="Weights to start from: a file of ImageNet weights, or imagenet to download them."
    )
    folds: Annotated[StrictInt, Field(ge=0, le=20)] = Field(
        0, description="Parts of a cross-validation beside training, validation and test; 0: none."
    )
    threshold: float = Field(0.0, ge=0, le=1, description="A class that is less probable is Unknown.")
    wanted_precision: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="Precision of each class that training finds a threshold for; below it is Unknown."
    )
    views: Literal[1, 8] = Field(
        1, description="Orientations in which the network looks at each image; 8: turned and mirrored too."
    )


class CompareTable(_Table):
    """``[compare]``: frequencies and tests."""

    methods: Annotated[list[Literal["spot", "manual", "fbml", "cnn"]], Field(min_length=1)] = Field(
        ["spot", "fbml", "manual"],
        description="Methods that are counted and tested; fbml where there is a table of truth, manual "
        "where there are tags, cnn (also by default, where there is a table [cnn]) where there is a table "
        "of truth and TensorFlow is installed.",
    )
    stages: list[Name] | None = Field(
        None, description="Stages to count, in this order; by default all, in the order of appearance."
    )
    interval: Literal["wilson", "clopper-pearson"] = Field(
        "wilson", description="Kind of the 95 % confidence interval."
    )
    correction: Literal["holm", "bh", "none"] = Field(
        "holm",
        description="Correction of the p values of one method for its stages and groups: Holm's, that of "
        "Benjamini and Hochberg (bh), or none.",
    )
    precision: float = Field(
        0.25,
        ge=0.01,
        le=1,
        description="Wanted half of the confidence interval as a part of the frequency; precision.csv says "
        "how many cells it needs.",
    )


class ReportTable(_Table):
    """``[report]``: what is shown."""

    cells_per_sheet: Annotated[StrictInt, Field(ge=0, le=60)] = Field(
        24, description="Most candidates on a contact sheet; 0 draws no sheets."
    )
    sheets_per_kind: Annotated[StrictInt, Field(ge=1, le=20)] = Field(
        1, description="Most contact sheets of one kind of cells and group."
    )
    heat_maps: Annotated[StrictInt, Field(ge=0, le=20)] = Field(
        5, description="Cells of each kind whose network's score is explained by heat maps; 0 draws none."
    )
    image_size: Annotated[StrictInt, Field(ge=8, le=256)] = Field(
        80, description="Largest side of the images on a contact sheet, px."
    )


class StudyFile(_Table):
    """The whole file."""

    study: StudyTable = Field(default_factory=lambda: StudyTable.model_validate({}))
    channels: Annotated[dict[Name, ChannelNumber | StrictStr], Field(min_length=1)] = Field(
        description="Role of a channel to its number (from 1) or its name in the files."
    )
    samples: Annotated[list[SampleTable], Field(min_length=1)]
    candidates: CandidatesTable = Field(default_factory=lambda: CandidatesTable.model_validate({}))
    fbml: FbmlTable = Field(default_factory=lambda: FbmlTable.model_validate({}))
    cnn: CnnTable = Field(default_factory=lambda: CnnTable.model_validate({}))
    compare: CompareTable = Field(default_factory=lambda: CompareTable.model_validate({}))
    report: ReportTable = Field(default_factory=lambda: ReportTable.model_validate({}))

    @model_validator(mode="before")
    @classmethod
    def _count_a_network_that_is_set_up(cls, data: Any) -> Any:
        """A table ``[cnn]`` asks for the network, unless the methods are listed without it."""
        compare = data.get("compare", {}) if isinstance(data, dict) and "cnn" in data else None
        if isinstance(compare, dict) and "methods" not in compare:
            usual = CompareTable.model_fields["methods"].default
            return {**data, "compare": {**compare, "methods": [*usual, "cnn"]}}
        return data
