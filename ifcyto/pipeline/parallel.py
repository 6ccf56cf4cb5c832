"""Do pieces of work in threads and hand the results on in order.

Threads suffice because the kernels, the deflate library and file reads release
the interpreter lock; only a bounded number of results exists at any time.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

__all__ = ["Progress", "in_background", "in_order", "n_workers", "no_progress"]

Progress = Callable[[str, int, int], None]
"""``progress(task, done, total)``: called now and then; `total` is 0 while it is not known."""

Task = TypeVar("Task")
Result = TypeVar("Result")


def no_progress(task: str, done: int, total: int) -> None:
    """Tell nobody."""


def n_workers(workers: int | None) -> int:
    """Number of threads: `workers`, or one per core that this process may use.

    Raises
    ------
    UsageError
        `workers` is below 1.

    Examples
    --------
    >>> n_workers(3)
    3
    """
    if workers is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if workers < 1:
        msg = f"expected at least 1 worker, found {workers}"
        raise UsageError(msg)
    return workers


def in_background(function: Callable[[], Result]) -> Future[Result]:
    """Call `function` in a thread that does not keep the process alive.

    Returns
    -------
    concurrent.futures.Future
        Gives what `function` returned or raised.

    Examples
    --------
    >>> in_background(lambda: 7).result()
    7
    """
    future: Future[Result] = Future()

    def call() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
            future.set_exception(error)

    threading.Thread(target=call, name="ifcyto-background", daemon=True).start()
    return future


def in_order(
    function: Callable[[Task], Result], tasks: Iterable[Task], *, workers: int, ahead: int = 2
) -> Generator[Result]:
    """Apply `function` to every task in a pool of threads; yield the results in the order of the tasks.

    Whoever stops early closes the generator, which ends the threads.

    Parameters
    ----------
    function : callable
        Safe to call from several threads at once.
    tasks : iterable
        Taken as they are needed, never all at once.
    workers : int
        Threads.
    ahead : int
        Results that may wait or be in the making besides one per thread.

    Yields
    ------
    result
        The first exception of `function` is raised in its place in the order;
        work that has not begun is then dropped.

    Examples
    --------
    >>> list(in_order(abs, [-3, 2, -1], workers=2))
    [3, 2, 1]
    """
    waiting: deque[Future[Result]] = deque()
    remaining = iter(tasks)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="ifcyto")
    try:
        waiting.extend(pool.submit(function, task) for task in islice(remaining, workers + ahead))
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(pool.submit(function, task) for task in islice(remaining, 1))
            yield result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
