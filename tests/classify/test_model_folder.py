"""Model folders come back bit by bit; damaged and hostile ones are refused with file and key."""

from __future__ import annotations

import csv
import json
import sys
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest

from ifcyto.classify import model_folder
from ifcyto.classify.fit import METHODS, fit
from ifcyto.classify.formula import formula
from ifcyto.classify.model_folder import Column, Model, read_model, write_model
from ifcyto.classify.scorer import LinearScorer
from ifcyto.errors import FormatError, OutputError
from ifcyto.schemas import schema_faults

NAMES = ("Area_M05", "Aspect Ratio_M05", "Größe_M05")
CLASSES = ("BNE", "Doublet", "Irregular")
VALUES = np.random.default_rng(8).normal(size=(90, 3)) * [1e3, 0.1, 1e-9] + np.arange(90)[:, None] % 3
LABELS = np.array(CLASSES)[np.arange(90) % 3]


def model(method: str = "lda", **change) -> Model:
    parts = {
        "scorer": fit(VALUES, LABELS, NAMES, CLASSES, method=method),
        "columns": tuple(Column(name, f"{name}|M05", "um2") for name in NAMES),
        "masks": {"Nuclei": "Nuclei(MC, DNA)"},
        "images": ("DNA", "BF"),
        "pixel_size_um": 1 / 3,
        "training": {
            "ranking": [
                {"feature": n, "fisher": f} for n, f in zip(NAMES, (0.1 + 0.2, 1e-300, None), strict=True)
            ],
            "cv": {"matrix": np.eye(3, dtype=int), "score": np.float64(2 / 3)},
            "nothing": float("nan"),
        },
        "provenance": {"seed": 7, "sources": [{"name": "a.cif"}]},
    }
    return Model(**{**parts, **change})


@pytest.fixture(params=["linear", "trees"])
def written(request, tmp_path):
    """A folder, and its document."""
    write_model(tmp_path / "m", model("lda" if request.param == "linear" else "boosting"))
    return tmp_path / "m", json.loads((tmp_path / "m" / "model.json").read_text())


@pytest.mark.parametrize("method", METHODS)
def test_everything_comes_back_bit_by_bit(tmp_path, method):
    given = model(method)
    write_model(tmp_path / "new" / "m", given)
    again = read_model(str(tmp_path / "new" / "m"))
    assert type(again.scorer) is type(given.scorer)
    assert (again.scorer.features, again.scorer.classes) == (NAMES, CLASSES)
    assert again.scorer.to_dict() == given.scorer.to_dict()
    assert np.array_equal(again.scorer.scores(VALUES), given.scorer.scores(VALUES))
    assert again.columns == given.columns
    assert (again.masks, again.images, again.pixel_size_um) == (given.masks, given.images, 1 / 3)
    assert again.provenance == given.provenance
    assert again.training["cv"] == {"matrix": np.eye(3).tolist(), "score": 2 / 3}
    assert again.training["nothing"] is None
    assert again.training["ranking"] == given.training["ranking"]


def test_odd_floats_come_back_bit_by_bit(tmp_path):
    weights = np.array([[5e-324, -0.0, 1.7976931348623157e308], [0.1 + 0.2, 1e16 + 2, -np.pi]])
    scorer = LinearScorer(NAMES, ("X", "Y"), weights, np.array([-0.0, 1 / 3]), "logistic")
    write_model(tmp_path / "m", model(scorer=scorer, pixel_size_um=float("nan"), training={}))
    again = read_model(tmp_path / "m")
    assert again.scorer.weights.tobytes() == weights.tobytes()
    assert again.scorer.offsets.tobytes() == scorer.offsets.tobytes()
    assert again.scorer.kind == "logistic"
    assert again.pixel_size_um is None
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == [
        "formula.txt", "model.json", "training.json",
    ]  # fmt: skip


