"""What the report shows of a study: every number is in a CSV, and 1,000 samples make a page of use."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ifcyto.pipeline import draw as draw_module
from ifcyto.pipeline.draw import METHODS, Album, draw_agreement, draw_frequencies, draw_overlap
from ifcyto.pipeline.draw_methods import area_rows, draw_methods, draw_single_samples
from ifcyto.pipeline.draw_study import write_own_tables
from ifcyto.pipeline.judged import Judged
from ifcyto.pipeline.quality import loss_rows
from ifcyto.pipeline.results import Findings, find
from ifcyto.pipeline.sheets import choose
from ifcyto.pipeline.study import load_study
from ifcyto.pipeline.tables import COLUMNS, table_text
from ifcyto.report.assemble import build_report
from ifcyto.report.render import MOST_ROWS, render_html

if TYPE_CHECKING:
    from pathlib import Path

    from ifcyto.report.model import Report

STAGES = ("ProE", "BasoE")
CLASSES = np.array(["BNE", "Doublet", "Irregular"])
PROVENANCE = {
    "ifcyto": "0.1.0", "python": "3.11", "platform": "Linux x86_64", "dependencies": {"numpy": "2.0"},
    "time": "2026-01-01T00:00:00+00:00", "sources": [{"name": "a.cif", "sha256": "00ff"}],
    "run": {"machine": {"cpus": 2}, "peak_memory_mb": 512.3, "seconds": {"spots": 12.34}},
}  # fmt: skip


def study_of(folder: Path, n: int, cells: int, *, names: str = "S{:04d}") -> Findings:
    """A study of random verdicts, of which half the samples are controls; all have tags and scores."""
    rng = np.random.default_rng(5)
    ids = [names.format(i) for i in range(n)]
    lines = ["[study]", 'title = "T"', 'control = "NBM"', "[channels]", "DRAQ5 = 1"]
    for i, name in enumerate(ids):
        group = ("NBM", "MDS", "ICUS")[0 if i < n // 2 else 1 + i % 2]
        (folder / f"{i}.cif").touch()
        lines += ["[[samples]]", f"id = '{name}'", f"group = '{group}'", f"file = '{i}.cif'"]
    (folder / "study.toml").write_text("\n".join(lines), encoding="utf-8")
    study = load_study(folder / "study.toml")
    judged = []
    for sample in study.samples:
        spots = rng.choice([1, 2], cells, p=[0.8, 0.2])
        called = np.where(spots == 2, rng.choice(CLASSES, cells), "")
        tags = np.where(rng.random(cells) < 0.8, called, np.where(rng.random(cells) < 0.1, "BNE", ""))
        scores = np.where(called == "", np.nan, rng.normal(size=cells) + 2.0 * (called == "BNE"))
        stages = rng.choice([*STAGES, ""], cells, p=[0.5, 0.4, 0.1])
        judged.append(Judged(sample, np.arange(cells), spots, spots == 2, stages, tags, None, called, scores))
    return find(study, judged)


def report_of(found: Findings, figures: dict[str, Any] | None = None) -> Report:
    return build_report(
        found.document, figures or {}, PROVENANCE, losses=loss_rows(found), areas=area_rows(found)
    )


class Cells(HTMLParser):
    """Texts of the cells of all tables with a header, and of the key numbers."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._in = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        words = dict(attrs).get("class") or ""
        if (tag == "td" and words == "n") or (tag == "span" and words == "value"):
            self._in = tag
            self.texts.append("")

    def handle_endtag(self, tag):
        if tag == self._in:
            self._in = ""

    def handle_data(self, data):
        if self._in:
            self.texts[-1] += data


def numbers_in(texts: list[str]) -> set[str]:
    """Numbers as the page writes them, with a plain minus and without separators of thousands."""
    bounds = {"< 0.0001", "> 0.9999"}  # of p values
    plain = " ".join(text for text in texts if text not in bounds)
    plain = plain.replace("\N{MINUS SIGN}", "-").replace(",", "")
    return set(re.findall(r"(?<![\d.])-?\d+(?:\.\d+)?(?![\d.])", plain))


def values_of(texts: list[str]) -> list[float]:
    values = []
    for text in texts:
        for row in csv.reader(io.StringIO(text)):
            for field in row:
                if re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", field):
                    values.append(float(field))
    return values


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    return study_of(tmp_path_factory.mktemp("study"), 12, 150)


def test_every_number_of_the_page_stands_in_a_csv(small: Findings, tmp_path: Path) -> None:
    report = report_of(small)
    texts = [table_text(name, small.document[name]) for name in COLUMNS if name != "classifications"]
    texts += [path.read_text("utf-8") for path in write_own_tables(report, tmp_path)]
    numbers = numbers_in(Cells(render_html(report, tmp_path)).texts)
    values = np.array(values_of(texts))
    assert len(numbers) > 300
    missing = []
    for number in numbers:
        digits = len(number.partition(".")[2])
        near = values[np.abs(values - float(number)) <= 0.5000001 * 10.0**-digits]
        if not len(near):
            missing.append(number)
    assert missing == []


