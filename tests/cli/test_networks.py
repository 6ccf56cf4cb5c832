"""``ifcyto train --method cnn``: its options, and what it says where TensorFlow is not installed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import typer

from ifcyto.cli.main import main
from ifcyto.cli.networks import channels_of, options_of
from ifcyto.errors import UsageError
from ifcyto.samples.demo import write_demo_cif


def run(capsys, *words) -> tuple[int, str, str]:
    code = main([str(word) for word in words])
    return code, *capsys.readouterr()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("networks")
    cif = write_demo_cif(folder / "cells.cif", n_cells=24, seed=3)
    lines = [f"{i},{('BNE', 'Doublet')[i % 2]}" for i in range(24)]
    (folder / "labels.csv").write_text("\n".join(["object,label", *lines]) + "\n")
    return cif


def test_options_come_from_names_and_values():
    texts = ["balance=weights", "focal=2", "rotate=right", "flip=false", "shift=0.2", "rate=0.01"]
    options = options_of({"epochs": 3, "size": None, "folds": None, "seed": 4}, texts)
    assert (options.epochs, options.size, options.folds, options.seed) == (3, 64, 0, 4)
    assert (options.balance, options.focal, options.rate) == ("weights", 2.0, 0.01)
    augmentation = options.augmentation
    assert (augmentation.rotate, augmentation.flip, augmentation.shift, augmentation.scale) == (
        "right",
        False,
        0.2,
        0.1,
    )


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("blance=x", typer.BadParameter, "expected an option among architecture, average"),
        ("batch=many", typer.BadParameter, "batch: expected int, found 'many'"),
        ("flip=maybe", typer.BadParameter, "flip: expected bool"),
        ("balance=luck", UsageError, "expected balance among none, weights, resample"),
        ("augmentation=none", typer.BadParameter, "expected an option among"),
    ],
)
def test_options_that_cannot_be_are_refused(text, error, message):
    with pytest.raises(error, match=message):
        options_of({}, [text])


def test_channels_of_a_study_go_by_its_roles():
    roles = {"BF": 1, "DRAQ5": "Ch05"}
    assert channels_of(None, roles) == roles
    assert channels_of(["DRAQ5"], roles) == {"DRAQ5": "Ch05"}
    assert channels_of(None, {}) is None
    assert channels_of(["BF", "5"], {}) == ["BF", 5]
    with pytest.raises(
        typer.BadParameter, match=r"expected channels of the study \(BF, DRAQ5\), found 'SSC'"
    ):
        channels_of(["SSC"], roles)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--method", "svm"], "expected fbml or cnn, found 'svm'"),
        (["--method", "cnn", "--steps", "2"], "is not an option of --method cnn"),
        (["--epochs", "3"], "is not an option of --method fbml"),
        (["--threshold", "BNE=0.8"], "is not an option of --method fbml"),
        (
            ["--method", "cnn", "--threshold", "BNE=80"],
            "expected a probability from 0 to 1 for BNE, found 80",
        ),
        (["--method", "cnn", "--set", "views=3"], "expected 1 or 8 views, found 3"),
    ],
)
def test_options_of_the_other_method_are_refused(capsys, place, tmp_path, words, message):
    labels = place.with_name("labels.csv")
    code, _, err = run(capsys, "train", place, "-o", tmp_path / "m", "--labels", labels, *words)
    assert code == 2
    assert message in " ".join(err.replace("│", " ").split())


def test_without_tensorflow_the_message_gives_the_install_line(place, tmp_path):
    """In a process where importing it fails, as where it is not installed."""
    words = [
        "train",
        place,
        "-o",
        tmp_path / "m",
        "--labels",
        place.with_name("labels.csv"),
        "--method",
        "cnn",
    ]
    code = (
        "import sys; sys.modules['tensorflow'] = None\n"
        f"from ifcyto.cli.main import main; sys.exit(main({list(map(str, words))!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == 'error: tensorflow is not installed: run  pip install "ifcyto[cnn]"\n'.replace(
        "  ", " "
    )
    assert list(tmp_path.iterdir()) == []


def test_a_network_is_trained_and_classifies(capsys, place, tmp_path):
    pytest.importorskip("tensorflow")
    labels = place.with_name("labels.csv")
    code, out, err = run(
        capsys, "train", place, "-o", tmp_path / "m", "--labels", labels, "--method", "cnn",
        "--epochs", 1, "--size", 8, "--channel", "DRAQ5", "--set", "rotate=right", "--set", "focus=0",
        "--set", "views=8", "--threshold", "BNE=0.999",
    )  # fmt: skip
    assert code == 0
    assert "note: probabilities are as the network gave them (temperature 1): 2 validation objects" in err
    document = json.loads((tmp_path / "m" / "model.json").read_text())
    assert (document["views"], document["temperature"]) == (8, 1.0)
    assert document["thresholds"] == {"BNE": 0.999}
    lines = out.splitlines()
    assert lines[-2].startswith("least probability: BNE 0.999; ")
    assert lines[0].split() == [
        "class",
        "truth",
        "training",
        "validation",
        "test",
        "precision",
        "recall",
        "F1",
    ]
    assert lines[1].split()[:5] == ["BNE", "12", "10", "1", "1"]
    assert lines[-1].endswith("vgg_small, 1,175,074 weights, all 1 epochs are done")
    words = (
        "train",
        place,
        "-o",
        tmp_path / "n",
        "--labels",
        labels,
        "--method",
        "cnn",
        "--threshold",
        "B=0.8",
    )
    code, _, err = run(capsys, *words)
    assert code == 2
    assert "expected classes among BNE, Doublet, found 'B'" in err
    code, out, _ = run(capsys, "classify", place, tmp_path / "m", "-o", tmp_path / "l.csv", "--threshold", 1)
    assert code == 0
    assert "24 objects (24 Unknown)" in out
    header = (tmp_path / "l.csv").read_text().splitlines()[0]
    assert header == "object,label,probability,by,when,p BNE,p Doublet"
    words = ("explain", place, tmp_path / "m", "--object", 3, "--object", 5, "-o", tmp_path / "why.npz")
    code, out, _ = run(capsys, *words, "--png", tmp_path / "why.png")
    assert code == 0
    assert out.splitlines()[-1].endswith("why.npz: 2 objects, channels DRAQ5")
    assert {path.name for path in tmp_path.glob("why.*")} == {"why.npz", "why.png", "why.pdf"}
    code, _, err = run(capsys, *words, "--png", tmp_path / "why.png")
    assert code == 2
    assert "exists" in err
