"""The one decorator of all compiled loops.

``nogil`` lets threads run kernels side by side, ``cache`` keeps the compiled
code between runs. No signatures are given: explicit ones compile at import.
Kernels never raise messages for people; they return status codes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["kernel"]


def kernel(function: Callable[..., Any]) -> Any:
    """Compile `function` on first call, without the GIL, cached on disk.

    The result is typed as Any: numba works its types out by itself.
    """
    return numba.njit(cache=True, nogil=True)(function)
