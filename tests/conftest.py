"""Fixtures that every room's tests may use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def rng() -> np.random.Generator:
    """One seeded generator; no test uses the global one."""
    return np.random.default_rng(20240207)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real files, which lie beside the repository and are never committed."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real data files (../shared/data) are not beside this checkout")
    return folder
