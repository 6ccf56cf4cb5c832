"""Feature values from FCS files (2.0 to 3.1), one event an object; through flowio.

What a file says of itself is held against its size before anything is decoded, so that
a lie is an error and not a full memory.

References
----------
Spidlen et al. 2010, "Data File Standard for Flow Cytometry, version FCS 3.1",
Cytometry A 77A:97-100.
"""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from flowio import FlowData

from ifcyto.errors import FormatError
from ifcyto.readers.columns import FeatureColumns, check_names, is_object_number, whole_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["CLASS", "KEYWORDS", "NUMBER_HIGH", "NUMBER_LOW", "PROBABILITY", "read_fcs"]

CLASS, PROBABILITY = "Class", "Probability"
NUMBER_HIGH, NUMBER_LOW = "Object Number High", "Object Number Low"
"""Two parameters instead of one where object numbers are too large for float32."""
SPLIT = 2**24
KEYWORDS = {
    "columns": "ifcyto_columns",
    "classes": "ifcyto_classes",
    "pixel_size_um": "ifcyto_pixel_size_um",
    "sample": "smno",
}
"""Keywords of our own files: names of the features and classes as JSON, and two facts."""

MAGIC = (b"FCS2.0", b"FCS3.0", b"FCS3.1", b"FCS3.2")
HEADER_BYTES = 58
MAX_TEXT = 1 << 26
MAX_PARAMETERS = 10_000
BITS = {"F": (32,), "D": (64,), "I": (8, 16, 32)}
"""Bits of one value, by type of data; ASCII data is not read."""


def read_fcs(path: Path | str) -> FeatureColumns:
    """Read an FCS file as a feature table.

    Parameters
    ----------
    path : path-like
        Holds one data set in list mode.

    Returns
    -------
    FeatureColumns
        Names are those of ``$PnN``, or the full names that ifcyto stored. The parameter
        ``Object Number`` gives the object numbers; without it, events are numbered from
        0 and a note says so. Values that are not finite are NaN. Logarithmic and
        amplified parameters are brought to linear scale; a spillover matrix is not applied.

    Raises
    ------
    FormatError
        The file is missing, is no FCS file, or says something of itself that is not so:
        offsets, number of events or parameters, sizes; or names or object numbers repeat.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            header = _header(path, file, size)
            _check(path, _flow(path, file, size, only_text=True).text, header, size)
            data = _flow(path, file, size)
    except OSError as error:
        raise FormatError(path, f"cannot be read: {error.strerror or error}") from error
    return _table(path, data, _decoded(path, data))


class _Bounded:
    """A file of which nobody reads past its end: array.fromfile reserves what it is asked for."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file = file
        self.size = size
        self.seek, self.tell = file.seek, file.tell

    def read(self, n: int) -> bytes:
        return self.file.read(max(0, min(n, self.size - self.file.tell())))

    def close(self) -> None:
        """Left to whoever opened the file."""


def _header(path: Path, file: BinaryIO, size: int) -> dict[str, int]:
    """Offsets in the first 58 bytes, held against the size of the file."""
    file.seek(0)
    head = file.read(HEADER_BYTES)
    if head[:6] not in MAGIC:
        raise FormatError(path, f"expected an FCS file, found {head[:6]!r} at its beginning", offset=0)
    if len(head) < HEADER_BYTES:
        raise FormatError(path, f"expected a header of {HEADER_BYTES} bytes, found {len(head)}", offset=0)
    found: dict[str, int] = {}
    for place, name in enumerate(("text", "text end", "data", "data end", "analysis", "analysis end")):
        at = 10 + 8 * place
        word = head[at : at + 8].decode("latin-1").strip() or ("0" if name.startswith("analysis") else "")
        found[name] = _whole(path, f"offset of {name} in the header", word)
    if not HEADER_BYTES <= found["text"] < found["text end"] < size:
        where = f"{found['text']} to {found['text end']}"
        raise FormatError(path, f"expected the TEXT segment inside its {size} bytes, found {where}")
    if found["text end"] - found["text"] > MAX_TEXT:
        n_bytes = found["text end"] - found["text"]
        raise FormatError(path, f"expected at most {MAX_TEXT} bytes of keywords, found {n_bytes}")
    _check_analysis(path, found["analysis"], found["analysis end"], size)
    return found


def _check_analysis(path: Path, begin: int, end: int, size: int) -> None:
    if begin != end and not 0 < begin < end < size:
        msg = f"expected the ANALYSIS segment inside its {size} bytes, found {begin} to {end}"
        raise FormatError(path, msg)


