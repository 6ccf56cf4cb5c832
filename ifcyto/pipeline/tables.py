"""The CSV tables of ``results/``: their columns, how numbers are written, and the writing itself."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING, Any

from ifcyto._output import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = ["COLUMNS", "as_text", "csv_text", "defused", "table_text", "write_text"]

COLUMNS: dict[str, tuple[str, ...]] = {
    "classifications": (
        *("sample", "group", "object", "stage", "spot_count", "candidate", "spot", "fbml", "cnn", "manual"),
        *("fbml_score", "cnn_probability"),
    ),
    "frequencies": ("sample", "group", "stage", "method", "cells", "bne", "percent", "ci_low", "ci_high"),
    "tests": (
        *("stage", "method", "case", "control", "n_case", "n_control", "median_case", "median_control"),
        *("u", "p", "p_adjusted", "effect", "exact"),
        *("effect_low", "effect_high", "auc", "shift", "shift_low", "shift_high"),
    ),
    "overlap": ("group", "stage", "manual", "fbml", "cnn", "count"),
    "spot_overlap": ("group", "stage", "manual", "spot", "count"),
    "agreement": (
        *("method", "reference", "class", "support", "tp", "fp", "fn", "precision", "recall", "f1"),
        "sample",
    ),
    "confusion": ("model", "split", "true", "predicted", "count", "reference"),
    "group_tests": (
        *("stage", "method", "test", "groups", "n", "statistic", "df", "p", "p_adjusted"),
        *("first", "second", "difference"),
    ),
    "flags": (
        *("sample", "group", "stage", "method", "cells", "bne", "percent", "ci_low", "ci_high"),
        *("n_control", "limit", "verdict", "ranked_limit", "pooled_limit", "share_above"),
    ),
    "precision": (
        *("sample", "group", "stage", "method", "cells", "percent", "half_width", "step", "detectable"),
        *("wanted", "cells_needed"),
    ),
    "errors": (
        *("method", "sample", "group", "tp", "fp", "fn", "precision", "recall", "fp_share", "fn_share"),
        *("fp_doublet", "fp_irregular", "fp_other"),
    ),
    "kappa": (
        *("kind", "stage", "among", "first", "second", "objects", "kappa", "kappa_low", "kappa_high"),
        *("both", "first_only", "second_only", "neither", "jaccard", "jaccard_low", "jaccard_high"),
        "mcnemar_p",
    ),
    "bland_altman": (
        *("stage", "first", "second", "n", "bias", "bias_low", "bias_high", "sd"),
        *("lower", "lower_low", "lower_high", "upper", "upper_low", "upper_high"),
    ),
    "upset": ("group", "stage", "methods", "degree", "count"),
    "corrected": (
        *("sample", "group", "stage", "method", "cells", "bne", "percent"),
        *("confirmed", "corrected", "corrected_low", "corrected_high"),
    ),
    "corrected_tests": (
        *("stage", "method", "case", "control", "n_case", "n_control", "median_case", "median_control"),
        *("u", "p", "p_adjusted", "effect", "exact"),
        *("effect_low", "effect_high", "auc", "shift", "shift_low", "shift_high"),
        *("p_before", "p_adjusted_before"),
    ),
}
"""Table name to its columns; the leading ones are a contract, further ones may follow."""

DIGITS = 8

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a formula begins with in some spreadsheet."""


def as_text(value: Any) -> str:
    """Write one value: numbers with at most eight significant digits, nothing for None and NaN.

    Texts that a spreadsheet would take for a formula are defused; see :func:`defused`.

    Examples
    --------
    >>> [as_text(value) for value in (2 / 3, 1e-12, float("nan"), None, True, 7, 100.0)]
    ['0.66666667', '1e-12', '', '', '1', '7', '100.0']
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(float(f"{value:.{DIGITS}g}"))
    return defused(value) if isinstance(value, str) else str(value)


def defused(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe goes before one that could be.

    Those are texts that begin with ``=``, ``+``, ``-``, ``@`` (also in their full-width
    forms), a tab or an end of line [1]_. A carriage return, which would end the row for
    some readers, becomes a space.

    References
    ----------
    .. [1] OWASP, "CSV Injection", https://owasp.org/www-community/attacks/CSV_Injection.

    Examples
    --------
    >>> defused("=cmd|' /C calc'!A0"), defused("-1"), defused("MDS-01")
    ("'=cmd|' /C calc'!A0", "'-1", 'MDS-01')
    """
    plain = text.replace("\r", " ")
    return f"'{plain}" if text.startswith(FORMULA_STARTS) else plain


def table_text(name: str, rows: Iterable[Mapping[str, Any]]) -> str:
    r"""Text of the table `name`, header first, also without rows.

    Examples
    --------
    >>> table_text("overlap", [])
    'group,stage,manual,fbml,cnn,count\n'
    """
    return csv_text(COLUMNS[name], ([as_text(row[column]) for column in COLUMNS[name]] for row in rows))


def csv_text(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """CSV whose lines end in a line feed on every system."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()


def write_text(path: Path, text: str) -> Path:
    """Write a text file in UTF-8; it appears under its name when it is complete.

    Raises
    ------
    OutputError
        The disk refuses.
    """
    with replacing(path, overwrite=True) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")
    return path
