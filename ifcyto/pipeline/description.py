"""The record that says what is in an input, ready for people and for JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from ifcyto.cells import Channel

__all__ = ["Description", "Population", "SizeRange", "channel_row"]


@dataclass(frozen=True, slots=True)
class SizeRange:
    """Smallest and largest image of one channel, in pixels, and how many objects were looked at."""

    height: tuple[int, int]
    width: tuple[int, int]
    looked_at: int


@dataclass(frozen=True, slots=True)
class Population:
    """A population of an IDEAS analysis.

    `count` is the number that IDEAS stored with its statistics, or the length of
    a tagged list; None where the file holds neither.
    """

    name: str
    type: str
    definition: str
    count: int | None


@dataclass(frozen=True, slots=True)
class Description:
    """What is in an input.

    Parameters
    ----------
    file : str
        Name of the file or folder, without the folders above it.
    format : str
    n_objects : int
    channels : tuple of dict
        Fields of :class:`ifcyto.cells.Channel`.
    sizes : SizeRange or None
        None for an input without objects.
    dtype : str
        Of the pixels.
    has_masks : bool
    object_numbers : tuple of int
        Smallest and largest; empty without objects.
    magnification : float or None
    software : dict
        Versions by program.
    populations : tuple of Population
    labels : dict
        Number of objects by label, among those looked at.
    notes : tuple of str
    personal : dict
        Vendor's metadata that may name persons and folders; only when asked for.
    provenance : dict
        What made a cell stack; empty for other inputs.
    """

    file: str
    format: str
    n_objects: int
    channels: tuple[dict[str, Any], ...]
    sizes: SizeRange | None
    dtype: str
    has_masks: bool
    object_numbers: tuple[int, ...] = ()
    magnification: float | None = None
    software: dict[str, str] = field(default_factory=dict)
    populations: tuple[Population, ...] = ()
    labels: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    personal: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """All fields as what JSON can hold."""
        return asdict(self)

    def tables(self) -> list[tuple[str, list[tuple[str, ...]]]]:
        """The same for people: titles and rows of text; empty parts are left out."""
        parts: list[tuple[str, list[tuple[str, ...]]]] = [
            ("", self._summary()),
            ("channels", _channel_table(self.channels)),
        ]
        if self.populations:
            head = ("name", "type", "objects", "definition")
            rows = [(p.name, p.type, _known(p.count), p.definition) for p in self.populations]
            parts.append(("populations", [head, *rows]))
        if self.labels:
            parts.append(("labels", [(name, str(n)) for name, n in self.labels.items()]))
        if sources := _source_rows(self.provenance):
            parts.append(("made from", sources))
        if self.notes:
            parts.append(("notes", [(note,) for note in self.notes]))
        if self.personal:
            parts.append(("personal", [(name, _one_line(value)) for name, value in self.personal.items()]))
        return parts

    def _summary(self) -> list[tuple[str, ...]]:
        rows = [("file", self.file), ("format", self.format), ("objects", f"{self.n_objects:,}")]
        if self.object_numbers:
            rows.append(("object numbers", f"{self.object_numbers[0]} to {self.object_numbers[-1]}"))
        if self.sizes:
            looked_at = self.sizes.looked_at
            among = "" if looked_at == self.n_objects else f" (among {looked_at:,} objects looked at)"
            height, width = (
                "-".join(map(str, dict.fromkeys(r))) for r in (self.sizes.height, self.sizes.width)
            )
            rows.append(("size (H x W)", f"{height} x {width} px{among}"))
        rows += [("pixels", self.dtype), ("masks", "yes" if self.has_masks else "no")]
        if self.magnification is not None:
            rows.append(("magnification", f"{self.magnification:g}x"))
        return [*rows, *self.software.items()]


def channel_row(channel: Channel) -> dict[str, Any]:
    """Fields of a channel by name."""
    return asdict(channel)


def _channel_table(channels: tuple[dict[str, Any], ...]) -> list[tuple[str, ...]]:
    head = ("channel", "name", "kind", "pixel (um)", "detector")
    rows = [
        (
            f"Ch{channel['number']:02d}",
            channel["name"],
            "brightfield" if channel["brightfield"] else "-",
            "-" if channel["pixel_size_um"] is None else f"{channel['pixel_size_um']:g}",
            channel["detector"] or "-",
        )
        for channel in channels
    ]
    return [head, *rows]


def _source_rows(provenance: dict[str, Any]) -> list[tuple[str, ...]]:
    """Name, size and digest of what a stack was made from, as far as it says."""
    sources = [source for source in provenance.get("sources") or [] if isinstance(source, dict)]
    return [
        (str(source.get("name", "?")), f"{source.get('size', '?')} bytes", str(source.get("sha256", "")))
        for source in sources
    ]


def _known(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"


def _one_line(value: Any, limit: int = 100) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= limit else f"{text[:limit]}..."
