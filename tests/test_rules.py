"""The house rules: who may import whom, what an import costs, what the front door and the schemas promise."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import ifcyto

ROOT = Path(__file__).resolve().parents[1]
HEAVY = (
    "anndata",
    "dask",
    "h5py",
    "jinja2",
    "keras",
    "matplotlib",
    "napari",
    "numba",
    "numpy",
    "pandas",
    "scipy",
)


def without_its_extra(path: Path) -> bool:
    """Whether a file of the networks cannot be imported here; tests/classify/cnn then skip."""
    return path.parent.name == "cnn" and importlib.util.find_spec("tensorflow") is None


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", code, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )


def test_import_contracts_are_kept():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout
    assert " 0 broken" in done.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("ifcyto/cells.py", "from ifcyto.pipeline import convert", "rooms import downwards only"),
        ("ifcyto/readers/base.py", "from ifcyto.stack import layout", "rooms import downwards only"),
        ("ifcyto/brandnew.py", "import math", "rooms import downwards only"),
        ("ifcyto/readers/tiffdirs.py", "from ifcyto.readers import cif", "no cycles between siblings"),
        ("ifcyto/readers/cif.py", "import numba", "numba only in the kernel decorator"),
        ("ifcyto/readers/cif.py", "from ifcyto._kernel import kernel", "kernels only where they are wrapped"),
        ("ifcyto/readers/cif.py", "import h5py", "h5py only in the stack and the feature table"),
        ("ifcyto/compare/ranks.py", "import pandas", "anndata and pandas only in the feature table"),
        ("ifcyto/pipeline/convert.py", "import sklearn", "scikit-learn only where it trains"),
        ("ifcyto/compare/ranks.py", "import matplotlib", "matplotlib only in the figures"),
        ("ifcyto/report/model.py", "import jinja2", "jinja2 only in the renderer"),
        ("ifcyto/pipeline/convert.py", "import rich", "typer and rich only on the command line"),
        ("ifcyto/stack/write.py", "import tifffile", "tifffile only in readers and writers"),
        ("ifcyto/stack/write.py", "import PIL", "Pillow only in readers and writers"),
        ("ifcyto/cells.py", "import pydantic", "pydantic only in the study file"),
        ("ifcyto/readers/cif.py", "import flowio", "flowio only for FCS"),
        ("ifcyto/review/session.py", "import qtpy", "napari and Qt only in the plugin"),
        ("ifcyto/review/session.py", "import napari", "napari and Qt only in the plugin"),
        ("ifcyto/compare/ranks.py", "import keras", "keras only in the networks"),
    ],
)
def test_each_contract_turns_red(tmp_path, file, line, contract):
    """A deliberate fault in a copy of the package breaks the contract that forbids it."""
    shutil.copytree(ROOT / "ifcyto", tmp_path / "ifcyto", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / file).open("a") as source:
        source.write(f"\n{line}\n")
    done = lint(tmp_path)
    assert f"{contract} BROKEN" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 1


def test_importing_the_package_loads_nothing_heavy():
    code = f"import sys, ifcyto, ifcyto.errors; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_loads_nothing_heavy():
    code = (
        "import sys\nfrom ifcyto.cli.main import main\nsys.argv = ['ifcyto', '--help']\n"
        "try:\n    main()\nfinally:\n"
        f"    print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr.strip() == "[]"
    assert "convert" in done.stdout


def test_without_the_extras_only_the_rooms_that_use_them_are_closed():
    code = (
        "import importlib, pkgutil, sys\n"
        "for name in ('tensorflow', 'keras', 'napari', 'npe2', 'qtpy'): sys.modules[name] = None\n"
        "import ifcyto, ifcyto.errors\n"
        "for found in pkgutil.walk_packages(ifcyto.__path__, 'ifcyto.', onerror=lambda name: None):\n"
        "    if found.name.startswith('ifcyto.napari_plugin'): continue\n"
        "    try: importlib.import_module(found.name)\n"
        "    except ifcyto.errors.MissingExtraError as error: print(found.name, error, sep='|')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    closed = dict(line.split("|") for line in done.stdout.splitlines())
    assert set(closed.values()) == {'tensorflow is not installed: run  pip install "ifcyto[cnn]"'}
    assert "ifcyto.classify.cnn.train" in closed
    assert all(name.startswith("ifcyto.classify.cnn.") for name in closed)
    free = ("options", "crops", "split", "schedule")
    assert not {f"ifcyto.classify.cnn.{name}" for name in free} & set(closed)


def test_every_name_of_the_front_door_is_there():
    assert len(ifcyto.__all__) > 5
    for name in ifcyto.__all__:
        assert getattr(ifcyto, name) is not None
    assert ifcyto.__version__


def napari_starts() -> bool:
    """Whether napari and Qt can be imported; what they warn of in doing so is theirs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for name in ("napari.layers", "napari.components", "qtpy.QtWidgets"):
                importlib.import_module(name)
        except ImportError:
            return False
    return True


def test_every_public_thing_has_a_docstring_and_is_listed():
    """`__all__` of each module names things that exist, each with a docstring."""
    checked = 0
    for path in sorted((ROOT / "ifcyto").rglob("*.py")):
        tree = ast.parse(path.read_text())
        assert ast.get_docstring(tree), path
        if path.name == "__init__.py" or not any(
            isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
            for node in tree.body
        ):
            continue
        if path.parent.name == "napari_plugin" and not napari_starts():
            continue  # the review extra or a library of the system is not there; its tests say so
        if without_its_extra(path):
            continue
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isclass(thing) or inspect.isroutine(thing):
                assert thing.__doc__, f"{path}: {name}"
                checked += 1
    assert checked > 50


def test_no_file_is_too_long():
    long = {
        str(path.relative_to(ROOT)): n
        for path in (ROOT / "ifcyto").rglob("*.py")
        if (n := len(path.read_text().splitlines())) > 500
    }
    assert long == {}


def test_docstring_examples_run():
    """Every example in the package's docstrings gives what it says."""
    files = [path for path in (ROOT / "ifcyto").rglob("*.py") if not without_its_extra(path)]
    modules = sorted(str(path) for path in files if ">>>" in path.read_text())
    assert len(modules) > 10
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--doctest-modules", "-q", "-p", "no:cacheprovider", *modules],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("words", [["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]], ids=" ".join)
def test_the_code_is_clean(words):
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
