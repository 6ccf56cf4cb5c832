"""Truth: order, classes, the rest class, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.classify.truth import make_truth
from ifcyto.errors import UsageError


def tags(**counts: int) -> dict[tuple[str, int], str]:
    """So many objects of each class, numbered on, of one sample."""
    names = [name for name, count in counts.items() for _ in range(count)]
    return {("MDS01", number): name for number, name in enumerate(names)}


def test_objects_of_several_samples_are_sorted_whatever_the_order_of_tagging():
    entries = {("b", 7): "BNE", ("a", 9): "Doublet", ("b", 0): "Doublet", ("a", 3): "BNE"}
    truth, _ = make_truth(entries)
    assert truth.samples.tolist() == ["a", "a", "b", "b"]
    assert truth.objects.tolist() == [3, 9, 0, 7]
    assert truth.objects.dtype == np.int64
    assert truth.labels.tolist() == ["BNE", "Doublet", "Doublet", "BNE"]
    again, _ = make_truth([(*key, label) for key, label in reversed(entries.items())])
    assert again.labels.tolist() == truth.labels.tolist()


def test_classes_are_sorted_or_in_the_order_asked_for():
    assert make_truth(tags(b=30, a=30))[0].classes == ("a", "b")
    truth, notes = make_truth(tags(b=30, a=26), ["b", "a"])
    assert (truth.classes, truth.counts(), notes) == (("b", "a"), {"b": 30, "a": 26}, ())


def test_a_class_below_the_minimum_is_noted():
    _, notes = make_truth(tags(BNE=24, Doublet=25))
    assert notes == ("class BNE: 24 objects, 25 or more are advised",)
    assert make_truth(tags(BNE=24, Doublet=25), minimum=24)[1] == ()
    assert len(make_truth(tags(BNE=2, Doublet=2))[1]) == 2


def test_other_tags_become_the_rest_class():
    entries = tags(BNE=3, Doublet=4, budding=2, oval=1)
    truth, _ = make_truth(entries, ["BNE", "Doublet"], rest="Irregular")
    assert truth.counts() == {"BNE": 3, "Doublet": 4, "Irregular": 3}
    first, _ = make_truth(entries, ["Irregular", "BNE"], rest="Irregular")
    assert first.counts() == {"Irregular": 7, "BNE": 3}


@pytest.mark.parametrize(
    ("entries", "classes", "expected"),
    [
        ({}, None, "two or more classes, found no tagged object"),
        (tags(BNE=30), None, "two or more classes, found 'BNE' alone"),
        (tags(BNE=30, Doublet=1, Irregular=30), None, r"fewer of Doublet \(1\)"),
        (tags(BNE=30, Doublet=30), ["BNE", "Doublet", "Oval"], r"fewer of Oval \(0\)"),
        (tags(BNE=30, Doublet=30, x=2), ["BNE", "Doublet"], r"found 'x' \(2 objects\): name these classes"),
        (tags(BNE=30, Doublet=30), ["BNE", "Doublet", "BNE"], "different classes"),
        (tags(BNE=30, Unknown=30), None, "leave untagged objects out"),
        ({("a", 0): " "}, None, "expected the name of a class, found ' '"),
        ({("a", -1): "BNE"}, None, "counted from 0, found -1"),
        ({("a", 1.0): "BNE"}, None, "counted from 0, found 1.0"),
        ({("a", True): "BNE"}, None, "counted from 0, found True"),
    ],
)
def test_truth_that_cannot_be_is_refused(entries, classes, expected):
    with pytest.raises(UsageError, match=expected):
        make_truth(entries, classes)


def test_objects_tagged_twice_with_different_classes_are_listed():
    rows = [("a", number, name) for name in ("BNE", "Doublet") for number in range(8)]
    with pytest.raises(UsageError) as error:
        make_truth(rows)
    message = str(error.value)
    assert "found 8 tagged twice" in message
    assert "a object 0 (BNE, Doublet); a object 1 (BNE, Doublet)" in message
    assert "object 4" in message
    assert "object 5" not in message
    assert "and 3 more" in message


def test_an_object_tagged_twice_with_the_same_class_counts_once():
    rows = [("a", 0, "BNE"), ("a", 0, "BNE"), ("a", 1, "BNE"), ("b", 0, "Doublet"), ("b", 1, "Doublet")]
    truth, notes = make_truth(rows, minimum=2)
    assert truth.counts() == {"BNE": 2, "Doublet": 2}
    assert notes == ("1 objects were tagged twice with the same class and count once",)
