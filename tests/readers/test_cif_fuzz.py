"""Mutated CIF files: each is read or refused in one line, in bounded memory."""

from __future__ import annotations

import os
import resource

import numpy as np
import pytest

import ifcyto
from ifcyto.errors import FormatError
from ifcyto.readers.cif import CifReader
from ifcyto.samples.demo import write_demo_cif
from ifcyto.writers.cif import subset_cif

CASES = int(os.environ.get("IFCYTO_FUZZ_CASES", "3000"))


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """Flip bytes, set extreme words, cut, repeat or move a piece."""
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(0, max(1, len(out) - 8)))
        kind = rng.integers(0, 6)
        if kind <= 1:
            out[at] = int(rng.integers(0, 256))
        elif kind == 2:
            word = rng.choice([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 8, at, len(out)])
            out[at : at + 4] = int(word).to_bytes(4, "little")
        elif kind == 3:
            del out[at:]
        elif kind == 4:
            del out[at : at + int(rng.integers(1, 50))]
        else:
            out[at:at] = out[at : at + int(rng.integers(1, 50))]
        if not out:
            break
    return bytes(out)


@pytest.fixture(scope="module", params=["made", "real", "jurkat"])
def seed_file(request, tmp_path_factory, shared_data):
    """A small file to mutate: made, or cut from a real one (so that bytes that matter are hit often)."""
    folder = tmp_path_factory.mktemp("fuzz")
    if request.param == "made":
        return write_demo_cif(folder / "made.cif", n_cells=4, seed=3)
    source = shared_data / ("amnis/example.cif" if request.param == "real" else "jurkat/jurkat_train.cif")
    return subset_cif([source], folder / "cut.cif", objects=[range(4)]).path


def test_mutants_are_read_or_refused_in_one_line(seed_file, tmp_path):
    rng = np.random.default_rng(11)
    data = seed_file.read_bytes()
    path = tmp_path / "mutant.cif"
    n_read, refusals = 0, []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(CASES // 3):
        path.write_bytes(mutate(data, rng))
        try:
            with ifcyto.open_acquisition(path) as reader:
                for cell in reader:
                    assert cell.images.shape[0] == len(reader.channels)
            n_read += 1
        except FormatError as error:
            refusals.append(str(error))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert min(n_read, len(refusals)) > CASES // 75
    assert all(text.startswith(str(path)) and "\n" not in text for text in refusals)
    assert after - before < 300_000  # KiB; a file of some 100 kB must not claim more


def test_salvage_never_stops_once_the_file_is_open(seed_file, tmp_path):
    """What salvage keeps is either untouched or says so: intact objects come back exactly."""
    rng = np.random.default_rng(12)
    data = seed_file.read_bytes()
    with CifReader(seed_file) as reader:
        first = int(reader.image_offsets[0])
    path = tmp_path / "mutant.cif"
    kept, refusals = 0, []
    for _ in range(CASES // 6):
        path.write_bytes(data[:first] + mutate(data[first:], rng))
        try:
            reader = CifReader(path, salvage=True)
        except FormatError as error:
            refusals.append(str(error))
            continue
        with reader:
            batch = reader.read_batch(range(len(reader)))
            assert len(batch) + sum(f.object_number is not None for f in reader.faults) >= len(reader)
            kept += len(batch)
    assert kept > CASES // 6
    hopeless = ("expected channels that divide", "expected the first object further on")
    assert [text for text in refusals if not any(words in text for words in hopeless)] == []


def test_the_large_real_file_with_single_flips(shared_data, tmp_path):
    data = bytearray((shared_data / "amnis" / "example.cif").read_bytes())
    rng = np.random.default_rng(13)
    path = tmp_path / "mutant.cif"
    for _ in range(max(20, CASES // 150)):
        at = int(rng.integers(1_539_030, len(data)))
        kept, data[at] = data[at], int(rng.integers(0, 256))
        path.write_bytes(bytes(data))
        data[at] = kept
        with CifReader(path, salvage=True) as reader:
            assert len(reader.read_batch(range(len(reader)))) >= 110