def _flow(path: Path, file: BinaryIO, size: int, *, only_text: bool = False) -> FlowData:
    """Let flowio parse; whatever it raises or warns of is one error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return FlowData(_Bounded(file, size), only_text=only_text)
    except Exception as error:  # flowio raises what the damage happens to cause
        reason = str(error).splitlines()[0] if str(error) else "no reason given"
        raise FormatError(path, f"is no sound FCS file: {type(error).__name__}: {reason[:200]!a}") from error


def _check(path: Path, text: Mapping[str, str], header: Mapping[str, int], size: int) -> None:
    """Hold the keywords against one another and against the size of the file."""
    n_parameters = _keyword(path, text, "par")
    n_events = _keyword(path, text, "tot")
    if not 1 <= n_parameters <= MAX_PARAMETERS:
        raise FormatError(path, f"expected $PAR from 1 to {MAX_PARAMETERS}, found {n_parameters}")
    named = {key for key in text if key[:1] == "p" and key[-1:] == "n" and key[1:-1].isdecimal()}
    absent = [n for n in range(1, n_parameters + 1) if f"p{n}n" not in named]
    if absent or len(named) != n_parameters:
        msg = f"expected names of {n_parameters} parameters ($PAR), found {len(named)}"
        raise FormatError(path, msg)
    mode, kind = text.get("mode", "").strip().upper(), text.get("datatype", "").strip().upper()
    if mode != "L" or kind not in BITS:
        msg = f"expected numbers in list mode, found $MODE {mode[:20]!r} and $DATATYPE {kind[:20]!r}"
        raise FormatError(path, msg)
    widths = [_keyword(path, text, f"p{n}b") for n in range(1, n_parameters + 1)]
    strange = [width for width in widths if width not in BITS[kind]]
    if strange:
        expected = " or ".join(map(str, BITS[kind]))
        raise FormatError(path, f"expected {expected} bits a value ($PnB), found {strange[0]}")
    begin, end = header["data"], header["data end"]
    if "begindata" in text:
        begin, end = _keyword(path, text, "begindata"), _keyword(path, text, "enddata")
    n_bytes = n_events * sum(widths) // 8
    if end - begin + 1 != n_bytes:
        msg = (
            f"expected {n_bytes} bytes of data, $TOT {n_events} events of {n_parameters} parameters, "
            f"found {end - begin + 1}: the file is damaged or $TOT is wrong"
        )
        raise FormatError(path, msg, offset=begin)
    if n_bytes and not HEADER_BYTES <= begin <= end < size:
        msg = f"expected its data inside its {size} bytes, found {begin} to {end}: it is cut short"
        raise FormatError(path, msg)
    if "beginanalysis" in text and "endanalysis" in text:
        begin, end = _keyword(path, text, "beginanalysis"), _keyword(path, text, "endanalysis")
        _check_analysis(path, begin, end, size)


def _keyword(path: Path, text: Mapping[str, str], name: str) -> int:
    return _whole(path, f"${name.upper()}", text.get(name, "").strip())


def _whole(path: Path, what: str, word: str) -> int:
    if not (word.isascii() and word.isdecimal() and len(word) < 19):
        raise FormatError(path, f"expected a whole number for {what}, found {word[:20]!r}")
    return int(word)


def _decoded(path: Path, data: FlowData) -> NDArray[np.float64]:
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("error")
            values = np.asarray(data.as_array(), np.float64)
    except Exception as error:  # keywords of scales that are no numbers
        raise FormatError(path, f"cannot be brought to linear scale: {str(error)[:200]!a}") from error
    values[~np.isfinite(values)] = np.nan
    return values


def _table(path: Path, data: FlowData, values: NDArray[np.float64]) -> FeatureColumns:
    names = [str(name).strip() for name in data.pnn_labels]
    check_names(path, names)
    notes: list[str] = []
    classes = _json(data.text.get(KEYWORDS["classes"], "")) if CLASS in names else []
    objects, used = _objects(path, names, values, notes)
    labels: tuple[str, ...] = ()
    probabilities = None
    if classes:
        codes = values[:, names.index(CLASS)]
        labels = _labels(path, codes, classes)
        used.add(names.index(CLASS))
        if PROBABILITY in names:
            probabilities = values[:, names.index(PROBABILITY)].copy()
            used.add(names.index(PROBABILITY))
    keep = [i for i in range(len(names)) if i not in used]
    own = _json(data.text.get(KEYWORDS["columns"], ""))
    if own and len(own) != len(keep):
        notes.append(f"the full names of {len(own)} features do not go with {len(keep)}: short ones are used")
    features = own if len(own) == len(keep) else [names[i] for i in keep]
    check_names(path, features)
    if any(data.text.get(key, "").strip() for key in ("spillover", "spill", "comp")):
        notes.append("the file holds a spillover matrix; values are read as stored, it is not applied")
    markers = tuple(str(data.pns_labels[i]).strip() for i in keep)
    return FeatureColumns(
        path,
        objects,
        tuple(features),
        np.ascontiguousarray(values[:, keep]),
        labels=labels,
        probabilities=probabilities,
        markers=markers if any(markers) else (),
        sample=data.text.get(KEYWORDS["sample"], "").strip() or path.stem,
        pixel_size_um=_size(data.text.get(KEYWORDS["pixel_size_um"], "")),
        notes=tuple(notes),
    )


def _objects(
    path: Path, names: Sequence[str], values: NDArray[np.float64], notes: list[str]
) -> tuple[NDArray[np.int64], set[int]]:
    """Object numbers, and the parameters that they come from."""
    if NUMBER_HIGH in names and NUMBER_LOW in names:
        high, low = names.index(NUMBER_HIGH), names.index(NUMBER_LOW)
        return whole_numbers(path, values[:, high] * SPLIT + values[:, low]), {high, low}
    places = [i for i, name in enumerate(names) if is_object_number(name)]
    if not places:
        notes.append("no parameter Object Number: events are numbered from 0, images cannot be found by them")
        return np.arange(len(values)), set()
    return whole_numbers(path, values[:, places[0]]), {places[0]}


def _labels(path: Path, codes: NDArray[np.float64], classes: Sequence[str]) -> tuple[str, ...]:
    words = ["", *classes]
    known = np.isin(codes, np.arange(len(words)))
    if not known.all():
        found = codes[~known][0]
        raise FormatError(path, f"expected the number of a class from 0 to {len(classes)}, found {found:g}")
    return tuple(words[code] for code in codes.astype(np.int64).tolist())


def _json(text: str) -> list[str]:
    """List of texts; empty when it is none."""
    try:
        found = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return []
    texts = isinstance(found, list) and all(isinstance(name, str) and name for name in found)
    return found if texts else []


def _size(text: str) -> float | None:
    try:
        size = float(text)
    except ValueError:
        return None
    return size if 0 < size < float("inf") else None
