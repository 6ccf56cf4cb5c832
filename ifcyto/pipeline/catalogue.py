"""The features and mask functions there are, as texts for people."""

from __future__ import annotations

from ifcyto.features.registry import FEATURES, feature_spec
from ifcyto.masks.library import MASKS

__all__ = ["feature_page", "feature_rows", "feature_text", "mask_rows"]


def feature_rows() -> list[tuple[str, ...]]:
    """One row a feature, under a header: name, group, arguments, unit, confidence."""
    rows = [(s.name, s.group, str(s.takes), s.unit or "-", str(s.confidence)) for s in FEATURES.values()]
    return [("feature", "group", "takes", "unit", "confidence"), *rows]


def mask_rows() -> list[tuple[str, ...]]:
    """One row a mask function, under a header: usage, confidence, meaning."""
    return [
        ("mask", "confidence", "formula"),
        *((spec.usage, str(spec.confidence), spec.formula) for spec in MASKS.values()),
    ]


def feature_text(name: str) -> str:
    """Everything that is known of one feature.

    Raises
    ------
    UsageError
        There is no such feature; the nearest names are given.

    Examples
    --------
    >>> print(feature_text("Area").splitlines()[0])
    Area (Size)
    """
    spec = feature_spec(name)
    lines = [
        f"{spec.name} ({spec.group})",
        f"takes       {spec.takes}",
        f"unit        {spec.unit or '-'}",
        f"formula     {spec.formula}",
        f"source      {spec.source}",
        f"confidence  {spec.confidence}{' (approximation)' if spec.confidence.is_approximation else ''}",
        f"empty mask  {spec.empty:g}",
    ]
    if spec.scalar is not None:
        s = spec.scalar
        lines.insert(2, f"number      {s.label}, {s.low} to {s.high}, {s.default} by default")
    doc = (spec.function.__doc__ or "").strip()
    return "\n".join([*lines, "", *(line.removeprefix("    ") for line in doc.splitlines())])


def feature_page() -> str:
    """The registry as a Markdown page, group by group."""
    groups: dict[str, list[str]] = {}
    for s in FEATURES.values():
        cells = (s.name, s.takes, s.unit or "-", _cell(s.formula), _cell(s.source), s.confidence)
        groups.setdefault(s.group, []).append("| " + " | ".join(map(str, cells)) + " |")
    head = "| feature | takes | unit | formula | source | confidence |\n|---|---|---|---|---|---|"
    parts = ["# Features", INTRODUCTION]
    for group, rows in groups.items():
        parts += [f"## {group}", "\n".join([head, *rows])]
    masks = [
        f"| `{s.usage}` | {_cell(s.formula)} | {_cell(s.source)} | {s.confidence} |" for s in MASKS.values()
    ]
    parts += [
        "# Mask functions",
        "\n".join(["| mask | meaning | source | confidence |\n|---|---|---|---|", *masks]),
    ]
    return "\n\n".join(parts) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


INTRODUCTION = """Made from the registry (`ifcyto features --page`); a test keeps it current.

Notation: N pixels in the mask, I pixel, b stored background mean of the image, s its standard deviation,
J = I - b, p side of a pixel (um), (x, y) column and row from 0.

*Source* names sections of the project's notes on IDEAS (`ideas_features`). *Confidence*: VERIFIED holds on
real IDEAS output; VERIFIED-STAT, DOC and INFERRED are approximations; OWN is not a feature of IDEAS."""
