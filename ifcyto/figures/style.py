"""One look for every figure: sizes, colours, fonts and how a figure becomes files.

Figures are plain :class:`matplotlib.figure.Figure` objects; the state machine of
``pyplot`` is never used, so that figures can be drawn in any thread or process.
Sizes follow journal columns (85 mm and 174 mm) and no text is below 6 points.
Colours are the palette of Okabe and Ito, made for colour-blind readers [1]_.

References
----------
.. [1] M. Okabe, K. Ito, "Color Universal Design", J*FLY, 2008.
"""

from __future__ import annotations

import math
import re
import unicodedata
import warnings
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context, rcParamsDefault
from matplotlib.figure import Figure

from ifcyto._output import refuse_existing, replacing

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "COLUMN_MM",
    "DPI",
    "INK",
    "MUTED",
    "PAGE_MM",
    "PALETTE",
    "STYLE",
    "colour",
    "figure_name",
    "format_p",
    "new_figure",
    "save_figure",
    "styled",
    "text_colour",
]

COLUMN_MM = 85.0
"""Width of one journal column, in millimetres."""
PAGE_MM = 174.0
"""Width of a journal page (two columns), in millimetres."""
DPI = 300
"""Resolution of the PNG files, in pixels per inch."""
PREVIEW_DPI = 200
"""Resolution of the pictures that stand in for a PNG on a page."""
INK = "#222222"
"""Colour of text, axes and lines."""
MUTED = "#666666"
"""Colour of secondary text."""

PALETTE: tuple[str, ...] = (
    "#0072B2",  # blue
    "#D55E00",  # vermilion
    "#009E73",  # bluish green
    "#E69F00",  # orange
    "#56B4E9",  # sky blue
    "#CC79A7",  # reddish purple
    "#F0E442",  # yellow
    "#999999",  # grey
)
"""Okabe-Ito, strongest contrasts first; grey stands in for black, which is the ink."""

STYLE: dict[str, Any] = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.labelsize": 7.5,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 8,
    "axes.titleweight": "bold",
    "figure.facecolor": "white",
    "figure.titlesize": 8.5,
    "figure.titleweight": "bold",
    "font.family": ["DejaVu Sans"],
    "font.size": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "path.simplify": False,
    "pdf.fonttype": 42,  # TrueType: text stays text in the file
    "savefig.facecolor": "white",
    "text.color": INK,
    "text.parse_math": False,  # a "$" in a sample's name is a dollar
    "xtick.color": INK,
    "xtick.labelsize": 7,
    "xtick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "ytick.color": INK,
    "ytick.labelsize": 7,
    "ytick.major.size": 2.5,
    "ytick.major.width": 0.6,
}
"""Settings of matplotlib under which every figure is drawn and saved."""

_OF_THE_SESSION = ("backend", "figure.hooks", "interactive", "keymap", "timezone", "tk.", "toolbar", "webagg")
_SETTINGS: Any = {key: rcParamsDefault[key] for key in rcParamsDefault if not key.startswith(_OF_THE_SESSION)}
_SETTINGS.update(STYLE)

styled = rc_context(_SETTINGS)
"""Decorator that draws under :data:`STYLE`, whatever the user's own settings are."""

_MM_PER_INCH = 25.4
_P_FLOOR = 0.0001


def new_figure(width_mm: float, height_mm: float, *, layout: str | None = "constrained") -> Figure:
    """Make an empty figure of a size in millimetres.

    Parameters
    ----------
    width_mm, height_mm : float
        Size on paper.
    layout : {"constrained", None}
        Layout engine; None when the caller places everything itself.

    Examples
    --------
    >>> new_figure(COLUMN_MM, 60).get_size_inches().round(2).tolist()
    [3.35, 2.36]
    """
    size = (width_mm / _MM_PER_INCH, height_mm / _MM_PER_INCH)
    return Figure(figsize=size, dpi=DPI, layout="constrained" if layout == "constrained" else None)


