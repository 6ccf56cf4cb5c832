"""The other process: reads a task from a folder, does it, and writes the answer beside it.

``python -P -m ifcyto.review.worker FOLDER`` is started by :class:`ifcyto.review.errands.Errand`
alone. Every line of its output is a JSON object: ``progress`` or ``failed``.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.errors import IfcytoError
from ifcyto.provenance import json_text
from ifcyto.review.errands import ARRAYS, DOCUMENT, MADE, RESULT, Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TextIO

    from numpy.typing import NDArray

    from ifcyto.pipeline.parallel import Progress

__all__ = ["TASKS", "main"]

EVERY = 0.1
"""Seconds between two words on progress."""


def group(document: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], progress: Progress) -> Answer:
    """Group objects by values that were given, or by what a model tells its classes from."""
    from ifcyto.review.grouping import grouped
    from ifcyto.review.judging import looked_at
    from ifcyto.review.truth_data import TruthData

    rows, names, values = arrays["rows"], document["names"], arrays.get("values")
    if document["model"] is not None:
        data = TruthData.from_parts(document, arrays)
        names, values = looked_at(data, rows, document["model"], progress=progress)
    if values is None:
        msg = "expected values or a model to group by"
        raise ValueError(msg)
    found = grouped(rows, names, values, groups=document["groups"], seed=document["seed"], progress=progress)
    return found.to_answer()


def learn(document: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], progress: Progress) -> Answer:
    """Train a network on the tags, and suggest by it."""
    from ifcyto.classify.cnn.options import CnnOptions
    from ifcyto.review.judging import learn_network
    from ifcyto.review.truth_data import TruthData

    options, place = CnnOptions(**document["options"]), Path(document["folder"]) / MADE
    data = TruthData.from_parts(document, arrays)
    return learn_network(
        data, place, options=options, channels=document["channels"],
        order=document["order"], n=document["n"], progress=progress,
    ).to_answer()  # fmt: skip


def judge(document: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], progress: Progress) -> Answer:
    """Suggest by a model that there is already."""
    from ifcyto.review.judging import judge_by
    from ifcyto.review.truth_data import TruthData

    data = TruthData.from_parts(document, arrays)
    return judge_by(
        data, document["model"], order=document["order"], n=document["n"], seed=document["seed"],
        progress=progress,
    ).to_answer()  # fmt: skip


TASKS: dict[str, Callable[[Mapping[str, Any], Mapping[str, NDArray[Any]], Progress], Answer]] = {
    "group": group,
    "judge": judge,
    "learn": learn,
}
"""What can be asked for."""


def main(folder: Path) -> int:
    """Do the task of a folder; 0 when the answer lies there."""
    say = _Voice()
    threading.Thread(target=_end_with_parent, args=[folder], daemon=True).start()
    try:
        document = json.loads((folder / DOCUMENT).read_text(encoding="utf-8"))
        with np.load(folder / ARRAYS, allow_pickle=False) as file:
            arrays = dict(file.items())
        answer = TASKS[document["task"]]({**document, "folder": str(folder)}, arrays, say.progress)
        np.savez(folder / f"{RESULT}.npz", allow_pickle=False, **answer.arrays)
        (folder / f"{RESULT}.json").write_text(json_text(answer.document), encoding="utf-8")
    except IfcytoError as error:
        say.line({"failed": str(error)})
        return error.exit_code
    except OSError as error:
        say.line({"failed": f"{error.filename or 'input or output'}: {error.strerror or error}"})
        return 2
    except MemoryError:
        say.line({"failed": "There is not enough memory for this."})
        return 2
    return 0


class _Voice:
    """Lines to the parent; what libraries print goes to the error output."""

    def __init__(self) -> None:
        self._out: TextIO = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        self._last, self._task = 0.0, ""

    def line(self, message: Mapping[str, Any]) -> None:
        self._out.write(json.dumps(message) + "\n")
        self._out.flush()

    def progress(self, task: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._last >= EVERY or task != self._task or done == total:
            self._last, self._task = now, task
            self.line({"progress": [task, int(done), int(total)]})


def _end_with_parent(folder: Path) -> None:
    """The parent holds our input open as long as it lives."""
    while os.read(0, 1024):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(3)


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
