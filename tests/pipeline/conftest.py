"""Simulated files that the tests of the pipeline share; read-only, copy before changing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ifcyto.samples.demo import write_demo_cif

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def demo_cif(tmp_path_factory) -> Path:
    """Forty simulated cells."""
    return write_demo_cif(tmp_path_factory.mktemp("demo") / "demo.cif", n_cells=40, seed=3)


@pytest.fixture(scope="session")
def other_cif(tmp_path_factory) -> Path:
    """Thirty other cells, numbered from 0 as well."""
    return write_demo_cif(tmp_path_factory.mktemp("other") / "other.cif", n_cells=30, seed=4)


@pytest.fixture
def damaged_cif(tmp_path, demo_cif) -> Path:
    """The demo with the image of object 7 overwritten."""
    from ifcyto.readers import kernels
    from ifcyto.readers.cif import CifReader

    with CifReader(demo_cif) as reader:
        start, size = (
            int(reader._index.column("image", c)[7]) for c in (kernels.REC_STRIP, kernels.REC_BYTES)
        )
    data = bytearray(demo_cif.read_bytes())
    data[start : start + size] = b"\xff" * size
    path = tmp_path / "damaged.cif"
    path.write_bytes(data)
    return path
