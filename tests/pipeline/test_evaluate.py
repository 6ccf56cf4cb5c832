"""Tables of labels and truth: how they join, what is refused, what is written."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from sklearn import metrics

from ifcyto.errors import OutputError, StudyError, UsageError
from ifcyto.pipeline.evaluate import EvaluateOptions, evaluate
from ifcyto.pipeline.judgements import join, read_judged, read_true
from ifcyto.schemas import validate

NAMES = ["BNE", "Doublet", "Irregular"]
QUICK = EvaluateOptions(resamples=60)


@pytest.fixture
def data(tmp_path, rng):
    """Tables of 200 objects, in different orders, and what is in them."""
    p = rng.dirichlet([0.5] * 3, 200)
    truth = np.array(NAMES)[np.minimum((rng.random((200, 1)) > p.cumsum(axis=1)).sum(axis=1), 2)]
    labels = np.array(NAMES)[p.argmax(axis=1)]
    numbers = rng.permutation(1000)[:200]
    lines = [
        f"{n},{label},{float(row.max())!r},ifcyto linear,0.5,{','.join(map(repr, row.tolist()))}"
        for n, label, row in zip(numbers.tolist(), labels, p, strict=True)
    ]
    (tmp_path / "labels.csv").write_text(
        "object,label,probability,by,BNE against Doublet,p BNE,p Doublet,p Irregular\n" + "\n".join(lines)
    )
    order = rng.permutation(200)
    (tmp_path / "truth.csv").write_text(
        "object,label\n" + "".join(f"{numbers[i]},{truth[i]}\n" for i in order)
    )
    return tmp_path, truth, labels, p


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_tables_and_document_say_the_same(data):
    folder, truth, labels, p = data
    (folder / "ok.csv").write_text("true,predicted\nBNE,Irregular\nBNE,Irregular\n")
    done = evaluate(
        folder / "labels.csv", folder / "truth.csv", folder / "out", options=QUICK,
        tolerable=folder / "ok.csv", precision=0.9, precision_of="Doublet",
    )  # fmt: skip
    document = json.loads((folder / "out" / "metrics.json").read_text())
    validate(document, "evaluation")
    assert document["objects"] == 200
    matrix = metrics.confusion_matrix(truth, labels, labels=NAMES)
    assert document["strict"]["matrix"] == matrix.tolist()
    assert document["tolerable"] == [["BNE", "Irregular"]]
    assert document["tolerant"]["matrix"][0] == [int(matrix[0, 0] + matrix[0, 2]), int(matrix[0, 1]), 0]
    table = rows(folder / "out" / "metrics.csv")
    assert [(row["evaluation"], row["class"]) for row in table[:6]] == [
        ("strict", name) for name in (*NAMES, "macro average", "weighted average", "all")
    ]
    assert [row["evaluation"] for row in table[6:]] == ["tolerant"] * 6
    for k, row in enumerate(table[:3]):
        assert float(row["roc_auc"]) == pytest.approx(metrics.roc_auc_score(truth == NAMES[k], p[:, k]), 1e-7)
        assert float(row["roc_auc_low"]) < float(row["roc_auc"]) < float(row["roc_auc_high"])
    assert float(table[5]["balanced_accuracy"]) == pytest.approx(
        metrics.balanced_accuracy_score(truth, labels), rel=1e-7
    )
    cells = rows(folder / "out" / "confusion.csv")
    assert [int(cell["count"]) for cell in cells[:9]] == matrix.ravel().tolist()
    assert float(cells[1]["row_percent"]) == pytest.approx(100 * matrix[0, 1] / matrix[0].sum(), rel=1e-7)
    assert float(cells[1]["column_percent"]) == pytest.approx(
        100 * matrix[0, 1] / matrix[:, 1].sum(), rel=1e-7
    )
    bins = rows(folder / "out" / "calibration.csv")
    assert {row["class"] for row in bins} == {"class given", *NAMES}
    assert sum(int(row["count"]) for row in bins if row["class"] == "BNE") == 200
    chosen = document["threshold"]
    assert chosen["label"] == "Doublet"
    kept = (labels == "Doublet") & (p.max(axis=1) >= chosen["threshold"])
    assert chosen["precision"] == (truth[kept] == "Doublet").mean() >= 0.9
    assert sorted(path.name for path in (folder / "out" / "figures").iterdir()) == sorted(
        f"{name}.{kind}"
        for name in ("confusion", "confusion_tolerant", "roc", "precision_recall", "reliability")
        for kind in ("png", "pdf")
    )
    assert done.folder == folder / "out"
    with pytest.raises(OutputError, match="exists already"):
        evaluate(folder / "labels.csv", folder / "truth.csv", folder / "out", options=QUICK)


def test_truth_without_a_label_is_listed(data):
    folder = data[0]
    with (folder / "truth.csv").open("a") as file:
        file.write("1001,BNE\n1002,BNE\n1003,Unknown\n1004,\n")
    done = evaluate(folder / "labels.csv", folder / "truth.csv", options=QUICK)
    assert done.document["not_classified"] == [{"sample": "", "object": n} for n in (1001, 1002)]
    assert done.notes[0] == "2 of 202 objects with truth have no label and are left out: 1001, 1002"
    assert done.evaluation.objects == 200
    assert done.folder is None


def test_labels_without_probabilities(data):
    folder = data[0]
    (folder / "plain.csv").write_text("object,label\n" + "".join(
        f"{row['object']},{row['label']}\n" for row in rows(folder / "labels.csv")
    ))  # fmt: skip
    done = evaluate(folder / "plain.csv", folder / "truth.csv", folder / "plain", options=QUICK)
    assert done.evaluation.calibration is None
    assert "no areas under curves" in done.notes[0]
    assert sorted(path.stem for path in (folder / "plain" / "figures").glob("*.png")) == ["confusion"]
    validate(json.loads((folder / "plain" / "metrics.json").read_text()), "evaluation")
    assert len(rows(folder / "plain" / "calibration.csv")) == 0
    with pytest.raises(UsageError, match="10 classified objects or more, found 0"):
        evaluate(folder / "plain.csv", folder / "truth.csv", options=QUICK, precision=0.9)


def test_a_threshold_in_use_is_seen_through(data):
    """Labels that a threshold made Unknown keep their probabilities: a new threshold sees all of them."""
    folder, _, _, p = data
    table = rows(folder / "labels.csv")
    for row in table:
        row["label"] = row["label"] if float(row["probability"]) > 0.8 else "Unknown"
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(table)
    done = evaluate(
        folder / "labels.csv",
        folder / "truth.csv",
        folder / "out",
        options=QUICK,
        precision=0.5,
        figures=False,
    )
    assert done.threshold.judged == 200
    assert done.evaluation.classes[-1] == "Unknown"
    assert done.evaluation.judged == (p.max(axis=1) > 0.8).sum()
    cells = rows(folder / "out" / "confusion.csv")
    assert len(cells) == 3 * 4
    unknown = sum(int(cell["count"]) for cell in cells if cell["predicted"] == "Unknown")
    assert unknown == (p.max(axis=1) <= 0.8).sum()


def test_classes_of_the_truth_can_be_renamed(data):
    folder = data[0]
    text = (folder / "truth.csv").read_text().replace("Irregular", "budding")
    (folder / "other.csv").write_text(text)
    with pytest.raises(
        UsageError, match=r"among the classes BNE, Doublet, Irregular, found 'budding' \(\d+ obj"
    ):
        evaluate(folder / "labels.csv", folder / "other.csv", options=QUICK)
    renamed = evaluate(
        folder / "labels.csv", folder / "other.csv", options=QUICK, renamed={"budding": "Irregular"}
    )
    plain = evaluate(folder / "labels.csv", folder / "truth.csv", options=QUICK)
    assert renamed.document["strict"] == plain.document["strict"]
    with pytest.raises(UsageError, match="a class 'oval' to rename, found BNE"):
        evaluate(folder / "labels.csv", folder / "other.csv", renamed={"oval": "Irregular"})


@pytest.fixture
def samples(tmp_path):
    """Truth of two samples whose object numbers are the same."""
    (tmp_path / "truth.csv").write_text(
        "sample,object,label\n"
        + "".join(f"{s},{n},{'BNE' if n % 2 else 'Doublet'}\n" for s in "AB" for n in range(20))
    )
    (tmp_path / "one.csv").write_text("object,label\n" + "".join(f"{n},BNE\n" for n in range(10)))
    (tmp_path / "both.csv").write_text(
        "sample,object,label\n"
        + "".join(f"{s},{n},{'BNE' if s == 'A' else 'Doublet'}\n" for s in "AB" for n in range(20))
    )
    return tmp_path


def test_labels_of_one_sample(samples):
    with pytest.raises(UsageError, match=r"the truth is of 2 \(A, B\): say which sample"):
        evaluate(samples / "one.csv", samples / "truth.csv", options=QUICK)
    with pytest.raises(UsageError, match=r"a sample of the truth \(A, B\), found 'C'"):
        evaluate(samples / "one.csv", samples / "truth.csv", options=QUICK, sample="C")
    done = evaluate(samples / "one.csv", samples / "truth.csv", options=QUICK, sample="B")
    assert done.evaluation.objects == 10
    assert done.document["not_classified"][0] == {"sample": "B", "object": 10}


def test_labels_of_several_samples(samples):
    done = evaluate(samples / "both.csv", samples / "truth.csv", options=QUICK)
    assert done.document["strict"]["matrix"] == [[10, 10], [10, 10]]
    assert any("those for other samples are wider" in note for note in done.notes)
    whole = evaluate(samples / "both.csv", samples / "truth.csv", options=QUICK, by_sample=True)
    assert whole.document["intervals"]["by_sample"]
    only = evaluate(samples / "both.csv", samples / "truth.csv", options=QUICK, sample="A")
    assert only.document["strict"]["matrix"] == [[10, 0], [10, 0]]
    (samples / "plain.csv").write_text("object,label\n3,BNE\n")
    with pytest.raises(UsageError, match="the labels are of several samples, found none"):
        evaluate(samples / "both.csv", samples / "plain.csv", options=QUICK)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("object,label,p a,p b\n1,a,0.5,0.4\n", "line 2: .* that sum to 1, found a sum of 0.9"),
        ("object,label,p a,p b\n1,a,1.0,\n", "found one or more missing"),
        ("object,label,p a,p b\n1,a,nan,nan\n", "from 0 to 1, found 'nan'"),
        ("object,label,p a,p b\n1,a,1.5,-0.5\n", "from 0 to 1, found '1.5'"),
        ("object,label,probability\n1,a,high\n", "from 0 to 1, found 'high'"),
        ("object,label,p a,p b\n1,c,0.5,0.5\n", "a label among a, b, found 'c'"),
        ("object,label\n1,a\n1,b\n", "object 1 occurs twice"),
        ("object,label\n2,a\n", "none among 1 labels and 1 objects of known class"),
        ("object,label\n", "none among 0 labels"),
        ("object,class\n1,a\n", "expected the columns object,label"),
        ("object,label\n-1,a\n", "an object number, found '-1'"),
    ],
)
def test_labels_that_cannot_be(tmp_path, labels, message):
    (tmp_path / "labels.csv").write_text(labels)
    (tmp_path / "truth.csv").write_text("object,label\n1,a\n")
    with pytest.raises((UsageError, StudyError), match=message):
        evaluate(tmp_path / "labels.csv", tmp_path / "truth.csv", tmp_path / "out", options=QUICK)
    assert not (tmp_path / "out").exists()


def test_what_is_read(tmp_path):
    (tmp_path / "labels.csv").write_text("object,label,p a,p b\n3,Unknown,,\n1,,0.5,0.5\n2,b,0.25,0.75\n")
    judged = read_judged(tmp_path / "labels.csv")
    assert judged.keys == [("", 3), ("", 2)]
    assert np.isnan(judged.probabilities[0]).all()
    assert judged.probabilities[1].tolist() == [0.25, 0.75]
    assert judged.classes == ("a", "b")
    (tmp_path / "truth.csv").write_text("label,object\nb,2\na,3\n")
    pairs = join(judged, read_true(tmp_path / "truth.csv"))
    assert (pairs.rows.tolist(), pairs.truth.tolist()) == ([1, 0], ["b", "a"])
    with pytest.raises(StudyError, match="cannot be read"):
        read_judged(tmp_path / "none.csv")


def test_an_input_is_never_replaced(data):
    folder = data[0]
    with pytest.raises(UsageError, match="apart from the inputs"):
        evaluate(folder / "labels.csv", folder / "truth.csv", folder / "truth.csv", overwrite=True)
