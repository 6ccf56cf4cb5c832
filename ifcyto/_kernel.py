"""The one decorator of all compiled loops.

``nogil`` lets threads run kernels side by side, ``cache`` keeps the compiled
code between runs. No signatures are given: explicit ones compile at import.
Kernels never raise messages for people; they return status codes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["kernel"]

F = TypeVar("F", bound="Callable[..., Any]")


def kernel(function: F) -> F:
    """Compile `function` on first call, without the GIL, cached on disk."""
    compiled: F = numba.njit(cache=True, nogil=True)(function)
    return compiled
