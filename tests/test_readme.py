"""The README's worked example runs and prints what it says; its two commands are where CI finds them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_worked_example_prints_what_the_page_says(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (said,) = re.findall(r"It prints (`.*?`)\. More", README, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == re.findall(r"`([^`]+)`", said)


def test_both_commands_are_marked_and_ci_takes_the_second():
    commands = dict(re.findall(r"<!-- (main job|tests) -->\n```bash\n(.*)\n```", README))
    assert commands["main job"].endswith("ifcyto demo")
    assert commands["tests"].endswith('-m pytest -m "gui and not slow" tests/napari_plugin')
    shown = subprocess.run(
        [
            "bash",
            "-c",
            (ROOT / ".ci" / "run")
            .read_text()
            .replace(".ci/libraries", "true")  # it may install packages of the system
            .replace("exec bash -c", "echo")
            .replace('"$0"', '"$1"'),
            "x",
            str(ROOT / ".ci" / "run"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.splitlines()[-1] == commands["tests"]


def test_every_format_of_the_registry_is_in_the_table():
    from ifcyto.readers.registry import READERS

    words = {"cif": "CIF, RIF", "daf": "DAF", "bd-tiff": "BD CellView", "ideas-tiff": "IDEAS TIFF export"}
    words |= {"multipage-tiff": "multi-page TIFF", "image-folder": "PNG, JPG, TIFF images", "numpy": "NumPy"}
    assert words.keys() == READERS.keys()
    assert all(f"| {word}" in README for word in words.values())
