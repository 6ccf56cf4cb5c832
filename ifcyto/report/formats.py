"""How numbers are written in a report."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ifcyto.report.blocks import Column, Value

__all__ = ["MISSING", "format_number", "format_value", "is_numeric"]

MISSING = "\N{EN DASH}"
"""Stands where there is no value."""

_P_FLOOR = 0.0001


def is_numeric(column: Column) -> bool:
    """Whether the column is set flush right."""
    return column.kind != "text"


def format_value(value: Value, column: Column) -> str:
    """Write one value of a table.

    Parameters
    ----------
    value : str, int, float, bool or None
        None and NaN give a dash, booleans ``yes`` and ``no``; a text is left as it is
        whatever the column's kind.
    column : Column
        How to write it.

    Examples
    --------
    >>> from ifcyto.report.blocks import Column
    >>> format_value(35977, Column("cells", kind="integer"))
    '35,977'
    >>> format_value(2.26, Column("BNE", "%", kind="number", digits=1))
    '2.3'
    >>> format_value(4.5e-7, Column("p", kind="p")), format_value(None, Column("p", kind="p"))
    ('< 0.0001', '\N{EN DASH}')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if column.kind == "p":
        return _format_p(float(value))
    if column.kind == "number":
        return _signed(f"{value:,.{column.digits}f}")
    if column.kind == "integer" and math.isfinite(value):
        return _signed(f"{value:,.0f}")
    return format_number(value)


def format_number(value: Value) -> str:
    """Write a number that stands alone: integers in full, others to three digits or more.

    Examples
    --------
    >>> format_number(35977), format_number(0.94712), format_number(1234.5), format_number("7 of 9")
    ('35,977', '0.947', '1,234', '7 of 9')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return _signed(f"{value:,}")
    return _signed(f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else f"{value:.3g}")


def _format_p(p: float) -> str:
    if p < _P_FLOOR:
        return "< 0.0001"
    text = f"{p:.4f}"
    return "> 0.9999" if text == "1.0000" else text


def _signed(text: str) -> str:
    """Give negative numbers a true minus sign, and zero none."""
    if text.startswith("-"):
        return text[1:] if not text.strip("-0.,") else "\N{MINUS SIGN}" + text[1:]
    return text
