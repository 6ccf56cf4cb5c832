from __future__ import annotations

import csv
import tomllib
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from ifcyto.errors import OutputError, UsageError
from ifcyto.readers.registry import open_acquisition
from ifcyto.simulate.cohort import sample_jobs, write_cohort
from ifcyto.simulate.groups import COHORTS, PAPER, SMALL, Cohort, Group
from ifcyto.simulate.observer import CONFUSIONS, LABELS, observe, visible
from ifcyto.simulate.parameters import Mix
from ifcyto.simulate.sample import Truth

TINY = replace(SMALL.with_samples(1), tagged=(4, 5, 3))


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def truth_of(kinds, saddle=0.1):
    n, empty = len(kinds), np.full(len(kinds), "")
    return Truth(np.array(kinds), empty, empty, np.zeros(n), np.zeros(n), np.full(n, saddle))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_cohort(tmp_path_factory.mktemp("tiny") / "study", TINY, seed=3, cells=150)


def test_every_file_of_a_study_is_there(study):
    document = tomllib.loads(study.read_text())
    assert document["study"]["control"] == "NBM"
    assert document["study"]["case"] == ["MDS"]
    assert document["channels"] == {"BF": 1, "CD235a": 2, "DRAQ5": 5}
    expected = {"study.toml", "training_labels.csv", "pool.cif", "truth"}
    for sample in document["samples"][:-1]:
        expected |= {sample["file"], sample["stages"], sample["manual"]}
        assert len(rows(study.parent / "truth" / f"{sample['id']}.csv")) == 150
        with open_acquisition(study.parent / sample["file"]) as reader:
            assert len(reader) == 150
    assert document["samples"][-1]["training_only"] is True
    assert {path.name for path in study.parent.iterdir()} == expected


def test_training_sample_holds_the_wanted_number_of_each_class_in_plain_sight(study):
    labels = Counter(row["label"] for row in rows(study.parent / "training_labels.csv"))
    assert labels == dict(zip(LABELS, TINY.tagged, strict=True))
    truth = rows(study.parent / "truth" / "pool.csv")
    assert max(float(row["saddle"]) for row in truth) <= 0.7
    with open_acquisition(study.parent / "pool.cif") as reader:
        assert reader.object_numbers.tolist() == [int(row["object"]) for row in truth]


def test_what_gates_remove_is_in_no_stage_and_only_candidates_are_tagged(study):
    for name in ("NBM01", "MDS01"):
        truth = {row["object"]: row for row in rows(study.parent / "truth" / f"{name}.csv")}
        stages = {row["object"]: row["population"] for row in rows(study.parent / f"{name}_stages.csv")}
        left_out = {number for number, row in truth.items() if row["kind"] in {"Debris", "Clipped"}}
        assert stages == {number: row["stage"] for number, row in truth.items() if number not in left_out}
        manual = rows(study.parent / f"{name}_manual.csv")
        for row in manual:
            assert truth[row["object"]]["kind"] in LABELS
            assert row["label"] in LABELS


def test_same_seed_same_files_with_any_number_of_workers(study, tmp_path):
    again = write_cohort(tmp_path / "again", TINY, seed=3, cells=150, workers=2)
    for path in study.parent.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (again.parent / path.relative_to(study.parent)).read_bytes(), (
                path.name
            )
    other = write_cohort(tmp_path / "other", TINY, seed=4, cells=20)
    assert (other.parent / "NBM01.cif").read_bytes() != (study.parent / "NBM01.cif").read_bytes()


def test_nothing_is_overwritten(study):
    with pytest.raises(OutputError, match=r"study\.toml: a study is there already; choose another folder"):
        write_cohort(study.parent, TINY)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be made"):
        write_cohort(tmp_path / "file" / "study", TINY)


def test_progress_ends_at_the_number_of_objects(tmp_path):
    told = []
    write_cohort(tmp_path, TINY, cells=5, progress=lambda *words: told.append(words))
    assert told[-1] == ("simulate", 22, 22)
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


