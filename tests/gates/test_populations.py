"""Trees of populations: parents, circles, counts, tags; and the statistics of each."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from ifcyto.errors import GateError
from ifcyto.gates.gate import Gate
from ifcyto.gates.members import populate
from ifcyto.gates.portable import portable
from ifcyto.gates.shapes import Range
from ifcyto.gates.statistics import describe, mode, statistics_table
from ifcyto.gates.tree import MAX_POPULATIONS, Population, make_gate_set

LARGE = Gate("large", ("Area_M01",), Range(low=50))
ROUND = Gate("round", ("Aspect Ratio_M01",), Range(0.6, 1))
OBJECTS = np.array([3, 1, 4, 15, 9])
COLUMNS = {
    "Area_M01": np.array([60.0, 40.0, 80.0, np.nan, 50.0]),
    "Aspect Ratio_M01": np.array([0.9, 0.9, 0.5, 0.9, 0.6]),
}


def small_set(*more: Population):
    return make_gate_set(
        [LARGE, ROUND],
        [
            Population("Round & large", parent="Large", gate="round"),
            Population("Large", gate="large"),
            Population("Rest", definition="Not|Large"),
            *more,
        ],
    )


def test_counts_and_percentages_by_hand():
    found = populate(small_set(Population("Tagged", parent="Large", tagged=(4, 1))), COLUMNS, OBJECTS)
    rows = {
        row.population: (row.parent, row.count, row.percent_parent, row.percent_all) for row in found.counts()
    }
    assert list(rows) == ["All", "Round & large", "Large", "Rest", "Tagged"]
    assert rows["All"] == ("", 5, 100.0, 100.0)
    assert rows["Large"] == ("All", 3, 60.0, 60.0)
    assert rows["Round & large"] == ("Large", 2, pytest.approx(200 / 3), 40.0)
    assert rows["Rest"] == ("All", 2, 40.0, 40.0)  # an object without an area is not large
    assert found.object_numbers("Round & large").tolist() == [3, 9]
    assert found.object_numbers("Tagged").tolist() == [4]  # 1 is tagged, but not large
    assert found.empty() == ()


def test_an_empty_parent_has_no_percentages():
    gates = small_set(
        Population("None", parent="Rest", gate="large"), Population("Less", "None", gate="round")
    )
    found = populate(gates, COLUMNS, OBJECTS)
    assert found.empty() == ("None", "Less")
    last = found.counts()[-1]
    assert (last.count, last.percent_all) == (0, 0.0)
    assert math.isnan(last.percent_parent)


def test_only_what_is_asked_for_needs_its_features():
    columns = {"Area_M01": COLUMNS["Area_M01"]}
    found = populate(small_set(), columns, OBJECTS, only=["Rest"])
    assert list(found.members) == ["All", "Large", "Rest"]
    assert small_set().columns(["Rest"]) == ("Area_M01",)
    with pytest.raises(GateError, match="gate 'round': no feature 'Aspect Ratio_M01' among the 1 "):
        populate(small_set(), columns, OBJECTS)


def test_every_object_has_its_number_as_a_feature():
    gates = make_gate_set([Gate("n", ("Object Number",), Range(3, 9))], [Population("n", gate="n")])
    assert populate(gates, {}, OBJECTS).object_numbers("n").tolist() == [3, 4, 9]


def test_a_missing_feature_is_answered_with_the_nearest():
    with pytest.raises(GateError, match=r"gate 'large': no feature 'Area_M01'.*did you mean 'Area_M02'\?"):
        populate(small_set(), {"Area_M02": COLUMNS["Area_M01"]}, OBJECTS, only=["Large"])
    with pytest.raises(GateError, match=r"'Area_M01': expected 5 values, one an object, found \(4,\)"):
        populate(small_set(), {"Area_M01": np.ones(4)}, OBJECTS, only=["Large"])


def test_tags_of_objects_that_do_not_exist_are_refused():
    gates = small_set(Population("Tagged", tagged=(4, 7, 500, 500)))
    message = "population 'Tagged': 2 of 3 tagged objects do not exist among the 5 objects: 7, 500"
    with pytest.raises(GateError, match=message):
        populate(gates, COLUMNS, OBJECTS)


@pytest.mark.parametrize(
    ("populations", "message"),
    [
        ([("A", "B", "A")], "population 'A': no population 'B'"),
        ([("A", "A", "A")], "populations need one another in a circle: A -> A"),
        ([("A", "", "A")], "circle: A -> A"),
        ([("A", "C", "D"), ("B", "A", "D"), ("C", "B", "D"), ("D", "", "All")], "circle: A -> C -> B -> A"),
        ([("A", "", "D|Or|B"), ("B", "", "Not|A"), ("D", "", "All")], "circle: A -> B -> A"),
        (
            [("A", "", "All"), ("A", "", "All")],
            "the name of each population once, found 'A' 2 times",
        ),
        (
            [("Focused", "", "All"), ("A", "", "Not|Focussed")],
            "no population 'Focussed'; did you mean 'Focu",
        ),
        ([("A", "", "All|And")], "population 'A': expected a population, Not or an opening bracket"),
    ],
)
def test_what_makes_no_tree_is_refused(populations, message):
    with pytest.raises(GateError, match=message.replace("|", "\\|")):
        make_gate_set([], [Population(name, parent, definition=text) for name, parent, text in populations])


def test_a_long_chain_and_a_long_circle_are_walked_without_recursion():
    chain = [Population(f"p{i}", f"p{i + 1}", definition="All") for i in range(MAX_POPULATIONS - 2)]
    end = Population(f"p{len(chain)}", definition="All")
    found = populate(make_gate_set([], [*chain, end]), {}, OBJECTS)
    assert len(found.members) == MAX_POPULATIONS
    with pytest.raises(GateError, match=r"circle: p0 -> p1 -> .* -> p0$"):
        make_gate_set([], [*chain, Population(f"p{len(chain)}", "p0", definition="All")])
    with pytest.raises(GateError, match=f"expected at most {MAX_POPULATIONS} populations, found"):
        make_gate_set([], [*chain, end] * 2)


def test_a_population_is_defined_in_one_way():
    with pytest.raises(GateError, match="expected a name and one of gate, definition and tagged"):
        Population("A", gate="large", tagged=(1,))
    with pytest.raises(GateError, match="expected a gate or a definition, found nothing but a parent"):
        Population("A", "All")
    with pytest.raises(GateError, match="population 'A': no gate 'larg'; did you mean 'large'"):
        make_gate_set([LARGE], [Population("A", gate="larg")])


def test_tags_and_what_is_made_of_them_stay_behind():
    gates = small_set(
        Population("Tagged", tagged=(1,)), Population("Mine", definition="Tagged|Or|Large"), Population("All")
    )
    left, lost = portable(gates)
    assert lost == ("Tagged", "Mine")
    assert left.names == ("Round & large", "Large", "Rest", "All")


def test_statistics_against_scipy(rng):
    values = rng.normal(20, 8, 501)
    found = describe(np.append(values, [np.nan, np.nan]), volume=2.0)
    assert (found.count, found.nans, found.concentration) == (503, 2, 251.5)
    assert (found.min, found.max) == (values.min(), values.max())
    assert found.mean == pytest.approx(stats.tmean(values), rel=1e-14)
    assert found.median == np.median(values)
    assert found.geomean == pytest.approx(stats.gmean(values[values > 0]), rel=1e-13)
    assert found.variance == pytest.approx(stats.tvar(values), rel=1e-13)
    assert found.stddev == pytest.approx(stats.tstd(values), rel=1e-13)
    assert found.cv == pytest.approx(100 * stats.variation(values, ddof=1), rel=1e-13)
    assert found.mad == pytest.approx(1.4826 * stats.median_abs_deviation(values), rel=1e-14)


def test_statistics_of_few_values():
    empty = describe(np.array([]), volume=0.5)
    assert (empty.count, empty.concentration) == (0, 0.0)
    assert all(math.isnan(getattr(empty, name)) for name in ("nans", "min", "mean", "mode", "mad", "stddev"))
    one = describe(np.array([7.0]))
    assert (one.stddev, one.variance, one.cv, one.mad, one.mode, one.geomean) == (
        0,
        0,
        0,
        0,
        7,
        pytest.approx(7),
    )
    assert math.isnan(one.concentration)
    lost = describe(np.array([np.nan, np.nan]))
    assert (lost.count, lost.nans) == (2, 2)
    assert math.isnan(lost.median)
    below = describe(np.array([-2.0, 0.0, 2.0]))
    assert math.isnan(below.cv)  # the mean is 0
    assert below.geomean == pytest.approx(2)
    assert math.isnan(describe(np.array([-1.0])).geomean)
    assert math.isnan(describe(np.array([1.0, np.inf])).mode)


def slow_mode(values):
    """The definition of the reference page, bin by bin."""
    low, width = min(values), (max(values) - min(values)) / 1024
    bins = [0] * 1025
    for value in values:
        bins[1 + min(int((value - low) / width), 1023)] += 1
    sums = [sum(bins[i - 5 : i + 6]) for i in range(5, 1020)]
    return low + (5 + sums.index(max(sums)) + 0.5) * width


def test_the_mode_is_that_of_its_slow_twin(rng):
    for n in (2, 3, 40, 400):
        values = rng.gamma(3.0, 100.0, n)
        assert mode(values) == pytest.approx(slow_mode(values.tolist()), rel=1e-12)


def test_the_table_has_one_row_a_population_and_feature():
    found = populate(small_set(), COLUMNS, OBJECTS)
    rows = statistics_table(found, COLUMNS, ["Area_M01", "Aspect Ratio_M01"])
    assert [row[:2] for row in rows[:3]] == [
        ("All", "Area_M01"),
        ("All", "Aspect Ratio_M01"),
        ("Round & large", "Area_M01"),
    ]
    assert (rows[2][2].mean, rows[0][2].nans) == (55.0, 1)
    with pytest.raises(GateError, match="statistics: no feature 'Area_M1' among 2; did you mean 'Area_M01'"):
        statistics_table(found, COLUMNS, ["Area_M1"])
