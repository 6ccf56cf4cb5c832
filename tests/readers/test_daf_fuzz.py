"""Seeded damage to the two real DAFs: each mutant is read, or refused in one line."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from ifcyto.errors import IfcytoError
from ifcyto.readers.daf_document import parse_daf

PATH = Path("a.daf")
MUTANTS = [("ut7_ideas60.daf", 50), ("ut7_ideas62.daf", 200)]
MANY = [pytest.param(name, 20 * n, marks=pytest.mark.slow) for name, n in MUTANTS]


@pytest.mark.parametrize(("name", "n"), [*MUTANTS, *MANY])
@pytest.mark.parametrize("salvage", [False, True])
def test_mutants_of_the_real_files_are_read_or_refused(shared_data, rng, name, n, salvage):
    real = (shared_data / "amnis" / name).read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        refused = sum(not survives(mutant(real, rng), salvage=salvage) for _ in range(n))
    assert 0 < refused < n  # otherwise the mutants try only one way


def survives(data: bytes, *, salvage: bool) -> bool:
    """Say whether a file was read; whatever is neither read nor refused in one line fails the test."""
    try:
        document = parse_daf(data, PATH, salvage=salvage)
    except IfcytoError as error:
        refusal = str(error)
    else:
        refusal = ""
        assert document.feature_values.shape == (document.object_count, len(document.feature_names))
        assert len(np.unique(document.objects.object_numbers)) == document.object_count
    assert refusal.isprintable()
    return not refusal


def mutant(real: bytes, rng: np.random.Generator) -> bytes:
    """Damage a file in one of the ways in which files get damaged."""
    data = bytearray(real)
    end = real.find(b"</Assay>") + 8
    # Half of the damage falls where the counts of the binary block are.
    at = int(rng.integers(len(data)) if rng.random() < 0.5 else min(end + rng.integers(32), len(data) - 1))
    kind = rng.integers(5)
    if kind == 0:
        data[at] = int(rng.integers(256))
    elif kind == 1:
        del data[at:]
    elif kind == 2:
        del data[at : at + int(rng.integers(1, 64))]
    elif kind == 3:
        data[at:at] = rng.bytes(int(rng.integers(1, 64)))
    else:
        data[at : at + 4] = b"\xff\xff\xff\xff"
    return bytes(data)
