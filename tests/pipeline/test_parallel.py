from __future__ import annotations

import threading

import pytest

from ifcyto.errors import UsageError
from ifcyto.pipeline.parallel import in_order, n_workers


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_results_come_in_the_order_of_the_tasks(workers):
    assert list(in_order(lambda x: x * x, range(100), workers=workers)) == [x * x for x in range(100)]


def test_only_a_bounded_number_of_tasks_is_taken():
    taken = []

    def tasks():
        for number in range(1000):
            taken.append(number)
            yield number

    results = in_order(lambda x: x, tasks(), workers=2, ahead=3)
    next(results)
    assert len(taken) <= 2 + 3 + 1
    results.close()
    assert len(taken) <= 2 + 3 + 1


def test_a_failure_is_raised_in_its_place_and_stops_the_rest():
    begun = []

    def work(number):
        begun.append(number)
        if number == 3:
            msg = "number 3"
            raise ValueError(msg)
        return number

    results = in_order(work, range(1000), workers=2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="number 3"):
        next(results)
    assert len(begun) < 20
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ifcyto")]


def test_number_of_workers():
    assert n_workers(None) >= 1
    with pytest.raises(UsageError, match="at least 1 worker, found 0"):
        n_workers(0)