def test_the_files_for_people(written):
    folder, document = written
    linear = document["method"] == "linear"
    text = (folder / "ranking.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["feature"] for row in rows] == list(NAMES)
    assert [row["fisher"] for row in rows] == ["0.30000000000000004", "1e-300", ""]
    assert (folder / "formula.txt").exists() == linear
    if linear:
        remark, text = (folder / "formula.txt").read_text(encoding="utf-8").split("\n\n")
        assert all(line.startswith("# ") for line in remark.splitlines())
        assert text == formula(model().scorer)
    assert schema_faults(document, "model") == []
    assert len((folder / "model.json").read_text().splitlines()) == len(document) + 2


def test_only_model_json_is_needed(written):
    folder, _ = written
    for name in ("training.json", "ranking.csv", "formula.txt"):
        (folder / name).unlink(missing_ok=True)
    assert read_model(folder).training == {}


def test_an_existing_folder_is_left_alone_unless_told(tmp_path):
    write_model(tmp_path / "m", model())
    before = (tmp_path / "m" / "model.json").read_bytes()
    with pytest.raises(OutputError, match="exists already"):
        write_model(tmp_path / "m", model("forest"))
    assert (tmp_path / "m" / "model.json").read_bytes() == before
    write_model(tmp_path / "m", model("forest"), overwrite=True)
    assert read_model(tmp_path / "m").scorer.method == "trees"
    assert not (tmp_path / "m" / "formula.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_overwriting_removes_nothing_but_models(tmp_path):
    write_model(tmp_path / "m", model())
    (tmp_path / "m" / "notes.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name in ("m", "file"):
        with pytest.raises(OutputError, match="holds other things"):
            write_model(tmp_path / name, model(), overwrite=True)
    assert (tmp_path / "m" / "notes.txt").exists()
    assert (tmp_path / "file").read_text() == "mine"
    with pytest.raises(OutputError, match="cannot be written"):
        write_model(tmp_path / "file" / "m", model())


def test_a_failure_half_way_leaves_what_was_there(tmp_path, monkeypatch):
    write_model(tmp_path / "m", model())
    texts = model_folder._texts

    def too_much(given):
        return {**texts(given), "no/such/folder.txt": ""}

    monkeypatch.setattr(model_folder, "_texts", too_much)
    for name, overwrite in (("m", True), ("other", False)):
        with pytest.raises(OutputError, match="cannot be written"):
            write_model(tmp_path / name, model("forest"), overwrite=overwrite)
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
    assert read_model(tmp_path / "m").scorer.method == "linear"


def test_a_rename_that_fails_puts_the_old_model_back(tmp_path, monkeypatch):
    write_model(tmp_path / "m", model())
    rename = Path.replace

    def refusing(path, target):
        if path.name == "new":
            raise OSError(5, "the disk refuses")
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", refusing)
    with pytest.raises(OutputError, match="m: cannot be written: the disk refuses"):
        write_model(tmp_path / "m", model("forest"), overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
    assert read_model(tmp_path / "m").scorer.method == "linear"


def test_what_breaks_its_own_schema_is_not_written(tmp_path):
    bad = LinearScorer(NAMES, ("X", "Y"), np.full((2, 3), np.nan), np.zeros(2))
    for change in ({"scorer": bad}, {"masks": {"a": ""}}, {"pixel_size_um": -1.0}, {"images": ("a", "a")}):
        with pytest.raises(ValueError, match=r"model\.json: "):
            write_model(tmp_path / "m", model(**change))
    with pytest.raises(ValueError, match="expected the columns"):
        model(columns=())
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_is_too_large_is_neither_written_nor_read(tmp_path, monkeypatch):
    write_model(tmp_path / "m", model())
    monkeypatch.setattr(model_folder, "LARGEST", 100)
    with pytest.raises(OutputError, match="at most 100 bytes"):
        write_model(tmp_path / "n", model())
    with pytest.raises(FormatError, match=r"model\.json: expected at most 100 bytes"):
        read_model(tmp_path / "m")


def put(document: dict, path: str, value) -> dict:
    """Copy of a document in which one thing is set, or taken away where the value is ``...``."""
    changed = deepcopy(document)
    *parents, last = [int(key) if key.isdecimal() else key for key in path.split(".")]
    place = changed
    for key in parents:
        place = place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return changed


ANY = [
    ("format", "another", "format: expected an ifcyto model"),
    ("format", ..., "format: expected an ifcyto model"),
    ("version", 2, "version: expected version 1 or older, found 2: use a newer ifcyto"),
    ("version", 10**30, "version: expected version 1 or older"),
    ("version", "1", r"\$\.version: 1 was expected"),
    ("version", 0, r"\$\.version: 1 was expected"),
    ("version", True, r"\$\.version: 1 was expected"),
    ("method", "pickle", "method: expected a method among linear, trees, steps, found 'pickle'"),
    ("method", ["linear"] * 10**6, "method: expected a method among linear, trees"),
    ("method", ..., "method: expected a method among linear, trees"),
    ("classes", ["X"], r"\$\.classes"),
    ("classes", ["X", "X", "Y"], r"\$\.classes: .*non-unique"),
    ("classes", ["X", "Y"], r"classifier"),
    ("classes", ["X"] * 101, r"\$\.classes: expected at most 100 entries, found 101"),
    ("classes.0", 7, r"\$\.classes\[0\]: 7 is not of type 'string'"),
    ("classes.0", "a\n", r"\$\.classes\[0\]"),
    ("classes.0", "\ud800", r"\$\.classes\[0\]"),
    ("columns", [], r"\$\.columns"),
    ("columns", {"a": 1}, r"\$\.columns"),
    ("columns", [{}] * 200_000, r"\$\.columns: expected at most 5000 entries"),
    ("columns.2.name", "Area_M05", "columns: expected each column once, found 'Area_M05' again"),
    ("columns.0.name", ..., r"\$\.columns\[0\]: 'name' is a required"),
    ("columns.0.more", 1, r"\$\.columns\[0\]: Additional properties"),
    ("columns.0.name", "a" * 1001, r"\$\.columns\[0\]\.name"),
    ("masks.x", 1, r"\$\.masks\.x"),
    ("masks", {str(n): "a" for n in range(5001)}, r"\$\.masks: expected at most 5000"),
    ("images", "DNA", r"\$\.images"),
    ("pixel_size_um", 0, r"\$\.pixel_size_um"),
    ("pixel_size_um", float("nan"), "pixel_size_um: expected a number or null"),
    ("pixel_size_um", float("inf"), r"\$\.pixel_size_um"),
    ("provenance", [], r"\$\.provenance"),
    ("more", 1, "Additional properties"),
    ("classifier", [], r"\$\.classifier"),
    ("classifier", ..., "'classifier' is a required"),
    ("classifier.kind", "magic", r"\$\.classifier\.kind"),
    ("classifier.offsets", [0, 1], r"classifier\.offsets: .*shape \(3,\), found shape \(2,\)"),
    ("classifier.offsets", [0, 1, "2"], r"classifier\.offsets: expected lists of numbers"),
    ("classifier.offsets", [0, 1, float("nan")], r"classifier\.offsets: expected finite"),
    ("classifier.offsets", [0, 1, 10**400], r"classifier\.offsets"),
    ("classifier.more", 1, "Additional properties"),
]  # fmt: skip
LINEAR = [
    ("classifier.kind", "forest", r"\$\.classifier\.kind"),
    ("classifier.targets", [], r"\$\.classifier: Additional properties"),
    ("classifier.weights", ..., "'weights' is a required"),
    ("classifier.weights", [0, 1], r"\$\.classifier\.weights\[0\]"),
    ("classifier.weights", [[1, 2, 3]] * 2, r"classifier\.weights: .*\(3, 3\), found shape \(2, 3\)"),
    ("classifier.weights", [[1]] * 9, r"classifier\.weights: .*found shape \(9, 1\)"),
    ("classifier.weights", [[1]] * 200, r"\$\.classifier\.weights: expected at most 100"),
    ("classifier.weights.1", [1, 2], r"classifier\.weights: expected lists of numbers"),
    ("classifier.weights.1.1", float("nan"), r"classifier\.weights: expected finite numbers"),
    ("classifier.weights.1.1", float("-inf"), r"classifier\.weights: expected finite numbers"),
    ("classifier.weights.1.1", None, r"classifier\.weights: expected lists of numbers"),
    ("classifier.weights.1.1", "0.5", r"classifier\.weights: expected lists of numbers"),
    ("method", "trees", r"\$\.classifier"),
    ("classifier.weights.0.0", [[]] * 3, r"classifier\.weights: expected lists of numbers"),
]  # fmt: skip
TREES = [
    ("classifier.kind", "lda", r"\$\.classifier\.kind"),
    ("classifier.kind", "forest", "classifier: expected a class for each tree .* none for a forest"),
    ("classifier.weights", [[0]] * 3, r"\$\.classifier: Additional properties"),
    ("classifier.trees", ..., "'trees' is a required"),
    ("classifier.trees", [], r"\$\.classifier\.trees"),
    ("classifier.trees", [{}] * 20_001, r"\$\.classifier\.trees: expected at most 20000"),
    ("classifier.trees.1.left.0", 0, r"classifier: trees\[1\]: expected the nodes that follow"),
    ("classifier.trees.1.left.0", -1, r"classifier: trees\[1\]: expected the nodes that follow"),
    ("classifier.trees.1.right.0", 10**9, r"classifier: trees\[1\]: expected the nodes that follow"),
    ("classifier.trees.1.feature.0", 3, "classifier: expected trees that ask for 3 columns"),
    ("classifier.trees.1.feature.0", 10**18, "classifier: expected trees that ask for 3 columns"),
    ("classifier.trees.1.feature.0", 10**30, r"trees\[1\]: expected lists of whole numbers in feature"),
    ("classifier.trees.1.feature.0", 0.5, r"trees\[1\]: expected lists of whole numbers in feature"),
    ("classifier.trees.1.feature", "abc", r"\$\.classifier\.trees\[1\]\.feature"),
    ("classifier.trees.1.feature", [], r"trees\[1\]: expected lists of whole"),
    ("classifier.trees.1.feature", [[0]], r"trees\[1\]: expected arrays of one length"),
    ("classifier.trees.1.threshold", [0.0], r"trees\[1\]: expected arrays of one length"),
    ("classifier.trees.1.threshold.0", float("nan"), r"trees\[1\]: expected finite"),
    ("classifier.trees.1.values.0", [float("inf")], r"trees\[1\]: expected finite"),
    ("classifier.trees.1.values", [[1.0]], r"trees\[1\]: expected a column or -1"),
    ("classifier.trees.1.values", 5, r"\$\.classifier\.trees\[1\]\.values"),
    ("classifier.trees.1", 5, r"\$\.classifier\.trees\[1\]"),
    ("classifier.targets", [], "classifier: expected a class for each tree"),
    ("classifier.targets.0", 3, "classifier: expected trees for classes 0 to 2"),
    ("classifier.targets.0", "0", "classifier: expected lists of whole numbers in targets"),
    ("method", "linear", r"\$\.classifier"),
]  # fmt: skip


def refuse(folder, text: str, message: str, name: str = "model.json") -> None:
    (folder / name).write_text(text)
    with pytest.raises(FormatError, match=message) as caught:
        read_model(folder)
    assert str(caught.value).startswith(f"{folder / name}: ")
    assert len(str(caught.value)) < 2000


def test_each_damage_is_named(written):
    folder, document = written
    for path, value, message in ANY + (LINEAR if document["method"] == "linear" else TREES):
        refuse(folder, json.dumps(put(document, path, value)), message)


@pytest.mark.parametrize("name", ["model.json", "training.json"])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected JSON"),
        ("{", "expected JSON"),
        ("[1]", "expected a JSON object, found list"),
        ("null", "expected a JSON object, found NoneType"),
        ('{"a":' * 100_000, "expected JSON"),
        ('{"a": ' + "9" * 5000 + "}", "expected JSON"),
    ],
)
def test_what_is_no_json_is_refused(tmp_path, name, text, message):
    write_model(tmp_path / "m", model())
    refuse(tmp_path / "m", text, message, name)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    write_model(tmp_path / "m", model())
    (tmp_path / "m" / "model.json").write_bytes(b"\x80\x04\x95pickle")
    with pytest.raises(FormatError, match=r"model\.json: expected JSON"):
        read_model(tmp_path / "m")


def test_lists_as_deep_as_json_allows_are_refused(tmp_path):
    write_model(tmp_path / "m", model())
    document = json.loads((tmp_path / "m" / "model.json").read_text())
    for depth in (50, 70, sys.getrecursionlimit() // 2, sys.getrecursionlimit() - 60):
        for path in ("classifier.weights", "classifier.offsets", "classes", "columns"):
            text = json.dumps(put(document, path, "DEEP")).replace('"DEEP"', "[" * depth + "]" * depth)
            refuse(tmp_path / "m", text, "expected|is no sound model")


def test_missing_files_and_what_is_no_file(tmp_path):
    with pytest.raises(FormatError, match=r"nowhere/model\.json: expected a file of a model: No such file"):
        read_model(tmp_path / "nowhere")
    (tmp_path / "m" / "model.json").mkdir(parents=True)
    with pytest.raises(FormatError, match=r"model\.json: expected a file$"):
        read_model(tmp_path / "m")


def test_a_file_cut_anywhere_is_refused(tmp_path):
    write_model(tmp_path / "m", model())
    whole = (tmp_path / "m" / "model.json").read_text()
    for length in range(0, len(whole) - 3, 37):
        refuse(tmp_path / "m", whole[:length], "expected JSON")
