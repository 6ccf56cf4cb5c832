"""Keys and mouse of the gallery. No Qt: they are bound to a viewer's model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ifcyto.napari_plugin.desk import Desk

__all__ = ["KEYS", "Key", "bind", "bind_layers", "help_rows", "unbind"]


@dataclass(frozen=True, slots=True)
class Key:
    """A key and what it does.

    Parameters
    ----------
    key : str
        As napari names keys.
    says : str
    action : callable
        Called with the desk.
    """

    key: str
    says: str
    action: Callable[[Desk], object]


def _tagging(key: str) -> Callable[[Desk], object]:
    return lambda desk: desk.tag_by_key(key)


KEYS: tuple[Key, ...] = (
    *(Key(key, "give the selected cells the class with this key", _tagging(key)) for key in "123456789"),
    Key("0", "take their tag away", _tagging("0")),
    Key("Left", "select the cell before", lambda desk: desk.move(-1)),
    Key("Right", "select the next cell", lambda desk: desk.move(1)),
    Key("Up", "select the cell above", lambda desk: desk.move(0, -1)),
    Key("Down", "select the cell below", lambda desk: desk.move(0, 1)),
    Key("PageDown", "next page", lambda desk: desk.turn(1)),
    Key("PageUp", "page before", lambda desk: desk.turn(-1)),
    Key("A", "select all cells of the page", lambda desk: desk.select_page()),
    Key("Shift-A", "select all cells that are shown, on every page", lambda desk: desk.select_shown()),
    Key("T", "go to the next cell without a tag", lambda desk: desk.next_untagged()),
    Key("M", "show or hide the outlines of the stored masks", lambda desk: desk.outline()),
    Key("O", "show or hide the outlines that you asked for", lambda desk: desk.show_typed()),
    Key("S", "number the spots, or take the numbers away", lambda desk: desk.number_spots()),
    Key("H", "show or hide the heat map", lambda desk: desk.show_heat()),
    Key("Control-Z", "take the last tagging back", lambda desk: desk.undo()),
    Key("Control-Shift-Z", "do it again", lambda desk: desk.redo()),
)

TABS = (
    ("Alt+1 to Alt+9", "open a tab, from Review to Help; Tab and Space work in it"),
    ("Esc", "back from a tab to the picture, so that these keys work again"),
    ("Delete", "in the tab Overlays: take the outline of this row out of the list"),
    (
        "Left, Right, Shift",
        "in the tab Plot: choose bars of the histogram; Enter shows their cells",
    ),
)

MOUSE = (
    ("Click", "select a cell"),
    ("Ctrl+click", "select one more, or one less"),
    ("Shift+click", "select all from the cell clicked before"),
    ("Double click", "show the cell large, with all channels and its columns"),
    ("Wheel, drag", "zoom, move the picture"),
)


def help_rows() -> list[tuple[str, str]]:
    """Keys and mouse, and what they do, for the page of help.

    Examples
    --------
    >>> help_rows()[0]
    ('1 to 9', 'give the selected cells the class with this key')
    """
    rows = [("1 to 9", KEYS[0].says)]
    rows += [(key.key.replace("Control-", "Ctrl+").replace("Shift-", "Shift+"), key.says) for key in KEYS[9:]]
    return [*rows, *TABS, *MOUSE]


def bind(desk: Desk, detail: Callable[[int], None]) -> None:
    """Bind keys and mouse to the desk's viewer; `detail` gets the row of a cell that is double clicked."""
    viewer = desk.viewer
    for key in KEYS:
        viewer.bind_key(key.key, _bound(desk, key), overwrite=True)

    def click(_viewer: Any, event: Any) -> Iterator[None]:
        moved = False
        yield
        while event.type == "mouse_move":
            moved = True
            yield
        row = None if moved or desk.gallery is None else desk.gallery.row_at(event.position)
        if row is not None and getattr(event, "button", 1) in (1, None):
            words = {str(getattr(modifier, "name", modifier)) for modifier in event.modifiers}
            desk.click(row, add="Control" in words, to="Shift" in words)

    def double_click(_viewer: Any, event: Any) -> None:
        row = None if desk.gallery is None else desk.gallery.row_at(event.position)
        if row is not None:
            detail(row)

    viewer.mouse_drag_callbacks.append(click)
    viewer.mouse_double_click_callbacks[:] = [double_click]


def bind_layers(desk: Desk) -> None:
    """Let the gallery's layers pass the keys on, which would else mean something to them."""
    if desk.gallery is not None:
        for layer in desk.gallery.every_layer():
            for key in KEYS:
                layer.bind_key(key.key, _bound(desk, key), overwrite=True)


def unbind(desk: Desk) -> None:
    """Give keys and mouse back to napari."""
    for key in KEYS:
        desk.viewer.bind_key(key.key, None, overwrite=True)
    desk.viewer.mouse_drag_callbacks[:] = [
        each for each in desk.viewer.mouse_drag_callbacks if each.__module__ != __name__
    ]
    desk.viewer.mouse_double_click_callbacks.clear()


def _bound(desk: Desk, key: Key) -> Callable[[Any], None]:
    def act(_: Any) -> None:
        key.action(desk)

    return act
