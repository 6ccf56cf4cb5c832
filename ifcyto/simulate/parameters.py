"""What the simulator assumes: each number with its unit and its source.

Sources: *Jurkat* and *IS100* are the real images of the realism page
(``docs/simulator.md``), measured there; *R21* is Rosenberg et al. 2021, Cytometry B;
*Harmening* is Harmening 2009, Clinical Hematology, table of erythroid precursors;
*Violidaki* is Violidaki et al. 2025, doi 10.1111/ijlh.14534; *TDI page* is the
manufacturer's page on its camera. What has none of these is an *approximation*.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.cells import Channel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "CHANNELS",
    "DEFAULT",
    "FORMS",
    "KINDS",
    "STAGES",
    "Camera",
    "Mix",
    "Optics",
    "Settings",
    "Shapes",
    "Stage",
    "Stain",
]

CHANNELS = (
    Channel(1, "BF", brightfield=True, pixel_size_um=0.5),
    Channel(2, "CD235a", pixel_size_um=0.5),
    Channel(5, "DRAQ5", pixel_size_um=0.5),
)
"""Channels of a simulated object, in the order of its images."""

KINDS = ("Single", "BNE", "Doublet", "Irregular", "Debris", "Clipped")
"""One nucleus; two in one cell; two cells; one odd nucleus; a fragment; a single cell cut by the frame."""

FORMS = ("", "bilobed", "elongated", "kidney", "budding")
"""Forms of an irregular nucleus; empty for all other kinds."""


@dataclass(frozen=True, slots=True)
class Optics:
    """The lens, the light and the pixel.

    Parameters
    ----------
    pixel_um : float
        Side of a pixel in the sample, um: 0.5 at 40x (instrument).
    numerical_aperture : float
        0.75 at 40x (instrument).
    index : float
        Refractive index of the sheath, water.
    emission_um : tuple of float
        Wavelength of PE and of DRAQ5 emission, um: their maxima, 0.578 and 0.697.
    lamp_um : float
        Wavelength of the brightfield lamp, um (approximation).
    focus_sd_um : float
        Spread of the cells about the plane of focus, um (approximation: the core stream
        is a few um wide).
    lamp_focus_um : float
        Plane of focus of the brightfield image beyond that of the cells' middle, um;
        gives the dark rim (fitted to the rim of Jurkat).
    coherence_um : float
        Standard deviation of the blur by the lamp's finite aperture, um (fitted likewise).
    halo_share, halo_um : float
        Part of the fluorescence that is scattered widely, and its standard deviation,
        um (approximation after the skirt of Jurkat's DNA images).
    smear_px : float
        Motion during time-delayed integration, standard deviation along the flow, px
        (approximation).
    """

    pixel_um: float = 0.5
    numerical_aperture: float = 0.75
    index: float = 1.33
    emission_um: tuple[float, float] = (0.578, 0.697)
    lamp_um: float = 0.6
    focus_sd_um: float = 1.2
    lamp_focus_um: float = 5.0
    coherence_um: float = 0.25
    halo_share: float = 0.10
    halo_um: float = 2.0
    smear_px: float = 0.25


@dataclass(frozen=True, slots=True)
class Camera:
    """From light to stored counts.

    Parameters
    ----------
    gain : float
        Counts for an electron: the slope of the noise variance over the mean (Jurkat,
        brightfield: s.d. 4.5 at 678 counts).
    read_noise : float
        Standard deviation in the dark, counts (Jurkat, dark scatter images).
    offset : float
        Count of no light (Jurkat, dark scatter images).
    full_scale : int
        Largest count, of 12 bits (TDI page).
    lamp : float
        Brightfield light, counts above the offset (Jurkat).
    stray : tuple of float
        Background light of the CD235a and of the DRAQ5 channel, counts (the second from
        Jurkat's DNA images, the first an approximation).
    row_banding : float
        Standard deviation of a row's own offset, counts (IS100, dark channels: 0.16).
    lamp_flicker : float
        Standard deviation of the lamp from row to row, of its mean (both: 0.15 %).
    spill : tuple of float
        Light of CD235a in DRAQ5's channel and the reverse, of its own (approximation).
    spill_error : float
        Standard deviation of the compensation's relative error in a sample: what it
        leaves or takes too much (approximation).
    """

    gain: float = 0.026
    read_noise: float = 1.75
    offset: float = 26.0
    full_scale: int = 4095
    lamp: float = 650.0
    stray: tuple[float, float] = (8.0, 15.0)
    row_banding: float = 0.16
    lamp_flicker: float = 0.0015
    spill: tuple[float, float] = (0.03, 0.01)
    spill_error: float = 0.15


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of maturation.

    Parameters
    ----------
    name : str
    cell_um, nucleus_um : float
        Mean diameters in suspension, um. That both and their difference shrink from
        stage to stage is R21; the values lie in the lower part of Harmening's ranges
        for smears (14-24, 12-17 and 8-15 um), where cells are flattened.
    membrane : float
        CD235a light of a column through 1 um of membrane, counts (approximation; it
        rises with maturation).
    clumping : float
        Relative spread of the chromatin's density in projection (approximation: open in
        ProE, condensed in PolyOrthoE).
    clump_um : float
        Standard deviation of the blur that makes its pattern, um (approximation).
    cycling : float
        Share of cells in S, G2 or M (approximation).
    haemoglobin : float
        Optical path of the cytoplasm relative to that of a ProE (approximation).
    """

    name: str
    cell_um: float
    nucleus_um: float
    membrane: float
    clumping: float
    clump_um: float
    cycling: float
    haemoglobin: float


STAGES = (
    Stage("ProE", 15.0, 10.8, 60.0, 0.16, 0.5, 0.45, 1.0),
    Stage("BasoE", 12.4, 8.4, 110.0, 0.20, 0.55, 0.35, 1.1),
    Stage("PolyOrthoE", 9.8, 5.7, 150.0, 0.24, 0.6, 0.12, 1.35),
)
"""The three stages in the order of maturation."""


@dataclass(frozen=True, slots=True)
class Stain:
    """Dyes, membrane and what a cell does to light; all approximations unless said.

    Parameters
    ----------
    dna : float
        DRAQ5 light of a 2N nucleus, counts times um2 of image area.
    dna_cv, membrane_cv : float
        Spread from cell to cell (log scale).
    sample_cv : float
        Spread from sample to sample of each dye's light (log scale).
    shell_um : float
        Thickness of the stained shell: membrane, its folds and the antibodies, um.
    membrane_patch : float
        Relative spread of the membrane's light in patches.
    interior : float
        CD235a light of the cell's inside (uptake, synthesis), of the shell's for the
        same path.
    contact : float
        Light of the line between two cells over that of two membranes.
    phase : float
        Optical path difference of a ProE's cytoplasm in um for each um, effective in
        the weak-object image (fitted to the rim of Jurkat; true values are near 0.03).
    nucleus_phase : float
        That of the nucleus over it.
    absorption : float
        Loss of lamp light for each um of cytoplasm.
    nucleus_absorption : float
        That of the nucleus besides (scatter out of the lens).
    granules : float
        Relative spread of the cytoplasm's optical path.
    granule_um : float
        Standard deviation of the blur that makes its pattern, um.
    """

    dna: float = 12_000.0
    dna_cv: float = 0.10
    membrane_cv: float = 0.25
    sample_cv: float = 0.12
    shell_um: float = 0.5
    membrane_patch: float = 0.22
    interior: float = 0.025
    contact: float = 1.3
    phase: float = 0.012
    nucleus_phase: float = 0.002
    absorption: float = 0.001
    nucleus_absorption: float = 0.014
    granules: float = 0.05
    granule_um: float = 0.18


@dataclass(frozen=True, slots=True)
class Shapes:
    """How bodies and nuclei lie; all approximations, those of difficulty calibrated to S0's figures.

    Parameters
    ----------
    cell_cv, nucleus_cv : float
        Spread of diameters within a stage (log scale).
    cell_stretch, nucleus_stretch : float
        Spread of the aspect ratio (log scale).
    fission : float
        Share of BNEs whose nuclei come from the fission of one (2N in all); the others
        failed to divide (2N each).
    bne_scale, bne_scale_sd : float
        Diameter of each of two nuclei over that of a single one of the same DNA.
    bne_unequal : float
        Standard deviation of half the relative difference between the two.
    lobes_unequal : float
        Standard deviation of half the relative difference between the lobes of a
        bilobed nucleus.
    odd_cycling : float
        Share of irregular nuclei with more than 2N; the others have left the cycle.
    large_cell : float
        Diameter of a cell with 4N of odd or of two nuclei over that of its stage.
    touching : float
        Share of BNEs whose nuclei touch.
    gap_um : float
        Mean gap of the others, um (exponential, cut where the cell ends).
    flat : float
        Touching nuclei are shorter than wide by up to this share.
    overlap : tuple of float
        Smallest and largest share by which the two cells of a doublet flatten or
        overlap, of the sum of their radii.
    mixed : float
        Share of doublets of two different stages.
    tilt_deg : tuple of float
        Spread of the long axis' angle to the image plane, degrees, of BNEs and
        irregular nuclei, and of doublets, which the stream aligns.
    forms : tuple of float
        Shares of :data:`FORMS` without the empty one.
    notch : tuple of float
        Distance of the lobes of a bilobed nucleus, from shallow to deep notch, of the
        sum of their radii.
    neck : tuple of float
        Half thickness of the bridge between lobes, of the lobe's radius.
    """

    cell_cv: float = 0.07
    nucleus_cv: float = 0.07
    cell_stretch: float = 0.05
    nucleus_stretch: float = 0.06
    fission: float = 0.18
    bne_scale: float = 0.88
    bne_scale_sd: float = 0.06
    bne_unequal: float = 0.06
    lobes_unequal: float = 0.25
    odd_cycling: float = 0.06
    large_cell: float = 1.12
    touching: float = 0.2
    gap_um: float = 1.5
    flat: float = 0.12
    overlap: tuple[float, float] = (0.02, 0.30)
    mixed: float = 0.35
    tilt_deg: tuple[float, float] = (30.0, 18.0)
    forms: tuple[float, float, float, float] = (0.65, 0.10, 0.10, 0.15)
    notch: tuple[float, float] = (0.75, 1.1)
    neck: tuple[float, float] = (0.2, 0.6)


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it."""

    optics: Optics = field(default_factory=Optics)
    camera: Camera = field(default_factory=Camera)
    stain: Stain = field(default_factory=Stain)
    shapes: Shapes = field(default_factory=Shapes)
    stages: tuple[Stage, ...] = STAGES


DEFAULT = Settings()
"""The settings of every command."""


@dataclass(frozen=True, slots=True)
class Mix:
    """What a sample is made of.

    Parameters
    ----------
    stages : tuple of float
        Share of each of :data:`STAGES`. The default has the ratio of the stages in a
        marrow count: pronormoblasts 1 %, basophilic 1-3 %, later ones 14-34 % of all
        nucleated cells (textbook table of erythroid precursors).
    bne : tuple of float
        Share of binucleated cells in each stage.
    doublet, irregular, debris, clipped : float
        Shares among all objects.
    size : float
        Cell diameter over the normal one; above 1 in MDS (R21, Violidaki).

    Examples
    --------
    >>> Mix(bne=(0.1, 0.0, 0.0)).shares(0).round(3).tolist()
    [0.839, 0.1, 0.02, 0.025, 0.008, 0.008]
    """

    stages: tuple[float, float, float] = (0.06, 0.14, 0.80)
    bne: tuple[float, float, float] = (0.01, 0.01, 0.01)
    doublet: float = 0.02
    irregular: float = 0.025
    debris: float = 0.008
    clipped: float = 0.008
    size: float = 1.0

    def shares(self, stage: int) -> NDArray[np.float64]:
        """Probability of each of :data:`KINDS` in a stage (by its place)."""
        others = (self.bne[stage], self.doublet, self.irregular, self.debris, self.clipped)
        return np.array([1.0 - sum(others), *others])
