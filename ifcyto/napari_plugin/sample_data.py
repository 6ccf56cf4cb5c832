"""Simulated cells for napari's menu of samples."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

__all__ = ["simulated_cells"]

CELLS = 60


def simulated_cells() -> list[tuple[Any, dict[str, Any], str]]:
    """Simulated erythroblasts as layers: brightfield, CD235a and DRAQ5 of sixty objects."""
    from ifcyto.napari_plugin.reader import read
    from ifcyto.samples.demo import write_demo_cif

    with tempfile.TemporaryDirectory(prefix="ifcyto-") as folder:
        return read(str(write_demo_cif(Path(folder) / "simulated.cif", n_cells=CELLS)))
