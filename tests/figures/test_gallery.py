from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.contour import ContourSet

from ifcyto.figures.channels import ChannelLook
from ifcyto.figures.gallery import Tile, contact_sheet
from ifcyto.figures.style import PAGE_MM, save_figure

CHANNELS = ["BF", "CD235a", "DRAQ5"]


def make_tiles(rng, count, shape=(3, 24, 20)):
    return [
        Tile(rng.integers(-20, 900, shape).astype(np.int16), f"label {i}", 1000 + i, f"S{i:02d}")
        for i in range(count)
    ]


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 60])
def test_every_cell_has_every_panel_and_its_name(rng, count):
    figure = contact_sheet(
        make_tiles(rng, count, (3, 20, 24)), channels=CHANNELS, title="Candidates", columns=4
    )
    axes = figure.axes[0]
    assert len(axes.images) == count * 4
    words = texts(figure)
    assert words[0] == "Candidates"
    for i in range(count):
        assert {f"#{1000 + i}", f"label {i}", f"S{i:02d}"} <= set(words)
    boxes = [tuple(image.get_extent()) for image in axes.images]
    assert len(set(boxes)) == len(boxes)
    (_, across), (down, _) = axes.get_xlim(), axes.get_ylim()
    assert across <= PAGE_MM + 0.01
    assert down < 297  # a page of A4
    for left, right, bottom, top in boxes:
        assert 0 < left < right < across
        assert 0 < top < bottom < down
        assert (bottom - top) / (right - left) == pytest.approx(20 / 24)


def test_panels_do_not_overlap(rng):
    figure = contact_sheet(make_tiles(rng, 7), channels=CHANNELS, title="", columns=3)
    boxes = [image.get_extent() for image in figure.axes[0].images]
    for i, (left, right, bottom, top) in enumerate(boxes):
        for other in boxes[i + 1 :]:
            apart = right <= other[0] or other[1] <= left or bottom <= other[3] or other[2] <= top
            assert apart


def test_pixels_have_the_colour_of_their_channel(rng):
    tiles = make_tiles(rng, 2)
    figure = contact_sheet(tiles, channels=CHANNELS, title="", ranges=dict.fromkeys(CHANNELS, (0, 100)))
    bf, cd, dna, blend = (np.asarray(image.get_array()) / 255 for image in figure.axes[0].images[:4])
    share = np.clip(tiles[0].images / 100, 0, 1)
    np.testing.assert_allclose(bf, share[0][:, :, None] * [1, 1, 1], atol=1 / 255)
    np.testing.assert_allclose(cd, share[1][:, :, None] * to_rgb("#FFB000"), atol=1 / 255)
    np.testing.assert_allclose(dna, share[2][:, :, None] * to_rgb("#FF4DFF"), atol=1 / 255)
    np.testing.assert_allclose(blend, 1 - (1 - cd) * (1 - dna), atol=1 / 255)


def test_contrast_is_the_same_for_all_cells_of_a_sheet():
    dim, bright = (Tile(np.full((1, 4, 4), v), "", v, "s") for v in (0, 100))
    both = contact_sheet([dim, bright], channels=["DNA"], title="")
    first, second = (np.asarray(image.get_array()).max() for image in both.axes[0].images)
    assert (first, second) == (0, 255)


def test_one_channel_has_no_composite(rng):
    figure = contact_sheet(make_tiles(rng, 2, (1, 9, 9)), channels=[ChannelLook("x", "#FF0000")], title="")
    assert len(figure.axes[0].images) == 2
    assert "composite" not in " ".join(texts(figure))


def test_scale_bar_has_its_true_length(rng):
    figure = contact_sheet(make_tiles(rng, 2), channels=CHANNELS, title="", pixel_size_um=0.5)
    axes = figure.axes[0]
    assert any("bar: 2 µm" in text.replace("μ", "µ") for text in texts(figure))  # noqa: RUF001
    assert len(axes.lines) == 2
    left, right, *_ = axes.images[0].get_extent()
    bar = np.ptp(axes.lines[0].get_xdata())
    assert bar / (right - left) * 20 * 0.5 == pytest.approx(2)


def test_without_a_pixel_size_there_is_no_bar(rng):
    figure = contact_sheet(make_tiles(rng, 1), channels=CHANNELS, title="")
    assert len(figure.axes[0].lines) == 0
    assert "bar" not in " ".join(texts(figure))