def test_a_study_without_training_sample(tmp_path):
    study = write_cohort(tmp_path, replace(TINY, tagged=(0, 0, 0)), cells=3)
    document = tomllib.loads(study.read_text())
    assert "labels" not in document["study"]
    assert [sample["id"] for sample in document["samples"]] == ["NBM01", "MDS01"]


def test_the_papers_cohort_has_its_groups_and_sizes():
    jobs = sample_jobs(PAPER, seed=7)
    assert Counter(job.group for job in jobs) == {"MDS": 14, "ICUS/CCUS": 6, "non-MDS": 6, "NBM": 11}
    sizes = np.array([job.n_cells for job in jobs])
    assert np.median(sizes) == 5953
    assert (sizes.min(), sizes.max()) == (489, 68_503)
    assert len({job.seed for job in jobs}) == len({job.name for job in jobs}) == 37
    small = sample_jobs(PAPER, seed=7, cells=600)
    assert np.median([job.n_cells for job in small]) == 600
    assert PAPER.tagged == (147, 350, 261)


def test_groups_differ_in_binucleated_cells():
    jobs = [job for seed in range(40) for job in sample_jobs(PAPER, seed=seed)]
    mean = {
        group: np.exp(np.mean([np.log(job.mix.bne[0]) for job in jobs if job.group == group]))
        for group in ("NBM", "non-MDS", "ICUS/CCUS", "MDS")
    }
    assert list(mean.values()) == sorted(mean.values())
    wanted = next(group for group in PAPER.groups if group.name == "MDS")
    logs = [np.log(job.mix.bne[0] / wanted.mix.bne[0]) for job in jobs if job.group == "MDS"]
    assert np.std(logs) == pytest.approx(wanted.spread, rel=0.1)
    assert np.mean(logs) == pytest.approx(0, abs=4 * wanted.spread / np.sqrt(len(logs)))


@pytest.mark.parametrize("error", [0.0, 0.05, 0.4])
def test_observer_errs_at_the_stated_rate(error, rng):
    n = 4000
    for place, kind in enumerate(LABELS):
        tags = observe(truth_of([kind] * n), error=error, rng=rng)
        wrong = np.mean(tags != kind)
        assert wrong == pytest.approx(error, abs=4 * np.sqrt(error * (1 - error) / n) + 1e-12)
        for other, label in enumerate(LABELS):
            share = error * CONFUSIONS[place, other]
            if other != place:
                found = np.mean(tags == label)
                assert found == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / n) + 1e-12)


def test_observer_tags_candidates_only():
    truth = truth_of(["Single", "BNE", "Debris", "Clipped", "Doublet"])
    assert visible(truth).tolist() == [False, True, False, False, True]
    hidden = truth_of(["BNE", "Irregular"], saddle=0.9)
    assert observe(hidden, error=0.5, rng=np.random.default_rng(0)).tolist() == ["", ""]


def test_confusions_are_probabilities_without_the_diagonal():
    assert CONFUSIONS.sum(axis=1) == pytest.approx([1, 1, 1])
    assert np.diag(CONFUSIONS).tolist() == [0, 0, 0]


def test_wrong_numbers_are_refused(tmp_path):
    with pytest.raises(UsageError, match=r"expected an observer's error from 0 to 1, found 1\.5"):
        write_cohort(tmp_path, TINY, observer_error=1.5)
    with pytest.raises(UsageError, match="expected at least 2 cells a sample"):
        write_cohort(tmp_path, TINY, cells=1)
    assert list(tmp_path.iterdir()) == []


def test_a_class_that_never_shows_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("ifcyto.simulate.cohort.MOST_CHUNKS", 1)
    lone = Cohort("t", (Group("NBM", "NBM", 1, Mix()),), tagged=(0, 0, 500))
    with pytest.raises(UsageError, match=r"lacking .* Irregular"):
        write_cohort(tmp_path, lone, cells=2)


def test_cohorts_go_by_name():
    assert COHORTS == {"small": SMALL, "paper": PAPER}
