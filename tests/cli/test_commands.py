"""Each command in this process: what it prints, what it leaves, how it ends."""

from __future__ import annotations

import json
from functools import partial

import pytest

from ifcyto import __version__
from ifcyto.cli.main import main
from ifcyto.errors import FormatError
from ifcyto.readers.cif import CifReader
from ifcyto.readers.kernels import REC_BYTES, REC_STRIP
from ifcyto.samples.demo import write_demo_cif


@pytest.fixture(scope="session")
def demo_cif(tmp_path_factory):
    return write_demo_cif(tmp_path_factory.mktemp("demo") / "demo.cif", n_cells=20, seed=3)


@pytest.fixture
def damaged_cif(tmp_path, demo_cif):
    with CifReader(demo_cif) as reader:
        start, size = (int(reader._index.column("image", column)[7]) for column in (REC_STRIP, REC_BYTES))
    data = bytearray(demo_cif.read_bytes())
    data[start : start + size] = b"\xff" * size
    path = tmp_path / "damaged.cif"
    path.write_bytes(data)
    return path


def run(capsys, *arguments):
    """Exit code, stdout and stderr of one call."""
    code = main([str(argument) for argument in arguments])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_version(capsys):
    assert run(capsys, "--version") == (0, f"ifcyto {__version__}\n", "")


