"""From tagged simulated cells to a model and back to classes: files, joins, refusals."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from ifcyto.classify.model_folder import read_model
from ifcyto.classify.scorer import UNKNOWN
from ifcyto.errors import OutputError, UsageError
from ifcyto.pipeline.classify import classify, write_labels
from ifcyto.pipeline.convert import convert
from ifcyto.pipeline.export_tables import export_fcs, export_feature_text
from ifcyto.pipeline.measure import MeasureOptions, measure_to_file
from ifcyto.pipeline.train import TrainOptions, train
from ifcyto.pipeline.truth_files import from_files, from_study
from ifcyto.samples.cells import CHANNELS, Rates, simulate_sample
from ifcyto.writers.cif import write_cif

FEATURES = [
    "Area_M01", "Aspect Ratio_M01", "Area_M05", "Aspect Ratio_M05", "Intensity_M05_DRAQ5",
    "Std Dev_M05_DRAQ5", "Spot Count_Threshold(M05, DRAQ5, 50)", "Mean Pixel_M02_CD235a",
    "Similarity_MC_BF_DRAQ5", "Object Number",
]  # fmt: skip
OPTIONS = TrainOptions(learning_curve=False)
N = 160


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two samples and the kinds of all their cells but singles."""
    folder = tmp_path_factory.mktemp("train")
    samples, truth = {}, {}
    for place, name in enumerate(("A", "B")):
        sample = simulate_sample(N, seed=20 + place, rates=Rates(0.3, 0.35, 0.3))
        samples[name] = write_cif(sample.batch.cells(), folder / f"{name}.cif", channels=CHANNELS)
        truth |= {(name, i): kind for i, kind in enumerate(sample.kinds.tolist()) if kind != "Single"}
    return samples, truth


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    samples, truth = data
    return train(samples, truth, tmp_path_factory.mktemp("model") / "m", features=FEATURES, options=OPTIONS)


def test_the_record_counts_what_it_was_given(data, trained):
    truth = data[1]
    record = json.loads((trained.folder / "training.json").read_text())
    assert record["n_truth"] == {
        name: sum(label == name for label in truth.values()) for name in ("BNE", "Doublet", "Irregular")
    }
    assert np.sum(record["matrix"]) == len(truth)
    assert record["balanced_accuracy"]["mean"] > 0.8
    assert "Object Number" in record["dropped"]
    assert set(record["chosen"]) <= set(FEATURES) - {"Object Number"}


def test_values_meet_labels_by_sample_and_object(data, trained):
    """The same truth in another order gives the same model."""
    samples, truth = data
    shuffled = dict(sorted(truth.items(), key=lambda item: (item[0][1] * 7919) % 101))
    again = train(samples, shuffled, trained.folder.parent / "again", features=FEATURES, options=OPTIONS)
    assert again.model.scorer.features == trained.model.scorer.features
    np.testing.assert_allclose(again.model.scorer.weights, trained.model.scorer.weights, rtol=1e-9)


def test_images_stacks_and_tables_get_the_same_classes(data, trained, tmp_path):
    samples, truth = data
    stack = convert(samples["A"], tmp_path / "A.h5").outputs[0]
    table = measure_to_file(stack, tmp_path / "A.h5ad", FEATURES).output
    found = [classify(source, trained.folder) for source in (samples["A"], stack, table)]
    for one in found[1:]:
        assert one.labels.tolist() == found[0].labels.tolist()
        np.testing.assert_allclose(one.scores, found[0].scores, rtol=1e-12)
    fcs = classify(export_fcs(table, tmp_path / "A.fcs").path, trained.folder)
    assert np.mean(fcs.labels == found[0].labels) > 0.99  # values are rounded to 24 bits
    text = export_feature_text(table, tmp_path / "A.txt").path
    with pytest.raises(UsageError, match="does not say the side of a pixel"):
        classify(text, trained.folder)
    assert classify(text, trained.folder, pixel_size_um=0.5).labels.tolist() == found[0].labels.tolist()
    tagged = [number for (name, number) in truth if name == "A"]
    some = classify(table, trained.model, objects=tagged)
    right = np.mean(
        [truth["A", n] == label for n, label in zip(some.objects.tolist(), some.labels, strict=True)]
    )
    assert right > 0.85
    pairs = some.pairs()
    assert list(pairs) == ["BNE against Doublet", "BNE against Irregular", "Doublet against Irregular"]
    np.testing.assert_allclose(pairs["BNE against Doublet"], some.scores[:, 0] - some.scores[:, 1])


def test_a_feature_that_cannot_be_computed_makes_the_class_unknown(data, trained, tmp_path):
    samples, _ = data
    table = measure_to_file(samples["B"], tmp_path / "B.h5ad", FEATURES).output
    import h5py

    with h5py.File(table, "a") as file:
        file["X"][3, :] = np.nan
    found = classify(table, trained.folder)
    assert found.labels[3] == UNKNOWN
    assert np.isnan(found.probability[3])
    assert UNKNOWN not in found.labels[:3]
    path = write_labels(found, tmp_path / "labels.csv", source=table)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[3]["label"] == UNKNOWN
    assert rows[3]["probability"] == ""
    assert float(rows[0]["probability"]) == found.probability[0]
    assert list(rows[0])[:5] == ["object", "label", "probability", "by", "when"]
    assert list(rows[0])[-3:] == ["p BNE", "p Doublet", "p Irregular"]
    assert [float(rows[0][name]) for name in list(rows[0])[-3:]] == found.probabilities[0].tolist()
    assert rows[3]["p BNE"] == ""
    with pytest.raises(OutputError, match="exists already"):
        write_labels(found, path, source=table)
    limit = float(np.nanmedian(found.probability))
    for threshold in (limit, {"BNE": limit}):
        write_labels(found, path, source=table, threshold=threshold, overwrite=True)
        with path.open(newline="") as file:
            after = list(csv.DictReader(file))
        low = [
            row["label"] != UNKNOWN and float(row["probability"]) < limit
            and (threshold == limit or row["label"] == "BNE")
            for row in rows
        ]  # fmt: skip
        assert [row["label"] for row in after] == [
            UNKNOWN if gone else row["label"] for gone, row in zip(low, rows, strict=True)
        ]
        assert [row["probability"] for row in after] == [row["probability"] for row in rows]
        assert 0 < sum(low) < len(low)
    with pytest.raises(UsageError, match="among BNE, Doublet, Irregular, found 'bne'"):
        write_labels(found, path, source=table, threshold={"bne": 0.5}, overwrite=True)


