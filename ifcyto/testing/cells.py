"""Comparison of cells, with a message that names the first difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifcyto.cells import FACTS, Cell

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from numpy.typing import NDArray

__all__ = ["expect", "same_cells"]


def expect(ok: object, message: str) -> None:
    """Raise AssertionError "expected ..." unless `ok`; unlike ``assert`` it survives ``python -O``."""
    if not ok:
        msg = f"expected {message}"
        raise AssertionError(msg)


def same_cells(found: Iterable[Cell], expected: Iterable[Cell], *, facts: bool = True) -> None:
    """Check that two series of cells are equal: numbers, pixels with dtype, masks, facts.

    Parameters
    ----------
    found, expected : iterable of Cell
        In the same order.
    facts : bool
        False leaves the facts out.

    Raises
    ------
    AssertionError
        The first difference, with the object's number.

    Examples
    --------
    >>> cell = Cell(7, np.zeros((1, 2, 3), np.int16))
    >>> same_cells([cell], [cell])
    """
    found, expected = list(found), list(expected)
    expect(len(found) == len(expected), f"{len(expected)} cells, found {len(found)}")
    for one, two in zip(found, expected, strict=True):
        at = f"object {two.object_number}"
        expect(one.object_number == two.object_number, f"{at}, found object {one.object_number}")
        _same(one.images, two.images, f"{at}: images")
        _same(one.masks, two.masks, f"{at}: masks")
        if facts:
            _same_facts(one, two, at)


def _same(found: NDArray[Any] | None, wanted: NDArray[Any] | None, at: str) -> None:
    if found is None or wanted is None:
        words = ["none" if array is None else "some" for array in (wanted, found)]
        expect(found is wanted, f"{at}: {words[0]}, found {words[1]}")
        return
    shapes = [f"{array.shape} of {array.dtype}" for array in (wanted, found)]
    expect(shapes[0] == shapes[1], f"{at} {shapes[0]}, found {shapes[1]}")
    differ = (found != wanted) & ~((found != found) & (wanted != wanted))  # NaN equals NaN
    if differ.any():
        place = tuple(int(i) for i in np.argwhere(differ)[0])
        expect(False, f"{at}: {wanted[place]} at {place}, found {found[place]}")


def _same_facts(one: Cell, two: Cell, at: str) -> None:
    expect(set(one.facts) == set(two.facts), f"{at}: facts {sorted(two.facts)}, found {sorted(one.facts)}")
    for name, value in two.facts.items():
        floats = FACTS[name].dtype == "float64"
        same = np.array_equal(one.facts[name], value, equal_nan=floats)
        expect(same, f"{at}: {name} {value!r}, found {one.facts[name]!r}")
