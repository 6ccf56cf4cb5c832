"""Steps are done once, and again when what they depend on changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ifcyto.pipeline.steps import StepCache
from ifcyto.pipeline.tables import write_text

if TYPE_CHECKING:
    from pathlib import Path


class Maker:
    """Writes files and counts how often it was asked to."""

    def __init__(self, root: Path, *names: str) -> None:
        self.root, self.names, self.calls = root, names, 0

    def __call__(self) -> list[Path]:
        self.calls += 1
        return [write_text(self.root / name, name) for name in self.names]


def test_an_unchanged_step_is_not_done_again(tmp_path: Path) -> None:
    make = Maker(tmp_path, "a.csv", "sub/b.csv")
    digests = {StepCache(tmp_path).step("x", {"k": 1}, make) for _ in range(3)}
    assert (make.calls, len(digests)) == (1, 1)


@pytest.mark.parametrize("harm", ["changed", "removed", "no record", "broken record", "other record"])
def test_a_step_is_done_again_when_its_outputs_or_its_record_are_not_as_left(
    tmp_path: Path, harm: str
) -> None:
    make = Maker(tmp_path, "a.csv")
    StepCache(tmp_path).step("x", {"k": 1}, make)
    record = tmp_path / "work" / "steps" / "x.json"
    match harm:
        case "changed":
            (tmp_path / "a.csv").write_text("A.csv")  # as long as before
        case "removed":
            (tmp_path / "a.csv").unlink()
        case "no record":
            record.unlink()
        case "broken record":
            record.write_text("{")
        case "other record":
            record.write_text("[1]")
    cache = StepCache(tmp_path)
    cache.step("x", {"k": 1}, make)
    assert (make.calls, cache.done) == (2, ["x"])
    assert (tmp_path / "a.csv").read_text() == "a.csv"


def test_new_settings_or_the_wish_do_it_again(tmp_path: Path) -> None:
    make = Maker(tmp_path, "a.csv")
    first = StepCache(tmp_path).step("x", {"k": 1}, make)
    second = StepCache(tmp_path).step("x", {"k": 2}, make)
    assert (make.calls, first != second) == (2, True)
    StepCache(tmp_path, again=True).step("x", {"k": 2}, make)
    assert make.calls == 3


def test_a_step_that_fails_leaves_no_record_of_success(tmp_path: Path) -> None:
    make = Maker(tmp_path, "a.csv")
    StepCache(tmp_path).step("x", {"k": 1}, make)

    def fail() -> list[Path]:
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        StepCache(tmp_path).step("x", {"k": 2}, fail)
    StepCache(tmp_path).step("x", {"k": 1}, make)
    assert make.calls == 2


def test_outputs_that_are_no_longer_made_are_removed(tmp_path: Path) -> None:
    StepCache(tmp_path).step("x", {"k": 1}, Maker(tmp_path, "a.csv", "b.csv"))
    StepCache(tmp_path).step("x", {"k": 2}, Maker(tmp_path, "a.csv"))
    assert sorted(path.name for path in tmp_path.glob("*.csv")) == ["a.csv"]


def test_a_record_cannot_reach_outside_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "precious.txt"
    outside.write_text("x")
    root = tmp_path / "results"
    write_text(
        root / "work" / "steps" / "x.json", json.dumps({"key": "", "outputs": {"../precious.txt": [1, None]}})
    )
    StepCache(root).step("x", {}, Maker(root, "a.csv"))
    assert outside.exists()
