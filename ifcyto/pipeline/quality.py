"""What is known of the quality of the samples, and where objects are lost on the way to a class.

Only what the cell stacks say without reading a pixel: it costs no time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.pipeline.study_model import LABELS
from ifcyto.stack.cell_stack import CellStack

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ifcyto.pipeline.acquire import Input
    from ifcyto.pipeline.judged import Judged
    from ifcyto.pipeline.results import Findings

__all__ = ["CLASSIFYING", "loss_rows", "quality_rows"]

Row = dict[str, Any]

CLASSIFYING = ("fbml", "cnn", "manual")
"""Those that give each object a class of several, as they are named in :class:`Judged`."""


def quality_rows(samples: Sequence[Judged], inputs: Sequence[Input], stacks: Sequence[Path]) -> list[Row]:
    """One row a sample and channel of the study.

    ``saturated`` counts objects with at least one saturated pixel in the channel,
    as the instrument stored it; None where it did not.
    """
    rows: list[Row] = []
    for judged, found, path in zip(samples, inputs, stacks, strict=True):
        with CellStack.open(path) as stack:
            saturation = stack.fact("saturation_count")
            means, deviations = (stack.fact(f"background_{name}") for name in ("mean", "sd"))
            common = {
                "sample": judged.sample.id,
                "group": judged.sample.group,
                "objects": len(stack),
                "masks": stack.has_masks,
                "height_px": _median(stack.heights),
                "width_px": _median(stack.widths),
                "pixel_um": found.pixel_size_um,
                "speed_mm_s": _median(stack.fact("flow_speed")),
            }
            rows += [
                {
                    **common,
                    "channel": role,
                    "saturated": _saturated(saturation, place),
                    "background": _median(None if means is None else means[:, place]),
                    "background_sd": _median(None if deviations is None else deviations[:, place]),
                }
                for role, place in found.channels.items()
            ]
    return rows


def _median(values: NDArray[Any] | None) -> float | None:
    if values is None:
        return None
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None


def _saturated(counts: NDArray[Any] | None, place: int) -> int | None:
    if counts is None or not np.isfinite(counts[:, place]).any():
        return None
    return int(np.count_nonzero(counts[:, place] > 0))


def loss_rows(found: Findings) -> list[Row]:
    """Objects of every sample and stage: how many are candidates, and what each method called them.

    Objects that belong to no stage, or to one that is not counted, stand in a row of their own
    (empty ``stage``, ``counted`` False). Classes are of candidates only, but for the manual tags.
    """
    rows: list[Row] = []
    for judged in found.samples:
        for stage in (*found.plan.stages, ""):
            inside = judged.in_stage(stage) if stage else ~np.isin(judged.stages, found.plan.stages)
            row = {
                "sample": judged.sample.id,
                "group": judged.sample.group,
                "training_only": judged.sample.training_only,
                "stage": stage,
                "counted": bool(stage),
                "cells": int(np.count_nonzero(inside)),
                "candidates": int(np.count_nonzero(inside & judged.candidate)),
            }
            for method in CLASSIFYING:
                labels = getattr(judged, method, None)
                for label in LABELS:
                    count = None if labels is None else int(np.count_nonzero(inside & (labels == label)))
                    row[f"{method}_{label}"] = count
            rows.append(row)
    return rows
