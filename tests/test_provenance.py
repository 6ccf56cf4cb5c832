"""The record of a run says enough to repeat it and nothing about who ran it where."""

from __future__ import annotations

import getpass
import json
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np
import pytest

from ifcyto.errors import UsageError
from ifcyto.provenance import json_text, provenance, sha256_file, sha256_folder

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"""SHA-256 of nothing and of ``abc``: FIPS 180-2, appendix B.1, and NIST's short message file."""


def test_digests_are_those_of_the_standard(tmp_path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    (tmp_path / "empty").write_bytes(b"")
    assert sha256_file(tmp_path / "abc") == ABC
    assert sha256_file(tmp_path / "empty") == EMPTY


def test_a_folders_digest_is_that_of_sorted_sha256sum_lines(tmp_path) -> None:
    folder = tmp_path / "a"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "z").write_bytes(b"abc")
    (folder / "b").write_bytes(b"")
    (tmp_path / "lines").write_text(f"{EMPTY}  b\n{ABC}  sub/z\n")
    assert sha256_folder(folder) == sha256_file(tmp_path / "lines")
    before = sha256_folder(folder)
    (folder / "empty folder").mkdir()
    assert sha256_folder(folder) == before
    (folder / "b").rename(folder / "c")
    assert sha256_folder(folder) != before


def test_sources_are_described_without_their_folder(tmp_path) -> None:
    (tmp_path / "MDS01.cif").write_bytes(b"abc")
    (tmp_path / "pngs").mkdir()
    (tmp_path / "pngs" / "1.png").write_bytes(b"abcd")
    record = provenance(sources=[tmp_path / "MDS01.cif", tmp_path / "pngs"], options={}, seed=3)
    assert record["sources"] == [
        {"name": "MDS01.cif", "kind": "file", "size": 3, "sha256": ABC},
        {"name": "pngs", "kind": "folder", "size": 4, "sha256": sha256_folder(tmp_path / "pngs")},
    ]
    text = json.dumps(record)
    assert str(tmp_path) not in text
    assert platform.node() not in text or len(platform.node()) < 4
    words = json_text(list(record.values())).lower().replace('"', " ").split()
    assert getpass.getuser().lower() not in words


def test_versions_seed_and_time_are_there() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    record = provenance(sources=[], options={"workers": 2, "size": np.int64(3), "x": float("nan")}, seed=7)
    assert record["options"] == {"workers": 2, "size": 3, "x": None}
    assert record["seed"] == 7
    assert record["ifcyto"] == version("ifcyto")
    assert record["dependencies"]["numpy"] == np.__version__
    assert before <= datetime.fromisoformat(record["time"]) <= datetime.now(UTC)


def test_a_missing_source_is_one_clear_line(tmp_path) -> None:
    with pytest.raises(UsageError, match=r"none\.cif: cannot be read for its digest: No such file"):
        provenance(sources=[tmp_path / "none.cif"], options={})
    with pytest.raises(UsageError, match=r"none: cannot be read for its digest: No such file"):
        sha256_file(tmp_path / "none")


def test_json_is_strict_ascii_whatever_comes(tmp_path) -> None:
    odd = {
        "a": np.float32(0.5), "b": np.arange(3), "c": float("inf"), "d": b"\xff",
        5: tmp_path, "e": {"z", "y"},
        "f": "\udcff é", "g": (1, None, True), "h": {"i": [np.bool_(True), np.nan]},
    }  # fmt: skip
    text = json_text(odd)
    assert text.isascii()
    assert json.loads(text, parse_constant=pytest.fail) == {
        "a": 0.5, "b": [0, 1, 2], "c": None, "d": "\N{REPLACEMENT CHARACTER}",
        "5": str(tmp_path), "e": ["y", "z"],
        "f": "\udcff é", "g": [1, None, True], "h": {"i": [True, None]},
    }  # fmt: skip


def test_no_heavy_library_is_imported_for_its_version() -> None:
    code = (
        "import sys; from ifcyto.provenance import provenance; provenance(sources=[], options={});"
        "print(sorted({'numpy', 'h5py', 'numba', 'scipy', 'skimage', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
