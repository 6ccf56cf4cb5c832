"""Columns to compute, resolved against the channels of an input before any work."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.errors import UsageError
from ifcyto.features.combine import CombinedFeature
from ifcyto.features.define import FeatureDefinition
from ifcyto.features.workspace import evaluate
from ifcyto.masks.faults import nearest
from ifcyto.masks.grammar import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ifcyto.features.workspace import Workspace
    from ifcyto.masks.channels import ImageNames
    from ifcyto.masks.evaluate import MaskBook
    from ifcyto.planes import Planes

__all__ = ["Column", "FeaturePlan", "make_plan"]

Column = FeatureDefinition | CombinedFeature


@dataclass(frozen=True, slots=True, eq=False)
class FeaturePlan:
    """Columns to compute, every mask and image of which is known to be there.

    Parameters
    ----------
    columns : tuple of FeatureDefinition or CombinedFeature
        In the order of the table.
    order : tuple of FeatureDefinition or CombinedFeature
        In an order in which they can be computed: combined ones after what they need, which
        need not be columns of the table.
    book : MaskBook
    images : ImageNames
    notes : tuple of str
        What was left out.
    """

    columns: tuple[Column, ...]
    order: tuple[Column, ...]
    book: MaskBook
    images: ImageNames
    notes: tuple[str, ...] = ()

    def compute(self, planes: Planes) -> NDArray[np.float64]:
        """Values ``(n, columns)`` for the objects of a batch."""
        work = self.book.workspace(planes)
        values: dict[str, NDArray[np.float64]] = {}
        for column in self.order:
            if isinstance(column, CombinedFeature):
                values[column.name] = column.values(values)
            else:
                values[column.name] = self._single(work, column)
        out = np.empty((len(planes), len(self.columns)))
        for i, column in enumerate(self.columns):
            out[:, i] = values[column.name]
        return out

    def _single(self, work: Workspace, column: FeatureDefinition) -> NDArray[np.float64]:
        arguments: list[Any] = [
            self.images.place(str(value)) if letter == "i" else value for letter, value in column.lettered
        ]
        return evaluate(work, column.spec, tuple(arguments))

    def masks(self) -> dict[str, str]:
        """Definition, in the form IDEAS shows, of every mask that is computed."""
        names = dict.fromkeys(
            name for column in self.order if isinstance(column, FeatureDefinition) for name in column.masks
        )
        return {name: shown(self.book.expression(name)) for name in names}

    def approximations(self, *, stored_masks: bool) -> list[bool]:
        """Whether each column may differ from IDEAS': by its formula, by its masks, or by what it needs.

        Parameters
        ----------
        stored_masks : bool
            Whether the masks of the channels come from the file.
        """
        found: dict[str, bool] = {}
        for column in self.order:
            if isinstance(column, CombinedFeature):
                found[column.name] = any(found[name] for name in column.columns)
            else:
                found[column.name] = column.spec.confidence.is_approximation or any(
                    self.book.is_approximation(mask, stored_masks=stored_masks) for mask in column.masks
                )
        return [found[column.name] for column in self.columns]


def make_plan(
    columns: Sequence[Column],
    book: MaskBook,
    images: ImageNames,
    notes: Sequence[str] = (),
    inputs: Sequence[FeatureDefinition] = (),
) -> FeaturePlan:
    """Make sure that every mask, image and column that is needed is there.

    Parameters
    ----------
    columns : sequence of FeatureDefinition or CombinedFeature
    book : MaskBook
    images : ImageNames
    notes : sequence of str
    inputs : sequence of FeatureDefinition
        What combined features need besides; it is computed but is no column of the table.

    Raises
    ------
    UsageError
        Something is not there, with the nearest name; there is no column, or one stands
        twice; or combined features need one another in a circle.
    """
    if not columns:
        msg = "expected at least one feature, found none"
        raise UsageError(msg)
    (name, times) = Counter(column.name for column in columns).most_common(1)[0]
    if times > 1:
        msg = f"expected each column once, found {name!r} {'twice' if times == 2 else f'{times} times'}"
        raise UsageError(msg)
    computed = [*columns, *inputs]
    for column in computed:
        if isinstance(column, CombinedFeature):
            continue
        for mask in column.masks:
            book.check(mask)
        for image in column.images:
            images.place(image)
    return FeaturePlan(tuple(columns), _sorted(computed), book, images, tuple(notes))


def _sorted(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Put combined columns after those that they need."""
    by_name = {column.name: column for column in columns}
    done: dict[str, Column] = {c.name: c for c in columns if isinstance(c, FeatureDefinition)}
    left = [c for c in columns if isinstance(c, CombinedFeature)]
    for column in left:
        absent = [name for name in column.columns if name not in by_name]
        if absent:
            msg = f"combined feature {column.name!r}: no column {absent[0]!r}{nearest(absent[0], by_name)}"
            raise UsageError(msg)
    while left:
        ready = [column for column in left if all(name in done for name in column.columns)]
        if not ready:
            msg = f"combined features need one another in a circle: {', '.join(c.name for c in left)}"
            raise UsageError(msg)
        done |= {column.name: column for column in ready}
        left = [column for column in left if column.name not in done]
    return tuple(done.values())
