"""Suggestions from images and tables: joins by object number, files that a person fills in, refusals."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from ifcyto.classify.groups import group_alike, reduced
from ifcyto.classify.suggest import margin
from ifcyto.classify.training import TrainOptions
from ifcyto.errors import OutputError, UsageError
from ifcyto.pipeline.classify import classify
from ifcyto.pipeline.feature_files import read_features
from ifcyto.pipeline.group_objects import from_groups
from ifcyto.pipeline.labels import read_labels
from ifcyto.pipeline.measure import measure_to_file
from ifcyto.pipeline.suggest import from_model, from_tags
from ifcyto.pipeline.to_tag import Wanted, write_to_tag
from ifcyto.pipeline.train import train
from ifcyto.samples.cells import CHANNELS, Rates, simulate_sample
from ifcyto.writers.cif import write_cif

FEATURES = ["Area_M01", "Aspect Ratio_M01", "Area_M05", "Aspect Ratio_M05", "Std Dev_M05_DRAQ5"]
PLAIN = TrainOptions(learning_curve=False)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A sample, its feature table, the kind of every cell, and tags of a third of the cells."""
    folder = tmp_path_factory.mktemp("suggest")
    sample = simulate_sample(150, seed=3, rates=Rates(0.3, 0.35, 0.3))
    cif = write_cif(sample.batch.cells(), folder / "cells.cif", channels=CHANNELS)
    table = measure_to_file(cif, folder / "cells.h5ad", FEATURES).output
    kinds = {n: kind for n, kind in enumerate(sample.kinds.tolist()) if kind != "Single"}
    tags = {n: kind for n, kind in kinds.items() if n % 3 == 0}
    return cif, table, kinds, tags


@pytest.fixture(scope="module")
def model(data, tmp_path_factory):
    _, table, _, tags = data
    truth = {("cells", n): kind for n, kind in tags.items()}
    folder = tmp_path_factory.mktemp("suggest_model") / "m"
    return train({"cells": table}, truth, folder, options=PLAIN).folder


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_model_suggests_untagged_objects_least_certain_first(data, model):
    cif, table, _, tags = data
    found = from_model(cif, model, tags, Wanted(n=20))
    judged = classify(table, model)
    certain = margin(judged.probabilities)
    free = [i for i in np.argsort(certain, kind="stable").tolist() if judged.objects[i] not in tags]
    assert found.objects.tolist() == judged.objects[free[:20]].tolist()
    assert found.columns["suggested"] == judged.labels[free[:20]].tolist()
    assert found.columns["p BNE"] == pytest.approx(judged.probabilities[free[:20], 0].tolist())
    assert from_model(table, model, tags, Wanted(n=20)).objects.tolist() == found.objects.tolist()
    for order in ("certain", "diverse"):
        other = from_model(table, model, tags, Wanted(order, 20, "Doublet"))
        assert set(other.columns["suggested"]) == {"Doublet"}
        assert not set(other.objects.tolist()) & set(tags)


def test_tags_teach_and_a_wrong_one_is_doubted(data):
    _, table, kinds, tags = data
    wrong = next(n for n, kind in tags.items() if kind == "Doublet")
    found = from_tags(table, {**tags, wrong: "BNE"}, Wanted(n=10), options=PLAIN)
    assert found.labels[:10] == ("",) * 10
    assert not set(found.objects[:10].tolist()) & set(tags)
    doubted = dict(zip(found.objects[10:].tolist(), found.labels[10:], strict=True))
    assert doubted[wrong] == "BNE"
    assert set(doubted) <= set(tags)
    assert set(found.columns["reason"][10:]) == {"doubtful tag"}
    assert found.columns["suggested"][found.objects.tolist().index(wrong)] == "Doublet"
    untagged = [n for n in kinds if n not in tags]
    everything = from_tags(table, tags, Wanted(n=200), options=PLAIN)
    said = dict(zip(everything.objects.tolist(), everything.columns["suggested"], strict=True))
    assert np.mean([said[n] == kinds[n] for n in untagged]) > 0.75
    assert any(note.startswith(f"{len(tags)} tags so far: balanced accuracy 0.") for note in found.notes)


