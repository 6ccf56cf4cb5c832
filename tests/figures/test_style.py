from __future__ import annotations

import struct

import matplotlib as mpl
import pytest
from matplotlib.colors import to_rgb

from ifcyto.errors import OutputError
from ifcyto.figures.style import (
    COLUMN_MM,
    DPI,
    PAGE_MM,
    PALETTE,
    STYLE,
    figure_name,
    format_p,
    new_figure,
    save_figure,
    styled,
)
from ifcyto.figures.violins import frequency_violins


def example():
    return frequency_violins({"MDS": [1.0, 2.0, 4.0], "NBM": [0.5, 0.7]}, title="t", ylabel="BNE (%)")


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0223, "p = 0.0223"),
        (0.00999, "p = 0.0100"),
        (0.0001, "p = 0.0001"),
        (0.00009999, "p < 0.0001"),
        (4.5e-7, "p < 0.0001"),
        (0.99996, "p > 0.9999"),
        (1.0, "p > 0.9999"),
        (float("nan"), "no test"),
        (None, "no test"),
    ],
)
def test_p_is_written_as_in_the_field(p, text):
    assert format_p(p) == text


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("Venn", "ProE", "ICUS/CCUS"), "venn_proe_icus-ccus"),
        (("../../etc", "passwd"), "etc_passwd"),
        (("Große Zahl",), "groe-zahl"),
        (("///",), "figure"),
    ],
)
def test_names_of_files_are_harmless(parts, name):
    assert figure_name(*parts) == name


def test_no_text_is_smaller_than_six_points():
    sizes = [value for key, value in STYLE.items() if key.endswith("size") and isinstance(value, int | float)]
    sizes = [size for size in sizes if size > 3]  # the rest are lengths of ticks
    assert len(sizes) >= 6
    assert min(sizes) >= 6


def test_colours_differ_in_lightness_or_hue_for_a_deuteranope():
    # Viénot, Brettel and Mollon 1999: linear RGB seen by a deuteranope.
    def seen(hexadecimal):
        red, green, blue = (c**2.2 for c in to_rgb(hexadecimal))
        yellow = 0.29275 * red + 0.70725 * green
        return yellow, -0.02234 * red + 0.02234 * green + blue

    shades = [seen(c) for c in PALETTE[:7]]
    distances = [
        max(abs(a[0] - b[0]), abs(a[1] - b[1])) for i, a in enumerate(shades) for b in shades[i + 1 :]
    ]
    assert len(set(PALETTE)) == 8
    assert min(distances) > 0.04


def test_files_have_the_size_on_paper_and_the_same_bytes_each_time(tmp_path):
    png, pdf = save_figure(example(), tmp_path / "a" / "deep", "violins")
    again = save_figure(example(), tmp_path / "b", "violins")
    assert (png.name, pdf.name) == ("violins.png", "violins.pdf")
    assert png.read_bytes() == again[0].read_bytes()
    assert pdf.read_bytes() == again[1].read_bytes()
    assert sorted(path.name for path in png.parent.iterdir()) == ["violins.pdf", "violins.png"]
    width, _ = struct.unpack(">II", png.read_bytes()[16:24])
    assert width == pytest.approx(COLUMN_MM / 25.4 * DPI, abs=1)
    assert pdf.read_bytes().startswith(b"%PDF-")
    for secret in (b"CreationDate", b"Matplotlib", b"matplotlib.org"):
        assert secret not in png.read_bytes() + pdf.read_bytes()


def test_the_users_own_settings_change_nothing(tmp_path):
    plain = save_figure(example(), tmp_path / "a", "x")[0].read_bytes()
    with mpl.rc_context(
        {"font.size": 30, "axes.facecolor": "black", "lines.linewidth": 9, "axes.grid": True}
    ):
        assert save_figure(example(), tmp_path / "b", "x")[0].read_bytes() == plain
        assert mpl.rcParams["font.size"] == 30


def test_existing_figures_are_kept_unless_asked(tmp_path):
    png, _ = save_figure(example(), tmp_path, "x")
    before = png.read_bytes()
    with pytest.raises(OutputError, match=r"x\.png: exists already"):
        save_figure(new_figure(PAGE_MM, 30), tmp_path, "x")
    assert png.read_bytes() == before
    save_figure(new_figure(PAGE_MM, 30), tmp_path, "x", overwrite=True)
    assert png.read_bytes() != before


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a b", "x\n"])
def test_a_name_cannot_leave_the_folder(tmp_path, name):
    with pytest.raises(ValueError, match="plain file name"):
        save_figure(new_figure(50, 50), tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_refuses_is_said_and_leaves_nothing(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutputError, match="cannot be written"):
        save_figure(example(), tmp_path / "file", "x")


def test_a_failure_while_drawing_leaves_no_file(tmp_path):
    figure = example()
    figure.savefig = lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    with pytest.raises(OutputError, match="No space left on device"):
        save_figure(figure, tmp_path, "x")
    assert list(tmp_path.iterdir()) == []


def test_dollar_signs_are_not_mathematics(tmp_path):
    @styled
    def drawn():
        return frequency_violins({r"$\frac$": [1.0], "a$b$": [2.0]}, title="$", ylabel="%")

    png, _ = save_figure(drawn(), tmp_path, "dollars")
    assert png.stat().st_size > 1000


def test_names_in_any_script_are_drawn_without_ado(tmp_path):
    figure = frequency_violins({"患者 1": [1.0], "مريض": [2.0]}, title="骨髓", ylabel="%")
    png, pdf = save_figure(figure, tmp_path, "scripts")
    assert png.stat().st_size > 1000
    assert pdf.stat().st_size > 1000
