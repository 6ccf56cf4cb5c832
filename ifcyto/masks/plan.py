"""From names and expressions of masks to steps that can be computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ifcyto.errors import UsageError
from ifcyto.masks.channels import ImageNames
from ifcyto.masks.expression import And, MaskCall, MaskName, Not, Or
from ifcyto.masks.grammar import read_mask
from ifcyto.masks.library import mask_spec
from ifcyto.masks.names import RESERVED, mask_number
from ifcyto.masks.shown_form import names_of
from ifcyto.masks.spec import Kind
from ifcyto.masks.steps import Step, all_of, any_of, channel_mask, complement, nothing, value_of
from ifcyto.masks.values import check_call

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ifcyto.cells import Channel
    from ifcyto.masks.expression import Expression

__all__ = ["MaskPlan"]

MAX_NESTING = 200
"""Masks within each other, definitions of names included."""


class MaskPlan:
    """Steps to all masks that were asked for; equal parts are one step.

    Parameters
    ----------
    channels : sequence of Channel
    definitions : mapping of str to (str or Expression)
    images : mapping of str to int
        As in :class:`ifcyto.masks.evaluate.MaskBook`.

    Attributes
    ----------
    steps : list of Step
        Each builds on earlier ones only.
    names : tuple of str
        Of all masks: those of the channels, MC, NMC, None, and the defined ones.

    Raises
    ------
    UsageError
        A name cannot be defined, or an image is none of the channels.
    """

    def __init__(
        self,
        channels: Sequence[Channel],
        definitions: Mapping[str, str | Expression],
        images: Mapping[str, int],
    ) -> None:
        self.channels, self.definitions = channels, definitions
        stored = tuple(f"M{channel.number:02d}" for channel in channels)
        for name in definitions:
            MaskName(name)
            if name in stored or mask_number(name) is not None:
                msg = f"expected another name for a mask than {name!r}, which is the mask of a channel"
                raise UsageError(msg)
        self.images = ImageNames(channels, images)
        self.stored = stored
        self.names = tuple(dict.fromkeys((*self.stored, *RESERVED, *definitions)))
        self.steps: list[Step] = []
        self._readable = names_of(self.images, self.names)
        self._numbers: dict[Step, int] = {}
        self._known: dict[str, int] = {}

    def number(self, text: str) -> int:
        """Number of the step that gives a mask, from its name or an expression in either form.

        Raises
        ------
        UsageError
            It is no mask.
        """
        return self._named(text, (), 0)

    def below(self, number: int) -> list[int]:
        """Numbers of the steps on which a step builds, in the order of computation."""
        found: set[int] = set()
        waiting = [number]
        while waiting:
            inputs = set(self.steps[waiting.pop()].inputs) - found
            found |= inputs
            waiting.extend(inputs)
        return sorted(found)

    def expression(self, text: str) -> Expression:
        """Expression that a name or text stands for; a name without definition stands for itself.

        Raises
        ------
        UsageError
            It is no mask, or its definition is no mask definition.
        """
        if text not in self.definitions:
            return read_mask(text, self._readable)
        definition = self.definitions[text]
        if not isinstance(definition, str):
            return definition
        names = self._readable
        if definition == text and "(" in text:
            # The name spells its own definition.
            names = names_of(self.images, (name for name in self.names if name != text))
        try:
            return read_mask(definition, names)
        except UsageError as error:
            msg = f"mask {text!r}: {error}"
            raise UsageError(msg) from None

    def _named(self, name: str, trail: tuple[str, ...], depth: int) -> int:
        """Step of a name or text; `trail` are the definitions within which it stands."""
        if name in trail:
            loop = " -> ".join((*trail[trail.index(name) :], name))
            msg = f"masks are defined by each other in a loop: {loop}"
            raise UsageError(msg)
        if name not in self._known:
            self._known[name] = self._resolved(name, trail, depth)
        return self._known[name]

    def _resolved(self, name: str, trail: tuple[str, ...], depth: int) -> int:
        if name in self.definitions:
            return self._step_of(self.expression(name), (*trail, name), depth + 1)
        if name in self.stored or mask_number(name) is not None:
            return self._add(channel_mask, (), (self._channel(name, trail),))
        if name == "MC":
            every = range(len(self.channels))
            return self._joined(any_of, [self._add(channel_mask, (), (i,)) for i in every])
        if name == "NMC":
            return self._add(complement, (self._named("MC", trail, depth + 1),))
        if name == "None":
            return self._add(nothing)
        return self._step_of(self.expression(name), trail, depth + 1)

    def _channel(self, name: str, trail: tuple[str, ...]) -> int:
        places = [i for i, stored in enumerate(self.stored) if stored == name]
        if len(places) != 1:
            pairs = zip(self.stored, self.channels, strict=True)
            there = ", ".join(f"{mask} ({channel.label})" for mask, channel in pairs)
            found = f"{len(places)} channels" if places else "no channel"
            msg = (
                f"{within(trail)}expected one channel with the mask {name}, found {found}; there are: {there}"
            )
            raise UsageError(msg)
        return places[0]

    def _step_of(self, expression: Expression, trail: tuple[str, ...], depth: int) -> int:
        if depth > MAX_NESTING:
            msg = (
                f"{within(trail[:1])}expected no more than {MAX_NESTING} masks within each other, found more"
            )
            raise UsageError(msg)
        match expression:
            case MaskName(name):
                return self._named(name, trail, depth)
            case Not(operand):
                return self._add(complement, (self._step_of(operand, trail, depth + 1),))
            case MaskCall():
                return self._call(expression, trail, depth)
        numbers = [self._step_of(operand, trail, depth + 1) for operand in expression.operands]
        return self._joined(all_of if isinstance(expression, And) else any_of, numbers)

    def _call(self, call: MaskCall, trail: tuple[str, ...], depth: int) -> int:
        spec = mask_spec(call.function)
        check_call(spec, call)
        inputs, values = [], []
        for argument, operand in zip(spec.arguments, call.operands, strict=True):
            if isinstance(operand, (MaskName, MaskCall, Not, And, Or)):
                inputs.append(self._step_of(operand, trail, depth + 1))
            elif argument.kind is Kind.IMAGE and isinstance(operand, str):
                values.append(self.images.place(operand))
            elif argument.kind is not Kind.FIXED:
                values.append(value_of(argument, operand))
        return self._add(spec.load(), tuple(inputs), tuple(values))

    def _joined(self, function: Any, numbers: list[int]) -> int:
        """And or Or of different masks, in an order that does not depend on the writing."""
        different = tuple(sorted(set(numbers)))
        return different[0] if len(different) == 1 else self._add(function, different)

    def _add(self, function: Any, inputs: tuple[int, ...] = (), values: tuple[Any, ...] = ()) -> int:
        """Number of a step; the same for equal steps."""
        step = Step(function, inputs, values)
        if step not in self._numbers:
            self._numbers[step] = len(self.steps)
            self.steps.append(step)
        return self._numbers[step]


def within(trail: tuple[str, ...]) -> str:
    """Where something is wrong: the innermost definition of `trail`."""
    return f"mask {trail[-1]!r}: " if trail else ""
