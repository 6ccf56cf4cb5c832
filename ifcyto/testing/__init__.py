"""Shared test batteries, for our tests and for people who add formats."""

from __future__ import annotations

from ifcyto.testing.cells import same_cells
from ifcyto.testing.readers import check_reader

__all__ = ["check_reader", "same_cells"]
