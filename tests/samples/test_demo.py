from __future__ import annotations

import csv
import tomllib
from collections import Counter

import numpy as np
import pytest

from ifcyto.errors import OutputError
from ifcyto.readers.registry import open_acquisition
from ifcyto.samples.demo import write_demo_cif, write_demo_study
from ifcyto.simulate.parameters import STAGES
from ifcyto.simulate.sample import simulate_sample


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_cif_holds_the_simulated_pixels(tmp_path):
    batch = simulate_sample(12, seed=3).batch
    with open_acquisition(write_demo_cif(tmp_path / "a.cif", n_cells=12, seed=3)) as reader:
        found = reader.read_batch(range(12))
        assert [(channel.number, channel.name) for channel in reader.channels] == [
            (1, "BF"),
            (2, "CD235a"),
            (5, "DRAQ5"),
        ]
        assert [channel.brightfield for channel in reader.channels] == [True, False, False]
    assert np.array_equal(found.pixels, batch.pixels)
    assert np.array_equal(found.masks, batch.masks)
    assert np.array_equal(found.object_numbers, np.arange(12))


def test_existing_cif_is_kept(tmp_path):
    path = write_demo_cif(tmp_path / "a.cif", n_cells=2)
    before = path.read_bytes()
    with pytest.raises(OutputError, match=r"a\.cif"):
        write_demo_cif(path, n_cells=3)
    assert path.read_bytes() == before
    write_demo_cif(path, n_cells=3, overwrite=True)
    assert path.read_bytes() != before


def test_study_is_whole_and_names_what_is_there(tmp_path):
    study = write_demo_study(tmp_path / "new" / "study", samples_per_group=2, cells_per_sample=40)
    document = tomllib.loads(study.read_text())
    assert document["study"]["control"] == "NBM"
    assert document["study"]["case"] == ["MDS"]
    assert document["channels"] == {"BF": 1, "CD235a": 2, "DRAQ5": 5}
    *counted, pool = document["samples"]
    assert [sample["id"] for sample in counted] == ["NBM01", "NBM02", "MDS01", "MDS02"]
    assert pool == {"id": "pool", "group": "training", "file": "pool.cif", "training_only": True}
    truth = rows(study.parent / document["study"]["labels"])
    assert {row["sample"] for row in truth} == {"pool"}
    assert {row["label"] for row in truth} == {"BNE", "Doublet", "Irregular"}
    expected = {"study.toml", "pool.cif", "training_labels.csv", "truth"}
    for sample in counted:
        expected |= {sample["file"], sample["stages"], sample["manual"]}
        stages = rows(study.parent / sample["stages"])
        truth = rows(study.parent / "truth" / f"{sample['id']}.csv")
        whole = [row["object"] for row in truth if row["kind"] not in {"Debris", "Clipped"}]
        assert [row["object"] for row in stages] == whole
        assert {row["population"] for row in stages} <= {stage.name for stage in STAGES}
        assert {row["label"] for row in rows(study.parent / sample["manual"])} <= {
            "BNE",
            "Doublet",
            "Irregular",
        }
    assert {path.name for path in study.parent.iterdir()} == expected


def test_same_seed_same_files(tmp_path):
    first, again = (
        write_demo_study(tmp_path / name, seed=3, samples_per_group=1, cells_per_sample=10).parent
        for name in ("first", "again")
    )
    for path in first.rglob("*.*"):
        assert path.read_bytes() == (again / path.relative_to(first)).read_bytes(), path.name


def test_groups_differ_in_binucleated_cells_only(tmp_path):
    folder = write_demo_study(tmp_path / "study", samples_per_group=2, cells_per_sample=500).parent
    counts = {
        group: Counter(row["label"] for path in folder.glob(f"{group}*_manual.csv") for row in rows(path))
        for group in ("NBM", "MDS")
    }
    assert counts["MDS"]["BNE"] > 2 * counts["NBM"]["BNE"] > 0
    assert counts["MDS"]["Doublet"] == pytest.approx(counts["NBM"]["Doublet"], abs=30)


def test_a_study_that_is_there_is_not_overwritten(tmp_path):
    write_demo_study(tmp_path, samples_per_group=1, cells_per_sample=2)
    with pytest.raises(OutputError, match=r"study\.toml: a study is there already; choose another folder"):
        write_demo_study(tmp_path)
