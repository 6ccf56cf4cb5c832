"""What of a set of gates can go with it to other samples."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ifcyto.gates.tree import GateSet

__all__ = ["definitions", "portable"]


def portable(gates: GateSet) -> tuple[GateSet, tuple[str, ...]]:
    """Leave out tags, what is made of them, and definitions that no gate needs.

    Parameters
    ----------
    gates : GateSet

    Returns
    -------
    gates : GateSet
        One that a gates file can hold.
    left_out : tuple of str
        Populations that are tagged by hand or made of such ones.
    """
    lost: dict[str, None] = {}
    for population in gates.needed(gates.names):
        if population.tagged is not None or any(name in lost for name in population.needs):
            lost[population.name] = None
    kept = tuple(population for population in gates.populations if population.name not in lost)
    idle = {each.gate for each in gates.populations} - {population.gate for population in kept}
    shapes = tuple(gate for gate in gates.gates if gate.name not in idle)
    columns = dict.fromkeys(name for gate in shapes for name in gate.features)
    features = _closed(
        {name: gates.features[name] for name in columns if name in gates.features}, gates.features
    )
    masks = _mentioned(list(features.values()), gates.masks)
    return replace(gates, gates=shapes, populations=kept, features=features, masks=masks), tuple(lost)


def definitions(gates: GateSet, columns: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Definitions that must be known to compute some columns.

    Returns
    -------
    features, masks : dict of str to str
        Those of the columns that have one and of what these are combined from; and
        the masks that stand in them.
    """
    own = {name: gates.features[name] for name in dict.fromkeys(columns) if name in gates.features}
    features = _closed(own, gates.features)
    return features, _mentioned([*columns, *features.values()], gates.masks)


def _closed(found: dict[str, str], features: Mapping[str, str]) -> dict[str, str]:
    """These features and those that they are combined from."""
    waiting = list(found)
    while waiting:
        for token in found[waiting.pop()].split("|"):
            if token in features and token not in found:
                found[token] = features[token]
                waiting.append(token)
    return found


def _mentioned(texts: list[str], masks: Mapping[str, str]) -> dict[str, str]:
    """Masks whose names stand in these definitions, or in those of such masks."""
    found: dict[str, str] = {}
    while True:
        new = {
            name: definition
            for name, definition in masks.items()
            if name not in found and any(name in text for text in texts)
        }
        if not new:
            return {name: masks[name] for name in masks if name in found}
        found |= new
        texts = list(new.values())
