"""The command as users start it: its own process, exactly the files that appear."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ifcyto.samples.demo import write_demo_cif

COMMAND = [sys.executable, "-c", "import sys; from ifcyto.cli.main import main; sys.exit(main())"]
HEAVY = (
    "numpy",
    "h5py",
    "numba",
    "pandas",
    "matplotlib",
    "scipy",
    "skimage",
    "sklearn",
    "tifffile",
)


def run(*arguments, cwd):
    return subprocess.run(
        [*COMMAND, *map(os.fspath, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def demo_cif(tmp_path_factory):
    return write_demo_cif(tmp_path_factory.mktemp("demo") / "demo.cif", n_cells=12, seed=3)


def test_convert_leaves_just_the_stack(tmp_path, demo_cif):
    done = run("convert", demo_cif, "-o", "a.h5", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "a.h5: 12 objects\n", "")
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]


def test_failure_leaves_nothing_and_no_traceback(tmp_path):
    (tmp_path / "a.cif").write_bytes(b"II*\0 no TIFF")
    done = run("convert", "a.cif", "-o", "a.h5", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: a.cif: ")
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.cif"]


@pytest.mark.parametrize("arguments", [["--help"], ["convert", "--help"], ["--version"]])
def test_help_loads_no_heavy_library(tmp_path, arguments):
    script = (
        "import sys\n"
        "from ifcyto.cli.main import main\n"
        f"code = main({arguments!r})\n"
        f"print('LOADED', *sorted(set({HEAVY!r}) & set(sys.modules)))\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "LOADED"


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX pipe")
def test_a_reader_that_goes_away_is_no_error(tmp_path, demo_cif):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as nobody:
        done = subprocess.run(
            [*COMMAND, "info", os.fspath(demo_cif), "--json"],
            stdout=nobody,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.stderr == ""
    assert done.returncode == 1


def test_run_leaves_the_results_beside_the_report(tmp_path):
    from ifcyto.samples.demo import write_demo_study

    write_demo_study(tmp_path / "study", samples_per_group=1, cells_per_sample=20)
    done = run("run", "study/study.toml", "--out", "found", "--workers", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / done.stdout.splitlines()[-1]).samefile(tmp_path / "found" / "report.html")
    names = {path.name for path in (tmp_path / "found").iterdir()}
    assert {
        "report.html",
        "results.json",
        "provenance.json",
        "frequencies.csv",
        "classifications.csv",
    } <= names
