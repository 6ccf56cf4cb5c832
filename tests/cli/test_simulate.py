from __future__ import annotations

from dataclasses import replace

import pytest

from ifcyto.cli.main import main
from ifcyto.simulate import groups


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """Cohorts of one sample a group and five tagged objects."""
    few = {name: replace(cohort.with_samples(1), tagged=(2, 2, 1)) for name, cohort in groups.COHORTS.items()}
    monkeypatch.setattr(groups, "COHORTS", few)


def test_a_small_study_is_written_and_named(tmp_path, capsys):
    assert main(["simulate", str(tmp_path / "s"), "--cells", "4", "--seed", "3", "--workers", "1"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out == ["2 samples, 8 objects, 5 tagged for training", str(tmp_path / "s" / "study.toml")]
    assert (tmp_path / "s" / "truth" / "MDS01.csv").is_file()


def test_the_papers_cohort_goes_by_name(tmp_path, capsys):
    words = ["simulate", str(tmp_path / "s"), "--cohort", "paper", "--cells", "6", "--workers", "1"]
    assert main([*words, "--observer-error", "0"]) == 0
    assert sorted(path.stem for path in (tmp_path / "s").glob("*.cif")) == [
        "CTRL01",
        "ICUS01",
        "MDS01",
        "NBM01",
        "pool",
    ]
    capsys.readouterr()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--cohort", "large"], "--cohort: expected small or paper, found 'large'"),
        (["--observer-error", "2"], "expected an observer's error from 0 to 1, found 2.0"),
        (["--cells", "0"], "expected at least 2 cells a sample and a seed of at least 0, found 0 and 7"),
        (["--seed", "-1"], "expected at least 2 cells a sample and a seed of at least 0, found 300 and -1"),
        (["--workers", "0"], "--workers: expected at least 1, found 0"),
    ],
)
def test_wrong_words_are_refused_before_anything_is_written(words, said, tmp_path, capsys):
    assert main(["simulate", str(tmp_path / "s"), *words]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


def test_a_study_that_is_there_is_kept(tmp_path, capsys):
    (tmp_path / "study.toml").write_text("mine")
    assert main(["simulate", str(tmp_path)]) == 2
    assert "a study is there already" in capsys.readouterr().err
    assert (tmp_path / "study.toml").read_text() == "mine"