def test_groups_hold_like_cells(data):
    cif, table, kinds, tags = data
    found = from_groups(table, groups=8, size=100, seed=2)
    assert len(set(found.objects.tolist())) == 100
    groups = np.array(found.columns["group"])
    kind = np.array([kinds.get(n, "Single") for n in found.objects.tolist()])
    most = [np.unique(kind[groups == g], return_counts=True)[1].max() for g in range(1, 9)]
    everyone = np.unique(kind, return_counts=True)[1].max()
    assert sum(most) > 1.3 * everyone
    rest = from_groups(table, tags, groups=3)
    assert set(rest.objects.tolist()) == set(range(150)) - set(tags)
    assert rest.notes[-1].startswith("3 groups of ")
    measured = from_groups(cif, groups=8, size=100, seed=2, features=FEATURES)
    assert measured.objects.tolist() == found.objects.tolist()
    assert measured.columns["group"] == found.columns["group"]


def test_a_model_groups_by_what_it_looks_at(data, model):
    """The groups are those of the model's own columns, whether they are read or measured."""
    cif, table, _, _ = data
    found = from_groups(table, model=model, groups=4, size=60)
    assert from_groups(cif, model=model, groups=4, size=60).columns["group"] == found.columns["group"]
    judged = classify(table, model, objects=sorted(found.objects.tolist()))
    alike = group_alike(judged.values, groups=4)
    assert found.objects.tolist() == judged.objects[alike.rows].tolist()
    assert found.columns["group"] == alike.group.tolist()


def test_near_on_the_map_is_near_among_the_features(data):
    """Trustworthiness (Venna and Kaski 2001): 1 keeps all neighbours, 0.5 is chance."""
    table = data[1]
    found = from_groups(table, groups=4)
    columns = read_features(table)
    order = np.searchsorted(columns.objects, found.objects)
    places = np.column_stack([found.columns["x"], found.columns["y"]])
    assert trustworthiness(reduced(columns.values[order]), places, n_neighbors=10) > 0.9
    assert from_groups(table, groups=4).columns == found.columns


def test_a_file_filled_in_is_a_table_of_labels(data, tmp_path):
    _, table, _, tags = data
    found = from_tags(table, tags, Wanted(n=5), options=PLAIN)
    path = write_to_tag(found, tmp_path / "s.csv", sources=[table])
    assert list(rows(path)[0])[:7] == [
        "object", "label", "suggested", "probability", "margin", "entropy", "reason",
    ]  # fmt: skip
    assert set(read_labels(path, known=None)) == set(found.objects[5:].tolist())  # the doubtful ones
    filled = [row | {"label": row["label"] or "BNE"} for row in rows(path)]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(filled[0]))
        writer.writeheader()
        writer.writerows(filled)
    assert len(read_labels(path, known=None)) == len(found.objects)
    with pytest.raises(OutputError, match="exists already"):
        write_to_tag(found, path)
    with pytest.raises(UsageError, match="apart from the inputs"):
        write_to_tag(found, table, sources=[table], overwrite=True)
    groups = write_to_tag(from_groups(table, groups=3), tmp_path / "g.csv")
    assert list(rows(groups)[0]) == ["object", "label", "group", "distance", "x", "y"]


def test_what_cannot_be_suggested(data, model):
    _, table, _, tags = data
    with pytest.raises(UsageError, match="expected tags of its objects, found none among 1"):
        from_model(table, model, {9999: "BNE"})
    assert from_model(table, model, {**tags, 9999: "BNE"}).notes == (
        f"1 of {len(tags) + 1} tagged objects are not there: 9999",
    )
    with pytest.raises(UsageError, match=r"uncertain, certain, diverse .* found 'best'"):
        Wanted("best")
    with pytest.raises(UsageError, match=r"a class among .*, found 'Mitosis'"):
        from_model(table, model, wanted=Wanted(of="Mitosis"))
    with pytest.raises(UsageError, match="untagged objects, found none of 150"):
        from_groups(table, dict.fromkeys(range(150), "BNE"))
    with pytest.raises(UsageError, match="two or more"):
        from_tags(table, {0: "BNE", 3: "BNE"})
