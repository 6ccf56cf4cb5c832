"""``ifcyto review``: what it hands to the window, and what it says without napari."""

from __future__ import annotations

import importlib.util
import sys
import types

import pytest

from ifcyto.cli.main import main
from ifcyto.review.opening import ReviewOptions


def test_without_napari_the_install_line_is_said(tmp_path, monkeypatch, capsys):
    (tmp_path / "a.h5").touch()
    monkeypatch.setitem(sys.modules, "napari", None)
    assert main(["review", str(tmp_path / "a.h5")]) == 2
    assert 'napari is not installed: run pip install "ifcyto[review]"' in capsys.readouterr().err


def test_what_is_not_there_is_told(tmp_path, capsys):
    assert main(["review", str(tmp_path / "gone.h5")]) == 2
    assert "expected a study, a stack or an image file, found nothing" in capsys.readouterr().err


def test_the_options_reach_the_window(tmp_path, monkeypatch):
    seen = []
    for name in ("napari", "qtpy.QtWidgets", "ifcyto.napari_plugin.launch"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    launch = sys.modules["ifcyto.napari_plugin.launch"]
    launch.launch = lambda path, options, second=None: seen.append((path, options, second))
    (tmp_path / "a.h5").touch()
    words = [
        "--labels",
        "l.csv",
        "--by",
        "AB",
        "--blinded",
        "--seed",
        "3",
        "--table",
        "t.h5ad",
        "--second",
        "s.csv",
    ]
    assert main(["review", str(tmp_path / "a.h5"), *words]) == 0
    ((path, options, second),) = seen
    assert path == tmp_path / "a.h5"
    assert (str(options.labels), options.by, options.blinded, options.seed) == ("l.csv", "AB", True, 3)
    assert (str(options.table), options.results, str(second)) == ("t.h5ad", None, "s.csv")
    assert isinstance(options, ReviewOptions)


@pytest.mark.skipif(importlib.util.find_spec("napari") is not None, reason="napari is installed")
def test_the_plugin_is_not_needed_for_help(capsys):
    assert main(["review", "--help"]) == 0
    assert "--blinded" in capsys.readouterr().out
