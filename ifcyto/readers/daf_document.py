"""Read the records of an IDEAS analysis file (DAF), in either encoding.

IDEAS 6.0 writes feature values and objects as XML; IDEAS 6.2 writes them as a
binary block behind the XML. Both give the same :class:`DafDocument`.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

import numpy as np

from ifcyto.errors import FormatError
from ifcyto.readers.daf_binary import BLOCK_MARK, read_block
from ifcyto.readers.daf_elements import as_whole
from ifcyto.readers.daf_faults import FaultLog
from ifcyto.readers.daf_records import DafDocument
from ifcyto.readers.daf_xml import parse_xml

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.readers.daf_objects import DafObjects
    from ifcyto.readers.daf_xml import DafXml

__all__ = ["parse_daf", "read_daf"]

Rows: TypeAlias = "NDArray[np.float64] | list[NDArray[np.float64]]"
"""Values by feature: one array, or one list a feature that may differ in length."""


def read_daf(path: Path | str, *, salvage: bool = False) -> DafDocument:
    """Read all records of a DAF; its CIF is not needed.

    Parameters
    ----------
    path : path-like
    salvage : bool
        Keep what is intact of a file whose binary block is cut short or whose
        numbers are damaged, and list the faults in ``document.faults``. XML
        that is not well-formed is an error all the same.

    Returns
    -------
    DafDocument

    Raises
    ------
    FormatError
        The file is missing, is no DAF, or is damaged; one line that names the
        byte offset, the element or the object.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.daf"
    >>> _ = path.write_text(
    ...     '<Assay IDEAS_version="6.0"><SOD file="a.cif" objcount="2"><DefinedFeatures>'
    ...     '<UDF name="Area_M01" type="single" def="Area|M01"/></DefinedFeatures><FeatureValues>'
    ...     '<UDFValues fid="0" fv="80.25|91"/></FeatureValues><SO id="0"/><SO id="1"/></SOD></Assay>'
    ... )
    >>> document = read_daf(path)
    >>> document.object_count, document.feature("Area_M01").tolist()
    (2, [80.25, 91.0])
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            return parse_daf(file, path, salvage=salvage)
    except OSError as error:
        raise FormatError(path, f"cannot be read: {error.strerror or error}") from error


def parse_daf(source: BinaryIO | bytes, path: Path, *, salvage: bool = False) -> DafDocument:
    """Read all records of an open DAF, or of its bytes; `path` is for messages. See :func:`read_daf`."""
    file = BytesIO(source) if isinstance(source, bytes) else source
    log = FaultLog(path, salvage=salvage)
    content, end = parse_xml(file, log)
    if content.sod is None:
        log.stop("expected an element SOD, which describes the CIF, found none", where="Assay")
    indices, rows, objects, binary = _values(file, content, end, log)
    _check_counts(content, objects, rows, log)
    if binary and len(rows) and len(rows[0]) != len(objects):  # the order is one, the shorter one counts
        n = min(len(rows[0]), len(objects))
        rows, objects = [row[:n] for row in rows], objects.take(np.arange(n))
    columns = _columns(content, indices, rows, len(objects), log)
    values = _stacked(rows, list(columns.values()), len(objects))
    keep = _keep(objects, log)
    if len(keep) < len(objects):
        objects, values = objects.take(keep), values[:, keep]
    return DafDocument(
        path=path,
        ideas_version=content.assay.get("IDEAS_version", ""),
        date=content.assay.get("date", ""),
        binary=binary,
        source_file=content.sod.get("file", ""),
        creation=content.sod.get("creation", ""),
        checksum=_sod_number(content, "checksum", log),
        images=tuple(content.images),
        masks=tuple(content.masks),
        features=tuple(content.features),
        feature_names=tuple(content.features[i].name for i in columns),
        feature_values=values.T,
        objects=objects,
        regions=tuple(content.regions),
        populations=tuple(content.populations),
        statistics=tuple(content.statistics),
        notes=tuple(log.notes),
        faults=tuple(log.faults),
    )


