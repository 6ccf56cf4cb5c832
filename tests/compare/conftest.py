from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

TRUTH = Path(__file__).resolve().parents[1] / "data" / "truth" / "compare.json"


@pytest.fixture(scope="session")
def truth() -> dict[str, Any]:
    """Published answers; compare.md beside the file says where each comes from."""
    return json.loads(TRUTH.read_text(encoding="utf-8"))
