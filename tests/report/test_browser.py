"""The page in a real browser, from disk and on paper; skipped where no Chromium is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from ifcyto.figures.style import new_figure, save_figure
from ifcyto.report.model import Column, FigureRef, Report, Section, Table
from ifcyto.report.render import LONG_TABLE, render_report

if TYPE_CHECKING:
    from pathlib import Path

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
EVIL = "</td></table><script>document.title='owned'</script><img src=x onerror=document.title='owned'>"

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")


def browse(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Open the report of a folder; a root user, as in a container, has no sandbox."""
    return subprocess.run(
        [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
         f"--user-data-dir={folder / 'profile'}", *words, (folder / "report.html").as_uri()],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with a figure, a short table, a folded table and names that try to run."""
    root = tmp_path_factory.mktemp("page")
    png, pdf = save_figure(new_figure(80, 50), root / "figures", "empty")
    columns = (Column("sample"), Column("cells", kind="integer"))
    rows = tuple((f"folded row {i}", i) for i in range(LONG_TABLE + 60))
    tables = (Table("short", columns, ((EVIL, 1),)), Table("long", columns, rows, "long.csv"))
    figures = (FigureRef(png, "An empty figure.", "Nothing.", pdf),)
    section = Section("results", EVIL, (EVIL,), figures, tables, (EVIL,))
    render_report(Report(f"BNE {EVIL}", sections=(section,)), root / "report.html")
    return root


def test_the_page_opens_from_disk_and_runs_nothing(folder: Path) -> None:
    done = browse(folder, "--dump-dom")
    assert "<title>BNE &lt;/td&gt;" in done.stdout
    assert "owned" not in re.sub(r"(?s)&lt;script.*?onerror=document.title='owned'", "", done.stdout)
    assert len(re.findall("<details", done.stdout)) == 1
    assert "<details open" not in done.stdout
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line or "Refused" in line]
    assert console == []


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext is not installed")
def test_print_is_a4_and_opens_what_is_folded(folder: Path) -> None:
    browse(folder, "--no-pdf-header-footer", f"--print-to-pdf={folder / 'page.pdf'}")
    info = subprocess.run(["pdfinfo", folder / "page.pdf"], capture_output=True, text=True, check=True).stdout
    assert "(A4)" in info
    text = subprocess.run(
        ["pdftotext", "-layout", folder / "page.pdf", "-"], capture_output=True, text=True, check=True
    ).stdout
    for i in range(LONG_TABLE + 60):
        assert re.search(rf"folded row {i}\s", text), i
    pages = text.rstrip("\f").split("\f")
    assert len(pages) > 1
    assert sum("sample" in page for page in pages) >= 2  # the head of the table stands on each page
    assert "Skip to the results" not in text
