from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from ifcyto.compare.frequency import Frequency, frequency
from ifcyto.errors import UsageError


def test_published_intervals(truth):
    for row in truth["proportion"]:
        found = frequency(row["positives"], row["cells"], method=row["method"], level=row["level"])
        half_unit = 0.5000001 * 10 ** -row["digits"]
        assert found.ci_low / 100 == pytest.approx(row["low"], abs=half_unit), row
        assert found.ci_high / 100 == pytest.approx(row["high"], abs=half_unit), row
        assert found.percent == pytest.approx(100 * row["positives"] / row["cells"])


@pytest.mark.parametrize(("method", "theirs"), [("wilson", "wilson"), ("clopper-pearson", "exact")])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
def test_against_scipy(method, theirs, level, rng):
    pairs = [(0, 1), (1, 1), (3, 489), (0, 68_503), (68_503, 68_503), (1, 5_953)]
    pairs += [(int(rng.integers(0, n + 1)), int(n)) for n in rng.integers(1, 70_000, 40)]
    for positives, cells in pairs:
        expected = stats.binomtest(positives, cells).proportion_ci(level, method=theirs)
        found = frequency(positives, cells, method=method, level=level)
        np.testing.assert_allclose(
            [found.ci_low, found.ci_high], [100 * expected.low, 100 * expected.high], rtol=1e-10, atol=1e-9
        )
        assert 0 <= found.ci_low <= found.percent <= found.ci_high <= 100


def test_no_cells_say_nothing():
    found = frequency(0, 0)
    assert (found.cells, found.positives) == (0, 0)
    assert all(math.isnan(v) for v in (found.percent, found.ci_low, found.ci_high))


def test_none_and_all_reach_the_ends():
    for method in ("wilson", "clopper-pearson"):
        assert frequency(0, 489, method=method).ci_low == 0.0
        assert frequency(489, 489, method=method).ci_high == 100.0


def test_numpy_counts_give_plain_numbers():
    found = frequency(np.int64(3), np.uint16(50))
    assert found == frequency(3, 50)
    assert [type(v) for v in (found.cells, found.positives)] == [int, int]
    assert isinstance(found, Frequency)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((3, 2), {}, "at most as many positives as cells, found 3 of 2"),
        ((-1, 2), {}, "expected positives to be a whole number of at least 0, found -1"),
        ((1, -2), {}, "expected cells to be a whole number"),
        ((1.5, 2), {}, "expected positives to be a whole number"),
        ((math.nan, 2), {}, "expected positives to be a whole number"),
        ((math.inf, 2), {}, "expected positives to be a whole number"),
        (("3", 5), {}, "expected positives to be a whole number"),
        ((True, 2), {}, "expected positives to be a whole number"),
        ((1, 2), {"level": 1.0}, "expected a level between 0 and 1"),
        ((1, 2), {"level": 95}, "expected a level between 0 and 1"),
        ((1, 2), {"level": math.nan}, "expected a level between 0 and 1"),
        ((1, 2), {"method": "wald"}, "expected method 'wilson' or 'clopper-pearson', found 'wald'"),
    ],
)
def test_refusals(arguments, options, message):
    with pytest.raises(UsageError, match=message):
        frequency(*arguments, **options)