def _sod_number(content: DafXml, name: str, log: FaultLog) -> int:
    def fail(message: str, where: str, object_number: int | None = None) -> None:
        log.report(message, where=where, object_number=object_number)

    return as_whole(content.sod or {}, name, "SOD", fail)


def _values(
    file: BinaryIO, content: DafXml, end: int, log: FaultLog
) -> tuple[list[int], Rows, DafObjects, bool]:
    """Feature indices, their values, and the objects, from whichever encoding is there."""
    file.seek(end)
    tail = file.read(64)
    declared = content.assay.get("binaryfeatures", "").casefold() == "true"
    if tail.startswith(BLOCK_MARK):
        indices, rows, objects = read_block(file, end, log)
        if content.values or len(content.objects):
            log.notes.append("the file holds values both in XML and in binary; the binary ones were taken")
        empty = content.objects.objects() if objects is None else objects
        return indices, rows, empty, True
    if declared:
        found = tail[:3].hex(" ") or "the end of the file"
        log.report(f"expected the binary block that the XML announces, found {found}", offset=end)
    elif tail.strip():
        log.report(
            f"expected the end of the file or a binary block, found bytes {tail[:8].hex(' ')}", offset=end
        )
    lists = [np.array(values, np.float64) for _, values in content.values]
    return [index for index, _ in content.values], lists, content.objects.objects(), False


def _check_counts(content: DafXml, objects: DafObjects, rows: Rows, log: FaultLog) -> None:
    """Hold the number of objects against the stored count and the values."""
    stored = _sod_number(content, "objcount", log)
    n = len(objects)
    if stored >= 0 and stored != n:
        log.report(f"expected {stored} objects, found records of {n}", where="SOD objcount")
    if len(rows) and len(rows[0]) and not n:
        log.report(
            f"expected records of {len(rows[0])} objects, as many as have values, found none", where="SO"
        )


def _stacked(rows: Rows, order: list[int], n: int) -> NDArray[np.float64]:
    """Some rows as one array; the array itself when it is all of them in order."""
    if isinstance(rows, np.ndarray) and rows.shape == (len(order), n) and order == list(range(len(rows))):
        return rows
    values = np.empty((len(order), n))
    for row, index in zip(values, order, strict=True):
        row[:] = rows[index]
    return values


def _columns(content: DafXml, indices: list[int], rows: Rows, n: int, log: FaultLog) -> dict[int, int]:
    """Map feature index to row of values, in the order of the definitions."""
    found: dict[int, int] = {}
    for row, index in enumerate(indices):
        where = f"values of feature {index}"
        if not 0 <= index < len(content.features):
            log.report(f"expected a feature index below {len(content.features)}, found {index}", where=where)
        elif index in found:
            log.report(f"expected one set of values of {_name(content, index)}, found a second", where=where)
        elif len(rows[row]) != n:
            msg = f"expected {n} values of {_name(content, index)}, one an object, found {len(rows[row])}"
            log.report(msg, where=where)
        else:
            found[index] = row
    missing = len(content.features) - len(found)
    if missing and not log.faults:
        log.notes.append(f"{missing} of {len(content.features)} defined features have no values")
    return dict(sorted(found.items()))


def _name(content: DafXml, index: int) -> str:
    return ascii(content.features[index].name[:60])


def _keep(objects: DafObjects, log: FaultLog) -> NDArray[np.int64]:
    """Rows whose object number is there, and there for the first time."""
    numbers = objects.object_numbers
    _, first, counts = np.unique(numbers, return_index=True, return_counts=True)
    for row in first[counts > 1][:1]:
        repeated = int((counts > 1).sum())
        msg = f"expected every object number once, found {repeated} of them repeated; the first is kept"
        log.report(msg, object_number=int(numbers[row]))
    keep: NDArray[np.int64] = np.sort(first[numbers[first] >= 0])
    return keep
