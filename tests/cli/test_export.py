"""``ifcyto export`` of features and populations: what it prints, what it leaves, how it ends."""

from __future__ import annotations

import pytest

from ifcyto.cli.main import main
from ifcyto.pipeline.export_daf import CAUTION
from ifcyto.pipeline.feature_files import read_features
from ifcyto.pipeline.objects import read_objects
from ifcyto.pipeline.populations import read_populations


def run(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    told = capsys.readouterr()
    return code, told.out, told.err


@pytest.fixture
def labels(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("object,label\n3,BNE\n9,BNE\n4,Doublet\n")
    return path


@pytest.fixture
def features(tmp_path):
    path = tmp_path / "features.txt"
    path.write_text("Object Number\tArea_M01\n" + "".join(f"{n}\t{n / 2}\n" for n in range(420)))
    return path


def test_one_pop_a_class_and_one_table_of_all(capsys, tmp_path, labels):
    code, out, err = run(capsys, "export", "--pop", labels, "-o", tmp_path / "pops")
    assert (code, out, err) == (0, f"{tmp_path / 'pops'}: 3 objects\n", "")
    assert read_objects(tmp_path / "pops" / "BNE.pop").tolist() == [3, 9]
    pops = sorted((tmp_path / "pops").iterdir())
    code, out, _ = run(capsys, "export", *pops, "--pop", "-o", tmp_path / "all.csv")
    assert (code, out) == (0, f"{tmp_path / 'all.csv'}: 3 objects\n")
    assert read_populations(tmp_path / "all.csv") == {"BNE": [3, 9], "Doublet": [4]}


def test_features_go_round(capsys, tmp_path, labels, features):
    for kind, name in (("--fcs", "a.fcs"), ("--h5ad", "a.h5ad"), ("--text", "a.txt")):
        source = {"--fcs": features, "--h5ad": tmp_path / "a.fcs", "--text": tmp_path / "a.h5ad"}[kind]
        extra = ["--labels", labels] if kind == "--fcs" else []
        code, out, _ = run(capsys, "export", source, *extra, kind, tmp_path / name)
        assert (code, out) == (0, f"{tmp_path / name}: 420 objects\n")
    assert read_features(tmp_path / "a.h5ad").labels[3] == "BNE"
    assert (tmp_path / "a.txt").read_text() == features.read_text()
    code, _, err = run(capsys, "export", features, "--fcs", tmp_path / "a.fcs")
    assert (code, "exists already" in err) == (2, True)


def test_a_copy_of_an_analysis_says_what_is_not_known(capsys, tmp_path, shared_data, labels, features):
    daf = shared_data / "amnis" / "ut7_ideas62.daf"
    copy = tmp_path / "b.daf"
    code, out, err = run(capsys, "export", features, labels, "--daf", daf, "-o", copy, "--prefix", "our ")
    assert (code, out) == (0, f"{copy}: 420 objects\n")
    assert f"note: {CAUTION}\n" in err
    assert "note: 1 features are in the DAF already: its own values stay\n" in err
    assert len(read_populations(copy)["our BNE"]) == 2
    assert len(read_populations(copy)["Mphase"]) == 210


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fcs", "a.fcs", "-o", "b.fcs"], "--fcs FILE alone, found two"),
        (["--pop"], "-o OUT with --pop, found none"),
        (
            ["b.txt", "--fcs", "a.fcs"],
            "expected one table of features (object numbers belong to a sample), found 2",
        ),
        (["b.txt", "--daf", "a.daf", "-o", "c.daf"], "found 2 tables"),
        (["--fcs", "a.fcs", "--labels", "none.csv"], "none.csv: cannot be read"),
        (["--fcs", "a.fcs", "--spillover", "none.csv"], "none.csv: cannot be read"),
    ],
)
def test_wrong_usage_is_one_line_and_leaves_nothing(
    capsys, tmp_path, monkeypatch, features, arguments, message
):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, "export", features, *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["features.txt"]
