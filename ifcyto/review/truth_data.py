"""What truth building needs of a review, without its window: it can go to another process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.classify.scorer import UNKNOWN
from ifcyto.errors import UsageError
from ifcyto.review.objects import by_sample

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from ifcyto.review.opening import Review

__all__ = ["TruthData", "truth_data"]

ONLY = "sample"
"""Name of the sample of a review that has only one."""


@dataclass(frozen=True, slots=True, eq=False)
class TruthData:
    """Objects of a review, their tags, and where their images are.

    Parameters
    ----------
    stacks : dict of str to pathlib.Path
        Sample to its cell stack; one sample may be without a name.
    names : tuple of str
        Channels as the review calls them.
    channels : tuple of str or int
        What they are in the stacks.
    roles : bool
        Whether the names are roles that a study gives.
    samples : ndarray (n,) of str
    objects : ndarray (n,) of int64
    labels : ndarray (n,) of str
        Tags; empty without one.
    """

    stacks: dict[str, Path]
    names: tuple[str, ...]
    channels: tuple[str | int, ...]
    roles: bool
    samples: NDArray[np.str_]
    objects: NDArray[np.int64]
    labels: NDArray[np.str_]

    def truth(self) -> dict[tuple[str, int], str]:
        """Class of every object that a person judged, by (sample, object).

        Raises
        ------
        UsageError
            Fewer than two classes.
        """
        labels = self.labels.tolist()
        found = {key: labels[row] for key, row in self.places().items() if labels[row] not in {"", UNKNOWN}}
        given = sorted(set(found.values()))
        if len(given) < 2:
            shown = ", ".join(given) or "none"
            msg = f"training: expected tags of two classes or more, found {shown}: tag some cells"
            raise UsageError(msg)
        return found

    def inputs(self) -> dict[str, Path]:
        """Stack of each sample that has objects here, by the names of :meth:`truth`."""
        return {sample or ONLY: self.stacks[sample] for sample, _ in by_sample(self.samples)}

    def places(self) -> dict[tuple[str, int], int]:
        """Row of each object, by the keys of :meth:`truth`."""
        keys = zip(self.samples.tolist(), self.objects.tolist(), strict=True)
        return {(sample or ONLY, number): row for row, (sample, number) in enumerate(keys)}

    def chosen(self, names: Sequence[str] | None) -> Mapping[str, str | int] | Sequence[str | int]:
        """Channels by the names of the review, as :func:`ifcyto.pipeline.train_cnn.train_cnn` takes them.

        Raises
        ------
        UsageError
            A name that the review does not have.
        """
        strange = [name for name in names or () if name not in self.names]
        if strange:
            msg = f"channels: expected names among {', '.join(self.names)}, found {strange[0]!r}"
            raise UsageError(msg)
        pairs = [
            pair for pair in zip(self.names, self.channels, strict=True) if not names or pair[0] in names
        ]
        return dict(pairs) if self.roles else [channel for _, channel in pairs]

    def images(self, asked: Collection[str]) -> dict[str, str | int]:
        """Those of the names that a model asks for which a study says, and the channels they are."""
        if not self.roles:
            return {}
        return {
            name: channel for name, channel in zip(self.names, self.channels, strict=True) if name in asked
        }

    def to_parts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """JSON values and arrays that :meth:`from_parts` takes."""
        document = {
            "stacks": {sample: str(path.resolve()) for sample, path in self.stacks.items()},
            "names": list(self.names), "channels": list(self.channels), "roles": self.roles,
        }  # fmt: skip
        return {"data": document}, {"samples": self.samples, "objects": self.objects, "labels": self.labels}

    @classmethod
    def from_parts(cls, document: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> TruthData:
        """Undo :meth:`to_parts`."""
        found = document["data"]
        return cls(
            {sample: Path(path) for sample, path in found["stacks"].items()}, tuple(found["names"]),
            tuple(found["channels"]), found["roles"], arrays["samples"], arrays["objects"], arrays["labels"],
        )  # fmt: skip


def truth_data(review: Review) -> TruthData:
    """Take what truth building needs of a review, with the tags of now."""
    objects, pages = review.session.objects, review.pages
    labels = np.array([review.session.label(row) or "" for row in range(len(objects))], np.str_)
    used = set(objects.samples.tolist())
    stacks = {sample: path for sample, path in pages.stacks.items() if sample in used}
    return TruthData(
        stacks, review.channels, pages.channels, pages.names is not None,
        np.asarray(objects.samples, np.str_), np.asarray(objects.objects, np.int64), labels,
    )  # fmt: skip