def test_what_the_model_does_not_fit_is_refused(data, trained, tmp_path):
    samples, _ = data
    table = measure_to_file(samples["A"], tmp_path / "A.h5ad", ["Area_M01"]).output
    with pytest.raises(UsageError, match="columns of the model are not in the table"):
        classify(table, trained.folder)
    with pytest.raises(UsageError, match=r"expected pixels of 0\.5 um.*found 0\.3 um"):
        classify(samples["A"], trained.folder, pixel_size_um=0.3)
    part = convert(samples["A"], tmp_path / "part.h5", channels=["BF"]).outputs[0]
    with pytest.raises(UsageError, match=r"M05|DRAQ5|CD235a|M02"):
        classify(part, trained.folder)
    with pytest.raises(UsageError, match="99999"):
        classify(samples["A"], trained.folder, objects=[99999])


def test_truth_that_does_not_fit_is_refused(data, tmp_path):
    samples, truth = data
    with pytest.raises(UsageError, match="samples that are not given: C"):
        train(samples, truth | {("C", 1): "BNE"}, tmp_path / "m", features=FEATURES)
    with pytest.raises(UsageError, match="99999"):
        train(samples, truth | {("A", 99999): "BNE"}, tmp_path / "m", features=FEATURES)
    with pytest.raises(UsageError):
        train(samples, dict.fromkeys(truth, "BNE"), tmp_path / "m", features=FEATURES)
    assert not (tmp_path / "m").exists()


def test_truth_comes_from_populations_and_labels(data, tmp_path):
    samples, truth = data
    for name in ("BNE", "Doublet"):
        numbers = [number for (sample, number), label in truth.items() if (sample, label) == ("A", name)]
        (tmp_path / f"{name}.pop").write_text("\n" + "\n".join(map(str, numbers)) + "\n")
    populations = {name: tmp_path / f"{name}.pop" for name in ("BNE", "Doublet")}
    files = from_files(samples["A"], populations=populations)
    wanted = {key: label for key, label in truth.items() if key[0] == "A" and label in populations}
    assert files.labels == wanted
    (tmp_path / "labels.csv").write_text("object,label\n1,Odd\n2,Even\n")
    assert from_files(samples["A"], labels=tmp_path / "labels.csv").labels == {
        ("A", 1): "Odd",
        ("A", 2): "Even",
    }
    with pytest.raises(UsageError, match="in another class too"):
        from_files(samples["A"], populations={"BNE": populations["BNE"], "Other": populations["BNE"]})
    with pytest.raises(UsageError, match="expected labels or populations"):
        from_files(samples["A"])
    with pytest.raises(UsageError, match="expected a DAF"):
        from_files(samples["A"], tagged=["Mphase"])


def test_truth_comes_from_populations_of_a_daf(shared_data):
    path = shared_data / "amnis" / "ut7_ideas62.daf"
    labels = from_files(path, tagged=["tagged-tel", "subG1 & Events"]).labels
    expected = dict.fromkeys(range(240, 280), "tagged-tel") | dict.fromkeys(range(400, 410), "subG1 & Events")
    assert labels == {("ut7_ideas62", number): name for number, name in expected.items()}
    assert len(from_files(path, tagged=["G2", "Mphase"]).labels) == 113 + 210  # a combination of the other
    with pytest.raises(UsageError, match="no population 'mphase'; did you mean 'Mphase'"):
        from_files(path, tagged=["mphase"])
    with pytest.raises(UsageError, match="74 objects of 'Metaphase & Mphase' are in another class too"):
        from_files(path, tagged=["Mphase", "Metaphase & Mphase"])
    with pytest.raises(UsageError, match=r"expected objects in the population 'pH3.*', found none"):
        from_files(path, tagged=["pH3+ & G1 & Events"])


def test_a_study_gives_samples_roles_and_truth(data, tmp_path):
    samples, truth = data
    for name, path in samples.items():
        (tmp_path / f"{name}.cif").write_bytes(path.read_bytes())
    rows = "".join(f"{name},{number},{label}\n" for (name, number), label in truth.items())
    (tmp_path / "truth.csv").write_text("sample,object,label\n" + rows)
    study = tmp_path / "study.toml"
    study.write_text(
        '[study]\nlabels = "truth.csv"\n[channels]\nDRAQ5 = 5\nBF = 1\n'
        + "".join(f'[[samples]]\nid = "{name}"\ngroup = "g"\nfile = "{name}.cif"\n' for name in samples)
    )
    files = from_study(study)
    assert files.labels == truth
    assert (files.roles, files.dna) == ({"DRAQ5": 5, "BF": 1}, "DRAQ5")
    measuring = MeasureOptions(roles=files.roles, dna=files.dna)
    result = train(files.samples, files.labels, tmp_path / "m", measuring=measuring, options=OPTIONS)
    assert not any("CD235a" in name for name in result.model.scorer.features)
    assert read_model(tmp_path / "m").images == result.model.images
