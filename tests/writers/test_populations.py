from __future__ import annotations

import pytest

from ifcyto.errors import OutputError, UsageError
from ifcyto.pipeline.objects import read_objects
from ifcyto.writers.populations import write_pop


def test_a_population_is_read_as_it_was_written(tmp_path):
    path = write_pop(tmp_path / "new" / "BNE.pop", [40, 3, 3, 2**40])
    assert read_objects(path).tolist() == [3, 40, 2**40]
    assert path.read_bytes().startswith(b"\r\n3\r\n")


def test_an_empty_population_is_one_blank_line(tmp_path):
    path = write_pop(tmp_path / "none.pop", [])
    assert path.read_bytes() == b"\r\n"
    assert read_objects(path).tolist() == []


def test_wrong_numbers_and_existing_files_are_refused(tmp_path):
    with pytest.raises(UsageError, match="from 0, found -1"):
        write_pop(tmp_path / "a.pop", [4, -1])
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "a.pop").write_text("mine")
    with pytest.raises(OutputError, match=r"a\.pop: exists already"):
        write_pop(tmp_path / "a.pop", [4])
    assert (tmp_path / "a.pop").read_text() == "mine"
