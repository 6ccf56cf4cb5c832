"""Warnings that say the same of many samples, put together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["alike"]

FEW = 3
"""So many warnings of one kind are shown one by one."""

_WHICH = re.compile(r"\bsample .*?: |\S*\d\S*|\(.*?\)")
"""What differs between warnings of one kind: the sample, numbers, names of files."""


def alike(texts: Iterable[str]) -> list[tuple[str, ...]]:
    """Group texts that differ in sample and numbers alone.

    Parameters
    ----------
    texts : iterable of str

    Returns
    -------
    list of tuple of str
        In the order of the first of each group; groups of up to :data:`FEW` are taken
        apart into single texts.

    Examples
    --------
    >>> notes = [f"sample MDS0{n}: {n} of 70 objects belong to no stage" for n in range(1, 6)]
    >>> [len(group) for group in alike([*notes, "no control group", "sample A: no tags"])]
    [5, 1, 1]
    """
    groups: dict[str, list[str]] = {}
    for text in texts:
        groups.setdefault(_WHICH.sub("*", text), []).append(text)
    found: list[tuple[str, ...]] = []
    for group in groups.values():
        found += [tuple(group)] if len(group) > FEW else [(text,) for text in group]
    return found
