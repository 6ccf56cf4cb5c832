"""What a network looks at, as a section of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ifcyto.report.model import Column, Run, Section, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ifcyto.report.model import FigureRef

__all__ = ["heat_maps_section"]

_KINDS = {
    "right": "right, most certain",
    "wrong": "wrong",
    "certain": "most certain",
    "disputed": "methods disagree",
    "unsure": "least certain",
}


def heat_maps_section(
    cells: Sequence[Mapping[str, Any]], figures: tuple[FigureRef, ...] = (), *, views: int = 1
) -> Section | None:
    """Heat maps of a few cells, and which cells these are.

    Parameters
    ----------
    cells : sequence of mapping
        ``kind``, ``sample``, ``object``, ``label``, ``probability``, ``truth``, ``other`` and ``drop``, the
        largest loss of probability by hiding a place.
    figures : tuple of FigureRef
    views : int
        Orientations in which the network looks at each image.

    Returns
    -------
    Section or None
        None without a cell.
    """
    if not cells:
        return None
    tagged = any(cell["truth"] for cell in cells)
    chosen = (
        "The cells are among those whose class is known and which the network has not learned from."
        if tagged
        else "Nobody tagged these cells, so that nobody knows which of them are right."
    )
    none = [name for kind, name in _KINDS.items() if kind in _wanted(tagged=tagged) and not _has(cells, kind)]
    columns = (
        Column("kind"),
        Column("sample"),
        Column("object", kind="integer"),
        Column("network"),
        Column("probability of a BNE", kind="number", digits=3),
        Column("truth"),
        Column("feature-based"),
        Column("most lost by hiding", kind="number", digits=3),
    )
    keys = ("sample", "object", "label", "probability", "truth", "other", "drop")
    rows = tuple((_KINDS[cell["kind"]], *(cell[key] for key in keys)) for cell in cells)
    return Section(
        "heat-maps",
        "What the network looks at",
        (
            (
                "Where the probability of the class BNE comes from, for a few candidates. ",
                Run(
                    "A heat map says what this network's score rests on. It does not say whether it is right."
                ),
            ),
            chosen + (f" There is none of the kind: {', '.join(none)}." if none else ""),
        ),
        figures,
        (Table("Cells of the heat maps", columns, rows),),
        (
            "Grad-CAM: the last maps of the network, each weighted by what the score gains from it; coarse, "
            "as these maps are, and the same for all channels. It shows what speaks for the class only, and "
            "can be high where there is nothing, as at the edge of an image.",
            "Occlusion: squares of an eighth of the image are hidden by background in all channels, and the "
            "loss of probability is drawn where they lay. Most lost: the highest value of that map. Where "
            "the two disagree, this one was measured.",
            "Truth: class in the table of truth, else by the observer; none: the observer gave it no tag.",
            *(
                (f"The maps are of the cell as it lies; the probability is of {views} orientations.",)
                if views > 1
                else ()
            ),
        ),
    )


def _wanted(*, tagged: bool) -> tuple[str, ...]:
    return ("right", "wrong", "unsure") if tagged else ("certain", "disputed", "unsure")


def _has(cells: Sequence[Mapping[str, Any]], kind: str) -> bool:
    return any(cell["kind"] == kind for cell in cells)
