"""Reader of IDEAS analysis files (DAF): images through the CIF that they name.

A DAF holds no pixels. Its CIF is looked for beside it, and is taken only when
it is the very file the DAF was made from: as many objects, and every image at
the byte offset that the DAF stores.

The checksum stored in a DAF is passed on but not verified. The documentation of
the R package IFC describes it as the sum of the image offsets of objects 0 to 4;
the two real DAFs examined store 7591110 where that sum is 47955343. The
offsets of all objects say more than any sum of five.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ifcyto.errors import Fault, FormatError
from ifcyto.readers.base import Reader
from ifcyto.readers.cif import CifReader
from ifcyto.readers.daf_document import read_daf
from ifcyto.readers.daf_faults import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ifcyto.cells import Cell, CellBatch, Channel
    from ifcyto.readers.daf_records import DafDocument

__all__ = ["DafReader", "images_beside"]

ROOT = re.compile(rb"<Assay[\s/>]")
WHAT_TO_DO = (
    "put the CIF of this DAF beside it, or read only its tables with ifcyto.readers.daf_document.read_daf"
)


class DafReader(Reader):
    """An IDEAS analysis file together with its CIF.

    Parameters
    ----------
    path : path-like
        The DAF.
    salvage : bool
        Keep the objects on which DAF and CIF agree, and collect faults.
    document : DafDocument, optional
        What :func:`~ifcyto.readers.daf_document.read_daf` made of `path`, where it was read already.

    Attributes
    ----------
    document : DafDocument
        Everything the DAF says: features, masks, regions, populations, ...
    cif_path : pathlib.Path
        Where the images come from.

    Raises
    ------
    FormatError
        The DAF or its CIF is damaged, the CIF is missing, or it is another file.

    Notes
    -----
    The names of the DAF's images replace those of the CIF; ``physicalChannel``
    is the channel number less one. Rows are in the order of the CIF.
    """

    format: ClassVar[str] = "daf"

    def __init__(
        self, path: Path | str, *, salvage: bool = False, document: DafDocument | None = None
    ) -> None:
        super().__init__(path, salvage=salvage)
        self.document: DafDocument = document or read_daf(self.path, salvage=salvage)
        self.notes += self.document.notes
        self.faults += self.document.faults
        self.cif_path = self._find_cif()
        self._cif = CifReader(self.cif_path, salvage=salvage)
        try:
            self._rows = self._matching_rows()
            self._describe()
        except BaseException:
            self._cif.close()
            raise

    @classmethod
    def sniff(cls, path: Path, head: bytes) -> bool:
        """Take XML whose root is ``Assay``; `path` is not looked at."""
        text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        return text.startswith(b"<") and ROOT.search(text) is not None

    def read_cell(self, row: int) -> Cell:
        """Read the object at `row`. See :meth:`Reader.read_cell`."""
        return self._cif.read_cell(int(self._rows[self.check_row(row)]))

    def read_batch(self, rows: Sequence[int]) -> CellBatch:
        """Read several objects. See :meth:`Reader.read_batch`."""
        wanted = np.array([self.check_row(row) for row in rows], np.int64)
        return self._cif.read_batch(self._rows[wanted].tolist())

    def close(self) -> None:
        """Close the CIF; the document stays usable."""
        self._cif.close()

    def _find_cif(self) -> Path:
        """Find the CIF beside the DAF: by the name it gives, else by its own."""
        named = PureWindowsPath(self.document.source_file).name
        own = f"{self.path.stem}.cif"
        if (found := images_beside(self.document)) is not None:
            if found.name.casefold() != named.casefold():
                self.notes.append(f"the DAF names {shown(named)}; its images were taken from {found.name}")
            return found
        names = " or ".join(shown(name) for name in dict.fromkeys((named, own)) if name)
        msg = f"expected its images in {names} in the same folder, found no such file; {WHAT_TO_DO}"
        raise FormatError(self.path, msg)

    def _matching_rows(self) -> NDArray[np.int64]:
        """Rows of the CIF that are the DAF's objects, after all checks."""
        objects, cif = self.document.objects, self._cif
        if len(objects) != len(cif) and not self.salvage:
            raise self._another_file()
        order = np.argsort(objects.object_numbers, kind="stable")
        numbers = objects.object_numbers[order]
        place = np.searchsorted(numbers, cif.object_numbers)
        known = place < len(numbers)
        known[known] = numbers[place[known]] == cif.object_numbers[known]
        stored = objects.image_offsets[order][place[known]]
        found = np.asarray(cif.image_offsets, np.int64)[known]
        # Offsets are compared modulo 2**32, for writers that let them wrap.
        same = known.copy()
        same[known] = (stored < 0) | ((stored - found) % 2**32 == 0)
        if not same.all() and not (self.salvage and same.any()):
            raise self._another_file(self._difference(int(np.flatnonzero(~same)[0])))
        lost = len(objects) - int(same.sum())
        if lost or not same.all():
            msg = (
                f"expected the {len(objects)} objects of {self.path.name} in {self.cif_path.name}, "
                f"found {int(same.sum())} of them among its {len(cif)}; only these are kept"
            )
            self.report(Fault(msg))
        return np.flatnonzero(same)

    def _difference(self, row: int) -> str:
        """Say what is different about the object at `row` of the CIF."""
        objects, number = self.document.objects, self._cif.object_numbers[row]
        stored = objects.image_offsets[objects.object_numbers == number]
        if not len(stored):
            return f", object {number} only in the CIF"
        found = self._cif.image_offsets[row]
        return f", object {number} expected at offset {stored[0]} and found at {found}"

    def _another_file(self, difference: str = "") -> FormatError:
        msg = (
            f"expected {self.cif_path} to hold the {len(self.document.objects)} objects of this DAF, "
            f"found {len(self._cif)} objects{difference}: it is another file; {WHAT_TO_DO}"
        )
        return FormatError(self.path, msg)

    def _describe(self) -> None:
        """Fill the attributes of the contract."""
        cif = self._cif
        self.object_numbers = cif.object_numbers[self._rows]
        self.channels = self._named(cif.channels)
        self.dtype = cif.dtype
        self.has_masks = cif.has_masks
        document = self.document
        self.metadata = {
            **cif.metadata,
            "daf_ideas_version": document.ideas_version,
            "daf_date": document.date,
            "daf_source_file": document.source_file,
            "daf_creation": document.creation,
            "daf_checksum": str(document.checksum),
        }
        self.notes += cif.notes
        self.faults += cif.faults
        cif.faults = self.faults  # what goes wrong while reading is seen here too

    def _named(self, channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
        """Give the channels the names of the DAF's images."""
        names = self.document.channel_names
        absent = sorted(names.keys() - {channel.number for channel in channels})
        if absent:
            numbers = ", ".join(map(str, absent))
            self.notes.append(f"the DAF names channels that the CIF does not hold: {numbers}")
        return tuple(replace(channel, name=names.get(channel.number, channel.name)) for channel in channels)


def images_beside(document: DafDocument) -> Path | None:
    """Find the CIF in the folder of a DAF: by the name it gives, else by its own; None without one.

    Raises
    ------
    FormatError
        The folder cannot be listed.
    """
    path = document.path
    try:
        files = [file for file in sorted(path.parent.iterdir()) if file != path]
    except OSError as error:
        raise FormatError(path.parent, f"cannot be listed: {error.strerror or error}") from error
    named = _by_name(files, PureWindowsPath(document.source_file).name)
    return _by_name(files, f"{path.stem}.cif") if named is None else named


def _by_name(files: list[Path], wanted: str) -> Path | None:
    """Find a file by its name, exact if possible, else without regard to case."""
    same = [file for file in files if file.name.casefold() == wanted.casefold() and file.is_file()]
    return min(same, key=lambda file: file.name != wanted, default=None)