def colour(index: int) -> str:
    """Colour of the group, method or class at a position; repeats after eight."""
    return PALETTE[index % len(PALETTE)]


def text_colour(index: int) -> str:
    """Darker shade of :func:`colour`, for text on white: contrast at least 4.5 to 1.

    Examples
    --------
    >>> colour(3), text_colour(3)
    ('#E69F00', '#8A5F00')
    """
    red, green, blue = (int(colour(index)[i : i + 2], 16) for i in (1, 3, 5))
    share = 0.6 if (red, green, blue) != (0xF0, 0xE4, 0x42) else 0.5
    return "#" + "".join(f"{round(share * part):02X}" for part in (red, green, blue))


def format_p(p: float | None) -> str:
    """Write a p value as the field does: four decimals, ``p < 0.0001`` below that.

    Parameters
    ----------
    p : float or None
        Between 0 and 1; None or NaN when no test was possible.

    Examples
    --------
    >>> format_p(0.0223), format_p(4.5e-7), format_p(1.0), format_p(float("nan"))
    ('p = 0.0223', 'p < 0.0001', 'p > 0.9999', 'no test')
    """
    if p is None or math.isnan(p):
        return "no test"
    if p < _P_FLOOR:
        return "p < 0.0001"
    text = f"{p:.4f}"
    return "p > 0.9999" if text == "1.0000" else f"p = {text}"


def figure_name(*parts: str) -> str:
    """Make a safe file name (without extension) from any words, such as group and stage.

    Different words can give the same name (``MDS 1`` and ``MDS_1``); the caller
    numbers them where that matters.

    Examples
    --------
    >>> figure_name("Venn", "ProE", "ICUS/CCUS")
    'venn_proe_icus-ccus'
    """
    words = []
    for part in parts:
        plain = unicodedata.normalize("NFKD", part).encode("ascii", "ignore").decode().lower()
        words.append(re.sub(r"[^a-z0-9]+", "-", plain).strip("-"))
    return "_".join(word for word in words if word) or "figure"


def save_figure(
    figure: Figure, folder: Path, name: str, *, overwrite: bool = False, preview: Path | None = None
) -> tuple[Path, Path]:
    """Write a figure as PNG (300 dpi) and as PDF; the same figure gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What to write.
    folder : pathlib.Path
        Made if it does not exist.
    name : str
        File name without extension; see :func:`figure_name`.
    overwrite : bool
        Replace files of that name.
    preview : pathlib.Path, optional
        Write a small WebP picture as well, for a page; one of cells has about a fifth of
        the size of the PNG. Replaces what is there.

    Returns
    -------
    png, pdf : pathlib.Path
        The two files. Neither holds a date or the version of a library.

    Raises
    ------
    ValueError
        `name` is not a plain file name.
    OutputError
        A file exists and `overwrite` is not set, or the disk refuses.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        msg = f"expected a plain file name of letters, digits, '.', '_' and '-', found {name!r}"
        raise ValueError(msg)
    png, pdf = folder / f"{name}.png", folder / f"{name}.pdf"
    for path in (png, pdf):
        refuse_existing(path, overwrite=overwrite)
    _write(figure, png, {"Software": None})
    _write(figure, pdf, {"CreationDate": None, "Creator": "ifcyto", "Producer": None})
    if preview is not None:
        _write(figure, preview, None)
    return png, pdf


def _write(figure: Figure, path: Path, metadata: dict[str, str | None] | None) -> None:
    with replacing(path, overwrite=True) as temporary, rc_context(_SETTINGS), warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as boxes; the report has it in full.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font", category=UserWarning)
        if metadata is None:
            figure.savefig(temporary, format="webp", dpi=PREVIEW_DPI, pil_kwargs={"quality": 85})
        else:
            figure.savefig(temporary, format=path.suffix[1:], dpi=DPI, metadata=metadata)
