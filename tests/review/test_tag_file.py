"""Tags are on disk at once, stay a sound table, and survive a crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from ifcyto.errors import OutputError, StudyError
from ifcyto.pipeline.labels import read_labels, read_truth
from ifcyto.review.tag_file import TagFile

KEYS = [("", n) for n in range(5)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.csv"


def test_every_tag_is_in_the_file_at_once(path):
    tags = TagFile(path, by="AB", samples=False)
    assert not path.exists()
    tags.set({KEYS[3]: "BNE"})
    assert read_labels(path) == {3: "BNE"}
    before = path.read_text()
    tags.set({KEYS[1]: "Doublet", KEYS[2]: "BNE"})
    assert path.read_text().startswith(before)  # appended
    assert read_labels(path) == {3: "BNE", 1: "Doublet", 2: "BNE"}
    tags.set({KEYS[3]: "Irregular", KEYS[1]: None})
    assert read_labels(path) == {3: "Irregular", 2: "BNE"}
    again = TagFile(path, by="CD", samples=False)
    assert again.tags == tags.tags
    assert {tag.by for tag in again.tags.values()} == {"AB"}
    again.set({KEYS[2]: "BNE"})  # the same class again: still the first reader's
    assert again.tags == tags.tags


def test_several_samples_make_a_table_of_truth(path):
    tags = TagFile(path, by="AB", samples=True)
    tags.set({("MDS01", 4): "BNE", ('odd, "name"', 4): "Doublet"})
    truth = read_truth(path, samples=["MDS01", 'odd, "name"'])
    assert truth == {("MDS01", 4): "BNE", ('odd, "name"', 4): "Doublet"}
    assert TagFile(path, by="AB", samples=True).tags == tags.tags


def test_other_columns_and_older_files_are_kept(path):
    path.write_text("object,label,remark\n4,BNE,two nuclei\n5,,not sure\n")
    tags = TagFile(path, by="AB", samples=False)
    assert [tag.label for tag in tags.tags.values()] == ["BNE"]
    tags.set({("", 6): "Doublet"})
    header, *rows = path.read_text().splitlines()
    assert header == "object,label,by,when,remark"
    assert rows[0] == "4,BNE,,,two nuclei"
    assert rows[1].startswith("6,Doublet,AB,")
    tags.set({("", 4): "Irregular"})
    assert ",two nuclei" in path.read_text()


def test_a_line_cut_short_by_a_crash_costs_its_tag_alone(path):
    tags = TagFile(path, by="AB", samples=False)
    tags.set(dict.fromkeys(KEYS, "BNE"))
    whole = path.read_bytes()
    start = whole[:-1].rfind(b"\n") + 1
    for end in range(start + 1, len(whole) - 1):
        path.write_bytes(whole[:end])
        found = TagFile(path, by="AB", samples=False)
        assert list(found.tags) == KEYS[:4], whole[start:end]
        assert "cut short" in found.notes[0]
        found.set({("", 99): "Doublet"})
        assert read_labels(path) == {**dict.fromkeys(range(4), "BNE"), 99: "Doublet"}
    path.write_bytes(whole[:-1])  # only the end of the line is missing
    assert list(TagFile(path, by="AB", samples=False).tags) == KEYS


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_kill_loses_the_last_tag_at_most(path):
    code = (
        "import sys\nfrom ifcyto.review.tag_file import TagFile\n"
        f"tags = TagFile({str(path)!r}, by='AB', samples=False)\n"
        "for n in range(100000):\n    tags.set({('', n): 'BNE'})\n    print(n, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        for _ in range(20):
            last = int(process.stdout.readline())
        process.kill()
        told = [int(line) for line in process.stdout.read().split("\n")[:-1] if line]
    last = max([last, *told])
    found = sorted(number for _, number in TagFile(path, by="AB", samples=False).tags)
    assert found[: last + 1] == list(range(last + 1))
    assert len(found) <= last + 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,BNE\n", "expected the columns object,label, found a,b"),
        ("object,label\n1,BNE\n1,BNE\n", "object 1 occurs twice"),
        ("object,label\nx,BNE\n", "line 2: expected an object number, found 'x'"),
        ("object,label\n1,BNE,3\n2,BNE\n", "line 2: expected 2 values, found 3"),
        ('object,label\n1,"BNE\n', "expected a CSV file in UTF-8"),
        (b"\xff\xfe\x00", "expected a CSV file in UTF-8"),
    ],
)
def test_a_damaged_file_is_told_and_left_alone(path, text, message):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    before = path.read_bytes()
    with pytest.raises(StudyError, match=message):
        TagFile(path, by="AB", samples=False)
    assert path.read_bytes() == before


def test_a_disk_that_refuses_loses_nothing(path, monkeypatch):
    tags = TagFile(path, by="AB", samples=False)
    tags.set({KEYS[0]: "BNE"})
    before = path.read_bytes()

    def full(_file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for change in ({KEYS[1]: "BNE"}, {KEYS[0]: None}):
        with pytest.raises(OutputError, match="No space left"):
            tags.set(change)
        assert path.read_bytes() == before
        assert list(tags.tags) == KEYS[:1]
    monkeypatch.undo()
    tags.set({KEYS[1]: "Doublet"})
    assert read_labels(path) == {0: "BNE", 1: "Doublet"}