def test_every_file_that_a_table_names_is_written(small: Findings, tmp_path: Path) -> None:
    report = report_of(small)
    written = {path.relative_to(tmp_path).as_posix() for path in write_own_tables(report, tmp_path)}
    known = {f"{name}.csv" for name in COLUMNS}
    for section in report.sections:
        for table in section.tables:
            assert table.file in written | known, table.caption
    assert "tables/losses-1.csv" in written


def test_own_tables_hold_full_precision_and_no_formulas(tmp_path: Path) -> None:
    found = study_of(tmp_path, 4, 60, names="=cmd A{}")  # as a spreadsheet would run it
    paths = {path.name: path for path in write_own_tables(report_of(found), tmp_path)}
    with paths["losses-1.csv"].open(encoding="utf-8", newline="") as file:
        names = [row["sample"] for row in csv.DictReader(file)]
    assert names == [f"'=cmd A{i}" for i in range(4)]
    with paths["methods-compared-3.csv"].open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file))
    assert row["area under ROC"] == repr(float(f"{area_rows(found)[0]['auc']:.8g}"))


@pytest.fixture
def unsaved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are drawn, but not rendered, which is slow."""
    monkeypatch.setattr(
        draw_module, "save_figure", lambda _f, folder, name, **_: (folder / f"{name}.png", folder / name)
    )


@pytest.mark.usefixtures("unsaved")
def test_methods_are_drawn_side_by_side(small: Findings, tmp_path: Path) -> None:
    album = Album(tmp_path)
    for draw in (draw_single_samples, draw_methods, draw_agreement, draw_overlap):
        draw(album, small)
    names = {key: [figure.png.stem for figure in figures] for key, figures in album.figures.items()}
    assert names["methods-compared"] == [
        "paired", "bland-altman_spot", "bland-altman_fbml", "roc", "precision-recall"
    ]  # fmt: skip
    assert names["single-samples"] == ["samples_proe_fbml", "samples_basoe_fbml"]
    assert names["overlap"][0] == "upset"
    assert len(names["overlap"]) == 1 + 2 * 3 * 2
    for figures in album.figures.values():
        assert all(len(figure.alt) > 20 and figure.caption for figure in figures)


def test_area_is_that_of_the_ranks_of_the_tagged_candidates(small: Findings) -> None:
    (row,) = area_rows(small)
    above = total = 0.0
    scores: dict[bool, list[float]] = {True: [], False: []}
    for judged in small.counted:
        for i in range(len(judged.objects)):
            if judged.candidate[i] and judged.stages[i]:
                scores[bool(judged.manual[i] == "BNE")].append(float(judged.fbml_score[i]))
    for yes in scores[True]:
        above += sum(yes > no for no in scores[False])
        total += len(scores[False])
    assert row["auc"] == pytest.approx(above / total)
    assert (row["bne"], row["candidates"]) == (len(scores[True]), len(scores[True]) + len(scores[False]))


def test_regions_of_cells_are_those_of_the_methods_and_never_overlap(small: Findings) -> None:
    chosen = choose(small.samples, "MDS", STAGES, most=10_000, seed=1)
    picks = [pick for choice in chosen.values() for pick in choice.picks]
    assert len(picks) == len(set(picks))
    for region, choice in chosen.items():
        assert choice.total == len(choice.picks)
        for place, row in choice.picks:
            judged = small.samples[place]
            assert judged.sample.group == "MDS"
            said = {m for m in ("manual", "spot", "fbml") if judged.positive(m)[row]}
            assert said == set(region.yes)
    meanings = {region.meaning for region in chosen}
    assert "found by all" in meanings
    assert f"false negatives of the {METHODS['spot']} and the {METHODS['fbml']}" in meanings
    wrong = sum(c.total for r, c in chosen.items() if "fbml" in r.yes and "manual" in r.no)
    errors = [row for row in small.document["errors"] if (row["method"], row["group"]) == ("fbml", "MDS")]
    assert wrong == sum(row["fp"] for row in errors)


def test_a_choice_of_cells_is_seeded_and_limited(small: Findings) -> None:
    first, again, other = (choose(small.samples, "NBM", STAGES, most=3, seed=seed) for seed in (1, 1, 2))
    assert first == again != other
    assert max(len(choice.picks) for choice in first.values()) == 3


@pytest.mark.usefixtures("unsaved")
def test_a_thousand_samples_make_a_page_of_use(tmp_path: Path) -> None:
    found = study_of(tmp_path, 1000, 30)
    album = Album(tmp_path)
    for draw in (draw_frequencies, draw_single_samples, draw_methods):
        draw(album, found)
    assert sum(map(len, album.figures.values())) < 40
    assert "1 to 60 of 1,000" in album.figures["single-samples"][0].caption
    page = render_html(report_of(found), tmp_path)
    assert len(page) < 2_000_000
    assert page.count("<tr>") < 20 * MOST_ROWS
    assert f"first {MOST_ROWS} of 6,000 rows" in page
