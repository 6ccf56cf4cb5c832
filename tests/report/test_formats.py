from __future__ import annotations

import pytest

from ifcyto.report.formats import MISSING, format_number, format_value
from ifcyto.report.model import Column

INTEGER = Column("n", kind="integer")
PERCENT = Column("x", "%", "number", 1)
P = Column("p", kind="p")
TEXT = Column("t")


@pytest.mark.parametrize(
    ("value", "column", "text"),
    [
        (35977, INTEGER, "35,977"),
        (0, INTEGER, "0"),
        (-1234, INTEGER, "−1,234"),  # noqa: RUF001
        (3.0, INTEGER, "3"),
        (2.26, PERCENT, "2.3"),
        (0, PERCENT, "0.0"),
        (-0.04, PERCENT, "0.0"),
        (-0.06, PERCENT, "−0.1"),  # noqa: RUF001
        (float("inf"), PERCENT, "inf"),
        (float("inf"), INTEGER, "inf"),
        (0.0223, P, "0.0223"),
        (0.00005, P, "< 0.0001"),
        (0.0001, P, "0.0001"),
        (1.0, P, "> 0.9999"),
        (None, P, MISSING),
        (float("nan"), INTEGER, MISSING),
        (float("nan"), TEXT, MISSING),
        ("no test", P, "no test"),
        ("", TEXT, ""),
        (True, TEXT, "yes"),
        (False, INTEGER, "no"),
        (12345, TEXT, "12,345"),
    ],
)
def test_values_of_tables(value, column, text):
    assert format_value(value, column) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (214318, "214,318"),
        (0.94712, "0.947"),
        (1.93, "1.93"),
        (0.0, "0"),
        (12345.6, "12,346"),
        (-2.5, "−2.5"),  # noqa: RUF001
        (float("nan"), MISSING),
        (None, MISSING),
        ("7 of 9", "7 of 9"),
        (True, "yes"),
    ],
)
def test_numbers_that_stand_alone(value, text):
    assert format_number(value) == text
