"""The exceptions and warnings of the package, and the record of a fault in a file.

A message says what was expected, what was found, where, and what to do. The
command line prints it on one line and exits with :attr:`IfcytoError.exit_code`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "Fault",
    "FormatError",
    "GateError",
    "IfcytoError",
    "IfcytoWarning",
    "MissingExtraError",
    "OutputError",
    "SchemaError",
    "StackError",
    "StudyError",
    "UsageError",
]


class IfcytoError(Exception):
    """Root of every error that ifcyto raises on purpose."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a file.

    Parameters
    ----------
    message : str
        What was expected and what was found.
    object_number : int or None
        Object concerned, None for the file as a whole.
    offset : int or None
        Byte offset in the file, where there is one.
    where : str or None
        Another kind of place: an HDF5 key, a page name, a line.
    """

    message: str
    object_number: int | None = None
    offset: int | None = None
    where: str | None = None

    def __str__(self) -> str:
        places = []
        if self.object_number is not None:
            places.append(f"object {self.object_number}")
        if self.offset is not None:
            places.append(f"offset {self.offset}")
        if self.where is not None:
            places.append(self.where)
        return f"{', '.join(places)}: {self.message}" if places else self.message


class FormatError(IfcytoError):
    """An input file is damaged or is not what it claims to be.

    Parameters
    ----------
    path : pathlib.Path or str
        The file.
    message : str or Fault
        What was expected and what was found.
    object_number, offset, where : optional
        As in :class:`Fault`; ignored when `message` is a fault.

    Examples
    --------
    >>> str(FormatError("a.cif", "expected 44 bytes, found 12", object_number=7, offset=1234))
    'a.cif: object 7, offset 1234: expected 44 bytes, found 12'
    """

    def __init__(
        self,
        path: Path | str,
        message: str | Fault,
        *,
        object_number: int | None = None,
        offset: int | None = None,
        where: str | None = None,
    ) -> None:
        fault = message if isinstance(message, Fault) else Fault(message, object_number, offset, where)
        self.path = path
        self.fault = fault
        super().__init__(f"{path}: {fault}")


class StackError(IfcytoError):
    """A cell stack is damaged, too new, or asked for what it does not hold."""


class GateError(IfcytoError):
    """A gate, a population or the definition of one is wrong, or asks for what is not there."""


class SchemaError(IfcytoError):
    """A document does not follow its schema."""


class StudyError(IfcytoError):
    """A study file or one of the tables it names is wrong."""


class OutputError(IfcytoError):
    """A result cannot be written: it exists already, or the disk refuses."""


class UsageError(IfcytoError):
    """The call asks for something that cannot be: an unknown object, channel or option."""


class MissingExtraError(IfcytoError):
    """An optional library is needed and not installed."""


class IfcytoWarning(UserWarning):
    """Root of every warning that ifcyto gives."""
