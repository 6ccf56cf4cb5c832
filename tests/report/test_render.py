from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from ifcyto.errors import OutputError, UsageError
from ifcyto.figures.style import save_figure
from ifcyto.figures.violins import frequency_violins
from ifcyto.report import render
from ifcyto.report.model import (
    Citation,
    Column,
    FigureRef,
    KeyNumber,
    Provenance,
    Report,
    Run,
    Section,
    Table,
)
from ifcyto.report.render import LONG_TABLE, MOST_ROWS, render_html, render_report

EVIL = "<script>alert('x')</script>\"'&amp;<img src=x onerror=alert(1)></td></details><style>"
VOID = {"meta", "img", "input", "link", "br", "hr"}


class Page(HTMLParser):
    """Reads a page, insisting that every element is closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), f"an attribute of {tag} stands twice"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def figure(tmp_path):
    drawn = frequency_violins({"MDS": [1.0, 2, 3], "NBM": [0.5, 0.7]}, title="t", ylabel="BNE (%)")
    png, pdf = save_figure(drawn, tmp_path / "figures", "violins")
    return FigureRef(png, "Frequency by group.", "Violins of two groups.", pdf)


def full_report(figure, word="plain"):
    columns = (Column("sample"), Column("cells", kind="integer"), Column(f"BNE {word}", "%", "number", 1))
    rows = tuple((f"{word} {i}", 1000 * i, 1.26) for i in range(LONG_TABLE + 1))
    return Report(
        f"BNE in MDS {word}",
        f"subtitle {word}",
        summary=(f"found {word}", ("see ", Run(word), " and ", Run(word, "link", "#results"), ".")),
        key_numbers=(KeyNumber(f"objects {word}", 214318, f"unit {word}", f"note {word}"),),
        sections=(
            Section(
                "results",
                f"Results {word}",
                (f"text {word}",),
                (figure,),
                (Table(word, columns, rows, "a b.csv"),),
                notes=(f"small {word}",),
                warnings=(f"careful {word}",),
            ),
            Section("more", "More", figures=(figure,), tables=(Table("none", columns, ()),)),
        ),
        warnings=(f"whole {word}",),
        methods_text=(f"methods {word}",),
        cite=(Citation(f"work {word}", "10.1038/s41598-024-1"),),
        provenance=Provenance(
            f"2026 {word}", (("seed", word),), (("numpy", word),), ((f"{word}.cif", "ab" * 32),)
        ),
        files=(("tests.csv", f"tests {word}"),),
    )


def rendered(report, tmp_path):
    return render_report(report, tmp_path / "report.html").read_text(encoding="utf-8")


def test_everything_in_the_report_is_on_the_page(figure, tmp_path):
    page = Page(rendered(full_report(figure), tmp_path))
    for words in (
        "BNE in MDS plain",
        "subtitle plain",
        "see plain and plain.",
        "objects plain",
        "214,318 unit plain",
        "note plain",
        "Results plain",
        "text plain",
        "small plain",
        "Warning. careful plain",
        "whole plain",
        "Figure 1. Frequency by group.",
        "Figure 2. Frequency by group.",
        f"Table 1. plain ({LONG_TABLE + 1} rows)",
        "Data of table 1: a b.csv",
        "Table 2. none",
        "no rows",
        "BNE plain (%)",
        "plain 15",
        "15,000",
        "1.3",
        "methods plain",
        "work plain doi:10.1038/s41598-024-1",
        "Generated 2026 plain",
        "seed",
        "numpy",
        "ab" * 32,
        "tests.csv: tests plain",
        "Not a medical device",
    ):
        assert words in page.text, words
    assert len(page.all("tr")) == 1 + LONG_TABLE + 1 + 2 + 3


def test_the_page_needs_nothing_from_outside(figure, tmp_path):
    text = rendered(full_report(figure), tmp_path)
    page = Page(text)
    assert {"script", "link", "iframe", "object", "base", "form"}.isdisjoint(
        name for name, _ in page.elements
    )
    for name, attributes in page.elements:
        assert name == "img" or "src" not in attributes
        target = attributes.get("href", "#")
        assert target.startswith(("#", "./", "https://doi.org/10."))
        assert not any(key.startswith("on") for key in attributes)
    assert all(image["src"].startswith("data:image/png;base64,") for image in page.all("img"))
    style = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert "default-src 'none'" in page.all("meta")[1]["content"]


def test_links_within_the_page_have_an_end(figure, tmp_path):
    page = Page(rendered(full_report(figure), tmp_path))
    names = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(names) == len(set(names))
    targets = [a["href"][1:] for a in page.all("a") if a["href"].startswith("#")]
    assert set(targets) <= set(names)
    assert {"results", "more", "methods-text", "cite", "provenance"} <= set(targets)
    for _, attributes in page.elements:
        assert attributes.get("aria-labelledby", names[0]) in names


def test_pictures_are_embedded_whole_with_words_and_size(figure, tmp_path):
    page = Page(rendered(full_report(figure), tmp_path))
    for image in page.all("img"):
        assert image["alt"] == "Violins of two groups."
        assert base64.b64decode(image["src"].partition(",")[2], validate=True) == figure.png.read_bytes()
        assert (image["width"], image["height"]) == ("1003", "826")
    assert "./figures/violins.pdf" in [a["href"] for a in page.all("a")]


def test_files_outside_the_reports_folder_are_named_but_not_linked(figure, tmp_path):
    path = render_report(full_report(figure), tmp_path / "elsewhere" / "report.html")
    text = path.read_text(encoding="utf-8")
    assert "For print: violins.pdf" in Page(text).text
    assert str(tmp_path) not in text
    assert "violins.pdf" not in "".join(a["href"] for a in Page(text).all("a"))


@pytest.mark.parametrize("file", ["../secret.csv", "/etc/passwd", "a\\b", "javascript:alert(1)", "//host/x"])
def test_links_to_files_stay_below_the_report(tmp_path, file):
    report = Report("t", sections=(Section("a", "A", tables=(Table("t", (Column("a"),), (), file),)),))
    page = Page(rendered(report, tmp_path))
    assert all(a["href"].startswith(("#", "./")) for a in page.all("a"))
    assert file in page.text


def test_no_name_can_bring_markup_in(figure, tmp_path):
    evil = FigureRef(figure.png, EVIL, EVIL, figure.vector)
    text = rendered(full_report(evil, EVIL), tmp_path)
    tame = Page(render_report(full_report(figure), tmp_path / "tame.html").read_text(encoding="utf-8"))
    page = Page(text)
    assert [name for name, _ in page.elements] == [name for name, _ in tame.elements]
    assert "<script" not in text
    assert page.all("img")[0]["alt"] == EVIL
    assert f"BNE in MDS {EVIL}" in page.text


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u200f", "\x00", "\x07", "\x85"])
def test_marks_that_turn_or_hide_text_are_shown_by_their_number(figure, tmp_path, mark):
    text = rendered(full_report(figure, f"MDS{mark}01"), tmp_path)
    assert mark not in text
    assert f"BNE in MDS MDS[U+{ord(mark):04X}]01" in Page(text).text


def test_names_in_other_scripts_stay_as_they_are(figure, tmp_path):
    name = "\u05d7\u05d5\u05dc\u05d4 \u60a3\u8005 \N{GREEK SMALL LETTER BETA}-\u0645\u0631\u064a\u0636"
    assert f"BNE in MDS {name}" in Page(rendered(full_report(figure, name), tmp_path)).text


def test_long_tables_are_folded_and_very_long_ones_cut_with_a_note(tmp_path):
    def page(n):
        rows = tuple((f"S{i}", i) for i in range(n))
        table = Table("t", (Column("sample"), Column("cells", kind="integer")), rows, "t.csv")
        return Page(render_html(Report("t", sections=(Section("a", "A", tables=(table,)),)), tmp_path))

    short, long, vast = (page(n) for n in (LONG_TABLE, LONG_TABLE + 1, MOST_ROWS + 1))
    assert short.all("details") == []
    assert "open" not in long.all("details")[0]
    assert len(long.all("summary")) == 1
    assert len(vast.all("tr")) == 1 + MOST_ROWS
    assert f"Table 1. t (first {MOST_ROWS} of {MOST_ROWS + 1} rows)" in vast.text
    assert f"All {MOST_ROWS + 1} rows of table 1: t.csv" in vast.text


def test_headings_and_headers_are_in_order_for_a_screen_reader(figure, tmp_path):
    page = Page(rendered(full_report(figure), tmp_path))
    levels = [int(name[1]) for name, _ in page.elements if name in {"h1", "h2", "h3", "h4"}]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert {header["scope"] for header in page.all("th")} == {"col", "row"}
    names = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert all(t.get("aria-label") or t["aria-labelledby"] in names for t in page.all("table"))
    assert all(image["alt"] for image in page.all("img"))
    assert all(box["aria-label"] for box in page.all("input"))


def test_a_smaller_picture_is_embedded_in_place_of_the_large_one(figure, tmp_path):
    small = tmp_path / "small.webp"
    small.write_bytes(b"RIFF0000WEBPVP8 ")
    both = FigureRef(figure.png, "c", "a", figure.vector, small)
    image = Page(rendered(full_report(both), tmp_path)).all("img")[0]
    assert image["src"] == "data:image/webp;base64," + base64.b64encode(small.read_bytes()).decode()
    assert (image["width"], image["height"]) == ("1003", "826")
    small.write_bytes(b"no picture")
    with pytest.raises(UsageError, match=r"small\.webp: expected a WebP picture"):
        render_html(full_report(both), tmp_path)


def test_pictures_beyond_the_room_of_the_page_are_named_and_linked(figure, tmp_path, monkeypatch):
    size = len(base64.b64encode(figure.png.read_bytes()))
    monkeypatch.setattr(render, "PICTURE_BYTES", size + 1)
    page = Page(rendered(full_report(figure), tmp_path))
    assert len(page.all("img")) == 1
    assert "Not in this page, to keep it small: figures/violins.png. It shows: Violins of" in page.text
    assert "./figures/violins.png" in [a["href"] for a in page.all("a")]


def test_templates_syntax_in_a_name_is_only_text(tmp_path):
    page = Page(rendered(Report("{{ 7 * 7 }} {% raw %}"), tmp_path))
    assert "{{ 7 * 7 }} {% raw %}" in page.text
    assert "49" not in page.text


def test_warnings_come_before_the_results(figure, tmp_path):
    text = Page(rendered(full_report(figure), tmp_path)).text
    assert text.index("Read this first") < text.index("careful plain") < text.index("214,318")
    assert "Read this first" not in Page(render_report(Report("calm"), tmp_path / "c.html").read_text()).text


def test_warnings_of_one_kind_are_folded(tmp_path):
    many = tuple(f"sample MDS{n:02d}: {n} of 70 objects belong to no stage" for n in range(1, 8))
    page = Page(rendered(Report("t", warnings=("no control", *many, "sample A: no tags")), tmp_path))
    assert (
        page.text.index("no control") < page.text.index(many[0]) < page.text.index("and 6 more of this kind")
    )
    assert all(text in page.text for text in many)
    assert len(page.all("details")) == 1
    few = Page(render_report(Report("t", warnings=many[:3]), tmp_path / "few.html").read_text("utf-8"))
    assert "of this kind" not in few.text


def test_an_empty_report_is_a_page(tmp_path):
    page = Page(rendered(Report(""), tmp_path))
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == 1


def test_the_same_report_gives_the_same_bytes(figure, tmp_path):
    first = render_report(full_report(figure), tmp_path / "a.html").read_bytes()
    second = render_report(full_report(figure), tmp_path / "b.html").read_bytes()
    assert first == second
    assert b"\r" not in first


def test_text_has_contrast_enough(figure, tmp_path):
    text = rendered(full_report(figure), tmp_path)
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", text))

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for ink in ("ink", "muted", "accent", "alert"):  # WCAG 2.1, level AA: at least 4.5 to 1
        assert (luminance(colours["soft"]) + 0.05) / (luminance(colours[ink]) + 0.05) >= 4.5


def test_an_existing_report_is_kept_unless_asked(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("mine")
    with pytest.raises(OutputError, match=r"report\.html: exists already"):
        render_report(Report("t"), path)
    assert path.read_text() == "mine"
    render_report(Report("t"), path, overwrite=True)
    assert "<h1>t</h1>" in path.read_text()
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_a_folder_that_cannot_be_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        render_report(Report("t"), tmp_path / "file" / "report.html")


def test_a_missing_or_false_picture_leaves_no_report(figure, tmp_path):
    broken = [FigureRef(tmp_path / "gone.png", "c", "a")]
    for name, content in (("text.png", b"hello"), ("short.png", b"\x89PNG\r\n\x1a\n")):
        (tmp_path / name).write_bytes(content)
        broken.append(FigureRef(tmp_path / name, "c", "a"))
    for bad in broken:
        with pytest.raises(UsageError, match=rf"{bad.png.name}: .*draw the figures again"):
            render_report(Report("t", sections=(Section("a", "A", figures=(bad,)),)), tmp_path / "r.html")
    assert not (tmp_path / "r.html").exists()


def test_a_report_named_relatively_links_its_figures_all_the_same(figure, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = render_report(full_report(figure), Path("report.html"))
    assert 'href="./figures/violins.pdf"' in path.read_text(encoding="utf-8")