@pytest.mark.parametrize("command", ["info", "check", "convert", "export", "run", "demo"])
def test_help_of_every_command_has_an_example(capsys, command):
    code, out, _ = run(capsys, command, "--help")
    assert code == 0
    assert f"Example:  ifcyto {command}" in out
    assert command in run(capsys, "--help")[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["info"],
        ["info", "a", "b"],
        ["convert", "a.cif"],
        ["convert", "-o", "x.h5"],
        ["info", "a.cif", "--wrong"],
        ["convert", "a.cif", "-o", "x.h5", "--workers", "many"],
    ],
)
def test_wrong_usage_is_exit_two(capsys, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err
    assert list(tmp_path.iterdir()) == []


def test_info_for_people(capsys, demo_cif):
    code, out, err = run(capsys, "info", demo_cif)
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert ["objects", "20"] in lines
    assert ["Ch02", "CD235a", "-", "0.5", "-"] in lines


def test_info_for_programs(capsys, demo_cif):
    code, out, err = run(capsys, "info", demo_cif, "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert document["n_objects"] == 20
    assert [channel["name"] for channel in document["channels"]] == ["BF", "CD235a", "DRAQ5"]


def test_info_hides_persons_unless_asked(capsys, shared_data):
    path = shared_data / "amnis" / "example.cif"
    with CifReader(path) as reader:
        operator = reader.metadata["operator"]
    for arguments in (["info", path], ["info", path, "--json"]):
        assert operator not in run(capsys, *arguments)[1]
        assert operator in run(capsys, *arguments, "--personal")[1]


def test_check_of_a_sound_file(capsys, demo_cif):
    assert run(capsys, "check", demo_cif) == (0, f"{demo_cif}: sound\n", "")


def test_check_prints_every_fault_with_its_place(capsys, damaged_cif):
    code, out, err = run(capsys, "check", damaged_cif)
    assert (code, err) == (1, "")
    fault, summary = out.splitlines()
    assert fault.startswith("object 7, offset ")
    assert summary == f"{damaged_cif}: 1 fault"


def test_convert_prints_what_it_wrote(capsys, tmp_path, demo_cif):
    out = tmp_path / "a.h5"
    assert run(capsys, "convert", demo_cif, "-o", out) == (0, f"{out}: 20 objects\n", "")
    code, told, err = run(capsys, "convert", demo_cif, "-o", out)
    assert (code, told) == (2, "")
    assert err.startswith(f"error: {out}: exists already")
    assert err.count("\n") == 1
    assert run(capsys, "convert", demo_cif, "-o", out, "--overwrite")[0] == 0


def test_convert_with_a_pop_file_and_channels(capsys, tmp_path, demo_cif):
    (tmp_path / "a.pop").write_text("\n4\n9\n")
    out = tmp_path / "a.h5"
    options = ["--objects", tmp_path / "a.pop", "--channels", "BF, DRAQ5", "--workers", "1"]
    assert run(capsys, "convert", demo_cif, "-o", out, *options)[0] == 0
    document = json.loads(run(capsys, "info", out, "--json")[1])
    assert (document["n_objects"], document["object_numbers"]) == (2, [4, 9])
    assert [channel["name"] for channel in document["channels"]] == ["BF", "DRAQ5"]


def test_convert_of_damage_ends_with_two_and_salvage_with_one(capsys, tmp_path, damaged_cif):
    out = tmp_path / "a.h5"
    code, told, err = run(capsys, "convert", damaged_cif, "-o", out)
    assert (code, told) == (2, "")
    assert err.startswith(f"error: {damaged_cif}: object 7, offset ")
    assert not out.exists()
    code, told, err = run(capsys, "convert", damaged_cif, "-o", out, "--salvage")
    assert (code, told) == (1, f"{out}: 19 objects\n")
    assert f"fault: {damaged_cif}: object 7, offset " in err
    assert "1 fault; the intact objects were kept" in err


def test_merge_says_that_objects_are_numbered_anew(capsys, tmp_path, demo_cif):
    code, out, err = run(capsys, "convert", demo_cif, demo_cif, "-o", tmp_path / "all.h5")
    assert (code, out) == (0, f"{tmp_path / 'all.h5'}: 40 objects\n")
    assert err.startswith("note: object numbers of the 2 inputs collide")


@pytest.mark.parametrize(
    ("flag", "name", "files"),
    [
        ("--cif", "a.cif", ["a.cif"]),
        ("--ome-tiff", "a", ["a", "a/demo_4.ome.tif"]),
        ("--tiff", "a", ["a", "a/demo_4_Ch1.ome.tif", "a/demo_4_Ch2.ome.tif", "a/demo_4_Ch5.ome.tif"]),
    ],
)
def test_export(capsys, tmp_path, demo_cif, flag, name, files):
    pop = tmp_path / "a.pop"
    pop.write_text("\n4\n")
    out = tmp_path / "out" / name
    out.parent.mkdir()
    told = run(capsys, "export", demo_cif, flag, "-o", out, "--objects", pop)
    assert told == (0, f"{out}: 1 object\n", "")
    assert sorted(path.relative_to(out.parent).as_posix() for path in out.parent.rglob("*")) == files


@pytest.mark.parametrize(("flags", "found"), [([], "none"), (["--cif", "--tiff"], "--cif and --tiff")])
def test_export_needs_one_kind(capsys, tmp_path, demo_cif, flags, found):
    code, _, err = run(capsys, "export", demo_cif, "-o", tmp_path / "a", *flags)
    kinds = "--cif, --ome-tiff, --tiff, --pop, --fcs, --text, --h5ad, --daf"
    assert (code, err) == (2, f"error: expected one of {kinds}, found {found}\n")


def test_debug_shows_the_traceback(tmp_path):
    with pytest.raises(FormatError, match="cannot be opened"):
        main(["--debug", "info", str(tmp_path / "none.cif")])


def test_errors_stay_on_one_line(capsys, tmp_path):
    path = tmp_path / "two\nlines.cif"
    code, _, err = run(capsys, "info", path)
    assert code == 2
    assert err.count("\n") == 1


def test_system_errors_are_one_line_too(capsys, tmp_path, demo_cif, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", "/somewhere/a.cif")

    monkeypatch.setattr("ifcyto.pipeline.inspect.describe", refuse)
    assert run(capsys, "info", demo_cif) == (2, "", "error: /somewhere/a.cif: Permission denied\n")


def test_ctrl_c_is_exit_130_in_one_line(capsys, tmp_path, demo_cif, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("ifcyto.stack.objects.ObjectTable.append", stop)
    code, out, err = run(capsys, "convert", demo_cif, "-o", tmp_path / "a.h5")
    assert (code, out, err) == (130, "", "stopped: nothing unfinished was kept\n")
    assert list(tmp_path.iterdir()) == []


def test_demo_ends_with_the_path_of_its_report(capsys, tmp_path, monkeypatch):
    from ifcyto.samples import demo

    small = partial(demo.write_demo_study, samples_per_group=1, cells_per_sample=20)
    monkeypatch.setattr(demo, "write_demo_study", small)
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(capsys, "demo", "--out", "study", "--seed", "3")
    assert code == 0
    report = tmp_path / out.splitlines()[-1]
    assert report.name == "report.html"
    assert "<html" in report.read_text(encoding="utf-8")
    assert "seed = 3" in (tmp_path / "study" / "study.toml").read_text()
    code, out, err = run(capsys, "demo", "--out", "study")
    assert (code, out) == (2, "")
    assert "a study is there already" in err
