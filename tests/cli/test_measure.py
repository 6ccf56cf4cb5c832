"""``ifcyto measure``, ``features`` and ``parity``: what they print, what they leave, how they end."""

from __future__ import annotations

import csv

import pytest

from ifcyto.cli.main import main
from ifcyto.features.table import read_table
from ifcyto.samples.demo import write_demo_cif


@pytest.fixture(scope="module")
def cif(tmp_path_factory):
    return write_demo_cif(tmp_path_factory.mktemp("cli") / "demo.cif", n_cells=9, seed=3)


def run(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    told = capsys.readouterr()
    return code, told.out, told.err


@pytest.mark.parametrize("command", ["measure", "features", "parity"])
def test_help_has_an_example(capsys, command):
    code, out, _ = run(capsys, command, "--help")
    assert code == 0
    assert f"Example:  ifcyto {command}" in out


def test_measure_writes_a_table_and_a_csv_and_says_so(capsys, tmp_path, cif):
    table, text = tmp_path / "t.h5ad", tmp_path / "t.csv"
    code, out, err = run(capsys, "measure", cif, "-o", table, "--features", "basic", "--csv", text)
    stored = read_table(table)
    approximations = int(stored.var["approximation"].sum())
    assert (code, err) == (0, "")
    assert out == f"{table}: 9 objects, {stored.n_vars} features ({approximations} of them approximations)\n"
    with text.open(newline="") as file:
        assert len(list(csv.reader(file))) == 10
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.csv", "t.h5ad"]


def test_masks_images_and_names_come_from_the_command_line(capsys, tmp_path, cif):
    names = tmp_path / "names.txt"
    names.write_text("Area_Nucleus\nIntensity_Nucleus_DNA\n")
    masks, images = ("--mask", "Nucleus=Threshold(M05, DNA, 50)"), ("--image", "DNA=5")
    code, _, _ = run(capsys, "measure", cif, "-o", tmp_path / "t.h5ad", "--features", names, *masks, *images)
    assert code == 0
    assert read_table(tmp_path / "t.h5ad").var_names.tolist() == ["Area_Nucleus", "Intensity_Nucleus_DNA"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--features", "idaes"], "did you mean 'ideas'"),
        (["--mask", "Nucleus"], "expected NAME=VALUE, found 'Nucleus'"),
        (["--mask", "A=M01", "--mask", "A=M05"], "--mask: expected each name once, found 'A' twice"),
        (["--mask", "A=Dilate(M05", "--features", "basic"], "expected ','"),
        (["--image", "DNA=GFP"], "GFP"),
        (["--image", "DNA=" + "9" * 5000], "999"),
        (["--dna", "GFP", "--features", "fbml"], "expected one image 'GFP'"),
        (["--workers", "0"], "expected at least 1 worker"),
        (["--pixel-size", "-1"], "positive number of micrometres"),
    ],
)
def test_wrong_options_are_exit_two_and_leave_nothing(capsys, tmp_path, cif, options, message):
    code, out, err = run(capsys, "measure", cif, "-o", tmp_path / "t.h5ad", *options)
    assert (code, out) == (2, "")
    assert message in err
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_features_names_and_combines_columns(capsys, tmp_path, cif):
    names = tmp_path / "names.txt"
    names.write_text(
        "# nucleus\nNucleus area = Area|Threshold(M05, DRAQ5, 50)\n"
        "Density = Intensity_M05_DRAQ5 | / | Nucleus area\n"
    )
    code, out, err = run(capsys, "measure", cif, "-o", tmp_path / "t.h5ad", "--features", names)
    assert (code, err) == (0, "")
    assert "2 features (2 of them approximations)" in out
    assert read_table(tmp_path / "t.h5ad").var_names.tolist() == ["Nucleus area", "Density"]
    assert "NAME = DEFINITION" in run(capsys, "measure", "--help")[1]


def test_a_fault_in_a_mask_is_pointed_at(capsys, tmp_path, cif):
    names = tmp_path / "names.txt"
    names.write_text("Area|Dilate(Threshold(M05, DRAQ5, 101), 3)\n")
    code, _, err = run(capsys, "measure", cif, "-o", tmp_path / "t.h5ad", "--features", names)
    assert code == 2
    said, text, caret = err.splitlines()
    assert said.startswith("error: ")
    assert text[caret.index("^") :].startswith("101")


def test_features_are_listed_and_explained(capsys):
    code, out, _ = run(capsys, "features")
    assert code == 0
    assert "Aspect Ratio Intensity" in out
    assert "VERIFIED" in out
    assert run(capsys, "features", "Diameter")[1].startswith("Diameter (Size)")
    assert "Watershed(" in run(capsys, "features", "--masks")[1]
    assert run(capsys, "features", "--page")[1].startswith("# Features\n")
    code, _, err = run(capsys, "features", "Diametre")
    assert code == 2
    assert "did you mean 'Diameter'" in err


def test_parity_refuses_what_is_no_daf(capsys, cif):
    code, _, err = run(capsys, "parity", cif)
    assert code == 2
    assert "expected an IDEAS analysis file (.daf)" in err


def test_parity_prints_and_writes_its_table(capsys, tmp_path, cif):
    from ifcyto.pipeline.measure import measure
    from ifcyto.readers.cif import CifReader

    values = measure(cif, ["Area_M05"]).X[:, 0].tolist()
    with CifReader(cif) as reader:
        objects = list(zip(reader.object_numbers.tolist(), reader.image_offsets.tolist(), strict=True))
    so = "".join(f'<SO id="{number}" imgIFD="{offset}"/>' for number, offset in objects)
    fv = "|".join(map(repr, values))
    (tmp_path / "demo.cif").write_bytes(cif.read_bytes())
    daf = tmp_path / "demo.daf"
    daf.write_text(
        f'<Assay IDEAS_version="6.0"><SOD file="demo.cif" objcount="9"><Images/><DefinedFeatures>'
        '<UDF name="Area_M05" type="single" userfeaturetype="Mask Only" def="Area|M05"/></DefinedFeatures>'
        f'<FeatureValues><UDFValues fid="0" fv="{fv}"/></FeatureValues>{so}</SOD></Assay>'
    )
    code, out, _ = run(capsys, "parity", daf, "-o", tmp_path / "p.csv")
    assert code == 0
    assert out.splitlines()[1].split()[:4] == ["Area_M05", "VERIFIED", "9", "9"]
    assert "9 objects, 1 feature" in out
    assert (tmp_path / "p.csv").is_file()
    code, _, err = run(capsys, "parity", daf, "-o", tmp_path / "p.csv")
    assert code == 2
    assert "exists already" in err
