"""Import an optional library, or say how to install it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from ifcyto.errors import MissingExtraError

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["require"]


def require(name: str, *, extra: str) -> ModuleType:
    """Import module `name`, which the extra `extra` installs.

    Raises
    ------
    MissingExtraError
        The library is not installed; the message gives the install line.

    Examples
    --------
    >>> require("math", extra="cnn").pi > 3
    True
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        msg = f'{name} is not installed: run  pip install "ifcyto[{extra}]"'
        raise MissingExtraError(msg) from error
