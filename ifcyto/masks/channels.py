"""From the name of an image to its place on the images' first axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifcyto.errors import UsageError
from ifcyto.masks.faults import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ifcyto.cells import Channel

__all__ = ["ImageNames"]


class ImageNames:
    """Names under which the channels of a batch are known.

    In this order: a name given by the caller, a role, a name in the file, a short name (``Ch05``).

    Parameters
    ----------
    channels : sequence of Channel
        In the order of the images' first axis.
    given : mapping of str to int, optional
        Further names, such as those of an analysis file, and their 0-based places.

    Raises
    ------
    UsageError
        A given place is not that of a channel.

    Examples
    --------
    >>> from ifcyto.cells import Channel
    >>> names = ImageNames([Channel(1, "BF"), Channel(5, "DAPI", role="DRAQ5")], {"DNA": 1})
    >>> [names.place(name) for name in ("BF", "DRAQ5", "DAPI", "Ch05", "DNA")]
    [0, 1, 1, 1, 1]
    """

    def __init__(self, channels: Sequence[Channel], given: Mapping[str, int] | None = None) -> None:
        self.channels = tuple(channels)
        given = given or {}
        for name, place in given.items():
            if place not in range(len(self.channels)):
                msg = (
                    f"image {name!r}: expected a channel from 0 to {len(self.channels) - 1}, found {place!r}"
                )
                raise UsageError(msg)
        kinds = (
            [(name, place) for name, place in given.items()],
            [(channel.role, i) for i, channel in enumerate(self.channels)],
            [(channel.name, i) for i, channel in enumerate(self.channels)],
            [(f"Ch{channel.number:02d}", i) for i, channel in enumerate(self.channels)],
        )
        self._places: dict[str, list[int]] = {}
        for kind in kinds:
            found: dict[str, list[int]] = {}
            for name, place in kind:
                found.setdefault(name, []).append(place)
            self._places = found | self._places
        self._places.pop("", None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def place(self, name: str) -> int:
        """Place of the image `name` on the images' first axis, from 0.

        Raises
        ------
        UsageError
            No channel, or more than one, has this name; the message lists what there is.
        """
        places = self._places.get(name, [])
        if len(places) != 1:
            there = ", ".join(c.label + (f" (role {c.role})" if c.role else "") for c in self.channels)
            found = f"{len(places)} of them" if places else "none"
            near = "" if places else nearest(name, self._places)
            msg = f"expected one image {name!r}, found {found}{near}; there are: {there}"
            raise UsageError(msg)
        return places[0]
