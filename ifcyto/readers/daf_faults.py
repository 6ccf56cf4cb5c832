"""How the parsers of a DAF report what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from ifcyto.errors import Fault, FormatError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FaultLog", "shown"]


class FaultLog:
    """Where the parsers report: raises at once, or collects when salvaging.

    Parameters
    ----------
    path : pathlib.Path
        File that messages name.
    salvage : bool
    """

    def __init__(self, path: Path, *, salvage: bool) -> None:
        self.path = path
        self.salvage = salvage
        self.faults: list[Fault] = []
        self.notes: list[str] = []

    def report(
        self,
        message: str,
        *,
        object_number: int | None = None,
        offset: int | None = None,
        where: str | None = None,
    ) -> None:
        """Raise :class:`FormatError`, or keep the fault when salvaging."""
        fault = Fault(message, object_number, offset, where)
        if not self.salvage:
            raise FormatError(self.path, fault)
        self.faults.append(fault)

    def stop(self, message: str, *, offset: int | None = None, where: str | None = None) -> NoReturn:
        """Raise :class:`FormatError` for what cannot be salvaged."""
        raise FormatError(self.path, Fault(message, None, offset, where))


def shown(text: str, limit: int = 40) -> str:
    """Quote a text from a file for a message: one line, ASCII, not too long."""
    return ascii(text if len(text) <= limit else f"{text[:limit]}...")