def test_outline_runs_round_the_mask_on_the_composite(rng):
    mask = np.zeros((24, 20), bool)
    mask[6:12, 5:15] = True
    plain = make_tiles(rng, 1)[0]
    figure = contact_sheet(
        [Tile(plain.images, "a", 1, "s", mask), Tile(plain.images, "b", 2, "s", np.zeros_like(mask))],
        channels=CHANNELS,
        title="",
    )
    outlines = [artist for artist in figure.axes[0].collections if isinstance(artist, ContourSet)]
    assert len(outlines) == 1
    left, right, bottom, top = figure.axes[0].images[3].get_extent()
    box = outlines[0].get_paths()[0].get_extents()
    pixel = (right - left) / 20
    assert box.x0 == pytest.approx(left + 5 * pixel, abs=0.01)
    assert box.x1 == pytest.approx(left + 15 * pixel, abs=0.01)
    assert box.y0 == pytest.approx(top + 6 * (bottom - top) / 24, abs=0.01)


def test_long_and_strange_names_stay_within_their_cell(rng, tmp_path):
    tile = Tile(make_tiles(rng, 1)[0].images, "<b>$\\frac$ " + "l" * 200, 10**9, "sample " * 30)
    figure = contact_sheet([tile] * 6, channels=["a very long channel name"] * 3, title="$x$")
    png, _ = save_figure(figure, tmp_path, "strange")
    assert png.stat().st_size > 1000
    renderer = FigureCanvasAgg(figure).get_renderer()
    right = figure.axes[0].images[3].get_window_extent(renderer).x1
    left = figure.axes[0].images[0].get_window_extent(renderer).x0
    mine = [t for t in figure.axes[0].texts if t.get_text().startswith(("<b>", "sample"))][:2]
    for text in mine:
        box = text.get_window_extent(renderer)
        assert left - 2 <= box.x0 < box.x1 <= right + 2


def test_a_sheet_has_many_colours(rng):
    figure = contact_sheet(make_tiles(rng, 3), channels=CHANNELS, title="t")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="rgba", dpi=100)
    colours = np.unique(np.frombuffer(buffer.getvalue(), np.uint8).reshape(-1, 4), axis=0)
    assert len(colours) > 100


def test_constant_and_float_images_with_nan_can_be_drawn(tmp_path):
    images = np.full((3, 5, 5), np.nan, np.float32)
    images[1] = 7
    figure = contact_sheet([Tile(images, "", 0, "")], channels=CHANNELS, title="", pixel_size_um=0.5)
    save_figure(figure, tmp_path, "nan")
    assert all(np.isfinite(np.asarray(image.get_array(), float)).all() for image in figure.axes[0].images)


def test_what_does_not_fit_together_is_refused(rng):
    tiles = make_tiles(rng, 2)
    with pytest.raises(ValueError, match="found 0, 3"):
        contact_sheet([], channels=CHANNELS, title="")
    with pytest.raises(ValueError, match="object 1000 of S00"):
        contact_sheet(tiles, channels=["BF"], title="")
    with pytest.raises(ValueError, match=r"object 1000 of S00.*\(3, 24, 20\)"):
        contact_sheet([make_tiles(rng, 1, (3, 8, 8))[0], *tiles], channels=CHANNELS, title="")


def test_images_stand_upright_in_the_file():
    images = np.zeros((1, 4, 4))
    images[0, 0, 0], images[0, 1, 0] = 100, 50
    figure = contact_sheet([Tile(images, "", 1, "")], channels=["BF"], title="", ranges={"BF": (0, 100)})
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    sheet = np.asarray(canvas.buffer_rgba())[:, :, 0]
    scale = figure.dpi / 25.4
    left, right, bottom, top = (round(edge * scale) for edge in figure.axes[0].images[0].get_extent())
    quarter = (right - left) // 4
    drawn = sheet[top + quarter // 2 : bottom : quarter, left + quarter // 2 : right : quarter]
    assert drawn[:4, :4].tolist() == [[255, 0, 0, 0], [128, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize("length", [10, 60, 200])
def test_title_and_legend_stay_on_the_sheet_of_a_single_cell(rng, length):
    title = ("MDS: BNE by manual tags; not by plain rule, feature-based classifier and yet more " * 3)[
        :length
    ]
    figure = contact_sheet(make_tiles(rng, 1), channels=CHANNELS, title=title, pixel_size_um=0.5)
    renderer = FigureCanvasAgg(figure).get_renderer()
    assert figure.get_size_inches()[0] * 25.4 <= 174.1
    for text in figure.axes[0].texts[:2]:
        assert text.get_window_extent(renderer).x1 <= figure.bbox.x1
    assert (figure.axes[0].texts[0].get_text() == title) == (length < 90)
