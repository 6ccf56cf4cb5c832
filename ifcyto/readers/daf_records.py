"""What an IDEAS analysis file (DAF) says, as plain records.

Nothing here is interpreted: definitions stay the text that IDEAS wrote, gates
are points, populations are names. Everything that is per object has the order
of :attr:`DafObjects.object_numbers`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from ifcyto.errors import Fault
    from ifcyto.readers.daf_objects import DafObjects

__all__ = [
    "DafDocument",
    "DafFeature",
    "DafImage",
    "DafMask",
    "DafPopulation",
    "DafRegion",
    "DafStatistic",
]


@dataclass(frozen=True, slots=True)
class DafImage:
    """One image (channel) as IDEAS shows it.

    Parameters
    ----------
    name : str
    physical_channel : int
        0-based channel of the instrument; channel number less one.
    colour : str
        Colour name.
    display_min, display_max : float
        Display range in counts; NaN where not given.
    base_image, function : str
        Empty, unless the image is computed from another.
    """

    name: str
    physical_channel: int
    colour: str = ""
    display_min: float = float("nan")
    display_max: float = float("nan")
    base_image: str = ""
    function: str = ""


@dataclass(frozen=True, slots=True)
class DafMask:
    """One mask definition: ``type`` is ``C`` in every file seen.

    `definition` is the stored text, such as ``Dilate|Threshold(M01, DAPI, 30)|5``.
    """

    name: str
    type: str
    definition: str

    @property
    def tokens(self) -> tuple[str, ...]:
        """The definition split at ``|``, its only separator."""
        return tuple(self.definition.split("|"))


@dataclass(frozen=True, slots=True)
class DafFeature:
    """One feature definition.

    Parameters
    ----------
    name : str
    type : str
        ``single`` or ``combined``.
    user_type : str
        What it takes: ``Mask Only``, ``Mask and Image``, ``Similarity``, ...
    definition : str
        The stored text, such as ``Gradient RMS|M04|BF``.
    """

    name: str
    type: str
    user_type: str
    definition: str

    @property
    def tokens(self) -> tuple[str, ...]:
        """The definition split at ``|``, its only separator."""
        return tuple(self.definition.split("|"))


@dataclass(frozen=True, slots=True)
class DafRegion:
    """A gate's geometry, in data units; the axes are named by the population.

    Parameters
    ----------
    label : str
    type : str
        ``line``, ``rect``, ``poly`` or ``oval``.
    points : tuple of (x, y)
        As stored: two ends, two opposite corners, or the vertices.
    label_x, label_y : float
        Where the label stands; not the centre of the gate.
    colour, light_colour : str
    is_marker : bool
    x_log_range, y_log_range : float or None
        Value up to which a linear-log axis is linear; None for a linear axis.
    sync : str
        Group of half-open gates that share a corner; empty for none.
    """

    label: str
    type: str
    points: tuple[tuple[float, float], ...]
    label_x: float = float("nan")
    label_y: float = float("nan")
    colour: str = ""
    light_colour: str = ""
    is_marker: bool = False
    x_log_range: float | None = None
    y_log_range: float | None = None
    sync: str = ""


@dataclass(frozen=True, slots=True)
class DafPopulation:
    """A named set of objects, as defined; its members are not computed here.

    Parameters
    ----------
    name : str
    type : str
        ``B`` all objects, ``G`` drawn (`region`, `fx`, `fy`), ``C`` combined
        (`definition`), ``T`` tagged by hand (`tagged`).
    base : str
        Population it is a part of; empty for ``B``.
    region, fx, fy : str
        Region and the features on its axes; `fy` is empty for a line.
    definition : str
        Names and ``And``, ``Or``, ``Not``, joined by ``|``.
    tagged : tuple of int
        Object numbers, 0-based.
    colour, light_colour, style : str
        How IDEAS draws it.
    """

    name: str
    type: str
    base: str = ""
    region: str = ""
    fx: str = ""
    fy: str = ""
    definition: str = ""
    tagged: tuple[int, ...] = ()
    colour: str = ""
    light_colour: str = ""
    style: str = ""


@dataclass(frozen=True, slots=True)
class DafStatistic:
    """Statistics that IDEAS stored of one feature in one population.

    An empty population has NaN everywhere but in `count` and `concentration`.
    `cv` is in percent; `mad` is scaled by 1.4826; `concentration` is objects
    per sample volume.
    """

    feature: str
    population: str
    min: float
    max: float
    mean: float
    geomean: float
    mode: float
    stddev: float
    variance: float
    cv: float
    median: float
    mad: float
    nans: float
    count: float
    concentration: float


@dataclass(frozen=True, slots=True, eq=False)
class DafDocument:
    """One DAF, both encodings alike.

    Parameters
    ----------
    path : pathlib.Path
    ideas_version, date : str
        IDEAS that saved it, and when, as written.
    binary : bool
        The values came from the binary block (IDEAS 6.2) and not from XML.
    source_file : str
        The CIF as named in the file; may hold a folder.
    creation : str
        When the CIF was made, as written.
    checksum : int
        Stored checksum of the CIF, -1 for none (see `ifcyto.readers.daf`).
    images, masks, features, regions, populations, statistics : tuple
        The records, in file order.
    feature_names : tuple of str
        Names of the columns of `feature_values`: the features that have values,
        in the order of `features`.
    feature_values : ndarray (N, F) of float64
        One row an object, in the order of ``objects.object_numbers``; a column
        is contiguous in memory.
    objects : DafObjects
    notes : tuple of str
        What a user should know though nothing is wrong.
    faults : tuple of Fault
        What was wrong, when read with ``salvage=True``.
    """

    path: Path
    ideas_version: str
    date: str
    binary: bool
    source_file: str
    creation: str
    checksum: int
    images: tuple[DafImage, ...]
    masks: tuple[DafMask, ...]
    features: tuple[DafFeature, ...]
    feature_names: tuple[str, ...]
    feature_values: NDArray[np.float64]
    objects: DafObjects
    regions: tuple[DafRegion, ...]
    populations: tuple[DafPopulation, ...]
    statistics: tuple[DafStatistic, ...]
    notes: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def channel_names(self) -> dict[int, str]:
        """Name of each instrument channel (1-based number) that an image of its own shows."""
        names: dict[int, str] = {}
        for image in self.images:
            if image.physical_channel >= 0 and not image.base_image and image.name:
                names.setdefault(image.physical_channel + 1, image.name)
        return names

    @property
    def object_count(self) -> int:
        """Number of objects, N."""
        return len(self.objects)

    def feature(self, name: str) -> NDArray[np.float64]:
        """Values ``(N,)`` of one feature.

        Raises
        ------
        UsageError
            The file holds no values under that name.
        """
        if name not in self.feature_names:
            msg = f"{self.path}: no feature {name!r} among the {len(self.feature_names)} that have values"
            raise UsageError(msg)
        return self.feature_values[:, self.feature_names.index(name)]
