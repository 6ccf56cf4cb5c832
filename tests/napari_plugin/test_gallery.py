"""The gallery on a viewer's model: layers hold the pixels of the stack, and stay what they are."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari", reason="the review extra is not installed")
ViewerModel = pytest.importorskip("napari.components").ViewerModel

from ifcyto.errors import StackError  # noqa: E402
from ifcyto.napari_plugin.desk import Desk  # noqa: E402
from ifcyto.napari_plugin.gallery import Gallery  # noqa: E402
from ifcyto.napari_plugin.keys import bind, bind_layers, help_rows, unbind  # noqa: E402
from ifcyto.review.overlays import SELECTED  # noqa: E402
from ifcyto.review.session import TagClass, View  # noqa: E402
from ifcyto.stack.cell_stack import CellStack  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


@pytest.fixture
def gallery(opened):
    made = Gallery(ViewerModel(), opened(), size=64)
    made.draw()
    return made


@pytest.fixture
def desk(opened):
    made = Desk(ViewerModel())
    assert made.take(opened())
    return made


def names(viewer):
    return [layer.name for layer in viewer.layers]


def test_layers_hold_the_pixels_of_the_stack(gallery, stack):
    assert names(gallery.viewer) == ["BF", "CD235a", "DRAQ5", "masks", "tags", "object numbers"]
    with CellStack.open(stack) as file:
        images = file.images(np.arange(12), size=64)
    for place in range(12):
        top, left = gallery.made.corner(place)
        for panel, drawn in enumerate([(0,), (1,), (2,), (1, 2)]):
            for channel, layer in enumerate(gallery.layers()):
                part = layer.data[top : top + 64, left + 64 * panel : left + 64 * (panel + 1)]
                if channel in drawn:
                    assert np.array_equal(part, images[place, channel])
                else:
                    assert len(np.unique(part)) == 1
                    assert part.max() <= layer.contrast_limits[0]


def test_the_overlay_shows_the_dyes_over_each_other(gallery):
    gallery.set_mode("overlay")
    gallery.draw()
    assert [layer.visible for layer in gallery.layers()] == [False, True, True]
    assert gallery.made.tile == (64, 64)
    gallery.set_mode("side by side")
    assert [layer.visible for layer in gallery.layers()] == [True, True, True]


def test_contrast_and_gamma_stay_from_page_to_page(gallery):
    layer = gallery.layers()[1]
    layer.contrast_limits, layer.gamma = (17, 170), 0.6
    colormap = layer.colormap.name
    gallery.review.session.go_to(1)
    gallery.draw()
    assert gallery.layers()[1] is layer
    assert (list(layer.contrast_limits), layer.gamma, layer.colormap.name) == ([17, 170], 0.6, colormap)
    assert gallery.limits()["CD235a"] == (17, 170)


def test_frames_and_text_tell_class_and_selection(gallery):
    session = gallery.review.session
    session.tag("Doublet", [3])
    session.selection = {5}
    gallery.mark()
    tags = gallery.viewer.layers["tags"]
    assert set(np.unique(tags.data).tolist()) == {0, 2, SELECTED}
    assert np.allclose(tags.colormap.color_dict[2], [0, 0x72 / 255, 0xB2 / 255, 1], atol=0.01)
    text = gallery.viewer.layers["object numbers"].features["caption"].tolist()
    assert text[:6] == ["#0", "#1", "#2", "#3  [2 Doublet]", "#4", "#5"]
    assert text[12:16] == ["BF", "CD235a", "DRAQ5", "merge"]
    session.set_classes([TagClass("BNE", "#FF0000", "1")])
    gallery.mark()
    assert gallery.captions()[3] == "#3  [Doublet]"


def test_outlines_are_those_of_the_masks_of_the_page(gallery, stack):
    layer = gallery.viewer.layers["masks"]
    assert not layer.data.any()  # read when they are shown
    gallery.show_outlines(visible=True)
    for page in (0, 1):
        gallery.review.session.go_to(page)
        gallery.draw()
        with CellStack.open(stack) as file:
            masks = file.masks(gallery.rows, size=64)
        for place in range(12):
            top, left = gallery.made.corner(place)
            for channel in range(3):
                part = layer.data[top : top + 64, left + 64 * channel : left + 64 * (channel + 1)]
                assert ((part > 0) <= (masks[place, channel] > 0)).all()
                assert set(np.unique(part).tolist()) <= {0, channel + 1}
                assert part.any() == (masks[place, channel] > 0).any()


def test_a_point_of_the_world_is_a_cell(gallery):
    size = gallery.review.pixel_size_um
    for place, row in enumerate(gallery.rows.tolist()):
        top, left = gallery.made.corner(place)
        assert gallery.row_at((top * size, left * size)) == row
        assert gallery.row_at(((top + 63) * size, (left + 255) * size)) == row
        assert gallery.row_at(((top - 3) * size, left * size)) is None


def test_layers_that_were_deleted_come_back_and_leave_with_the_gallery(gallery):
    gallery.viewer.layers.remove("DRAQ5")
    gallery.draw()
    assert "DRAQ5" in names(gallery.viewer)
    gallery.close()
    assert names(gallery.viewer) == []


def test_a_stack_that_is_gone_leaves_nothing_to_tag(desk, tmp_path):
    desk.review.pages.close()
    desk.review.pages.stacks[""] = tmp_path / "moved.h5"
    with pytest.raises(StackError):
        desk.gallery.draw()
    desk.turn(1)
    assert "is not there: it was moved" in desk.message
    assert desk.gallery.made is None
    assert desk.gallery.row_at((5, 5)) is None
    desk.review.session.selection = {1}
    assert not desk.tag("BNE")
    assert not desk.review.session.tags.path.exists()
    assert not any(len(np.unique(layer.data)) > 1 for layer in desk.gallery.layers())


def press(viewer, layer, key):
    """As napari finds the function of a key: the active layer's first, then the viewer's."""
    from napari.utils.key_bindings import KeymapHandler

    handler = KeymapHandler()
    handler.keymap_providers = [layer, viewer] if layer is not None else [viewer]
    assert handler.press_key(key)


@pytest.mark.parametrize("active", ["BF", "tags", "object numbers", None])
def test_keys_alone_suffice(desk, active):
    seen = []
    bind(desk, seen.append)
    bind_layers(desk)
    session = desk.review.session
    layer = None if active is None else desk.viewer.layers[active]
    for key in ("Right", "1", "2", "Down", "3", "Control-Z", "Left", "0"):
        press(desk.viewer, layer, key)
    assert [session.label(row) for row in range(12)] == ["BNE", "Doublet", *[None] * 10]
    assert desk.gallery.made.columns == 2
    press(desk.viewer, layer, "Control-Shift-Z")
    assert session.label(4) == "Irregular"
    press(desk.viewer, layer, "T")
    assert session.selection == {2}
    press(desk.viewer, layer, "PageDown")
    assert session.page == 1
    press(desk.viewer, layer, "A")
    press(desk.viewer, layer, "4")
    press(desk.viewer, layer, "PageUp")
    assert session.counts() == {"BNE": 1, "Doublet": 1, "Irregular": 1, "Unknown": 12, "untagged": 15}
    press(desk.viewer, layer, "M")
    assert desk.viewer.layers["masks"].visible
    assert desk.message == ""
    press(desk.viewer, layer, "9")
    assert desk.message == "No class has the key 9."
    assert len(help_rows()) > 10
    unbind(desk)
    assert not desk.viewer.keymap


def test_clicks_select_one_more_and_a_run(desk):
    desk.click(2)
    desk.click(5, to=True)
    assert desk.review.session.selection == {2, 3, 4, 5}
    desk.click(3, add=True)
    assert desk.chosen() == [2, 4, 5]
    desk.tag("BNE")
    assert [desk.review.session.label(row) for row in (2, 3, 4, 5)] == ["BNE", None, "BNE", "BNE"]
    assert desk.chosen() == [2, 4, 5]


def test_views_and_layouts(desk):
    assert desk.show(View({"tag": ("BNE",)}, {}))
    assert desk.gallery.made.count == 0
    assert desk.show(View({}, {}))
    assert not desk.show(View({}, {}, sort="nothing"))
    assert "expected a column" in desk.message
    desk.lay_out(size=32, per_page=4, mode="overlay")
    assert (desk.gallery.made.count, desk.gallery.made.tile) == (4, (32, 32))
    desk.show_rows([7, 3])
    assert desk.gallery.rows.tolist() == [7, 3]


def test_a_blinded_reader_sees_neither_samples_nor_verdicts(study):
    from ifcyto.review.opening import ReviewOptions, open_review

    for blinded in (True, False):
        desk = Desk(ViewerModel())
        desk.take(open_review(study, ReviewOptions(by="AB", blinded=blinded)))
        said = " ".join(desk.gallery.captions())
        assert ("MDS01" in said) is not blinded
        assert ("fbml_score" in desk.values()[0]) is not blinded
        desk.close()


def test_a_full_disk_changes_nothing(desk, monkeypatch):
    desk.click(1)

    def refuse(*_args, **_kwargs):
        raise OSError(28, "No space left on device", "labels.csv")

    monkeypatch.setattr("ifcyto.review.tag_file.TagFile.set", refuse)
    assert not desk.tag("BNE")
    assert desk.message == "labels.csv: No space left on device"
    assert desk.review.session.label(1) is None
