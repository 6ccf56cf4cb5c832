"""Whom a simulated cohort holds: groups, numbers of samples, frequencies of binucleated cells.

The numbers of samples, of cells and of tagged objects are S0's and R21's (Rosenberg et
al. 2024 and 2021). Neither publishes frequencies for every group and stage in a form
that can be quoted here; those below are an *approximation* with the order that the
papers report: healthy marrow lowest, MDS highest and so in every stage, cytopenia
between, and in all about as many candidates of each class as S0 found: 773 and 1,137 BNEs
by its two methods, 547 and 619 doublets, 2,245 and 1,799 irregular nuclei.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ifcyto.simulate.parameters import Mix

__all__ = ["COHORTS", "PAPER", "SMALL", "Cohort", "Group"]


@dataclass(frozen=True, slots=True)
class Group:
    """One group of a cohort.

    Parameters
    ----------
    name : str
    prefix : str
        Of the samples' names.
    samples : int
    mix : Mix
        Mean make-up.
    spread : float
        Standard deviation of the log of a sample's BNE frequency about the mean.
    """

    name: str
    prefix: str
    samples: int
    mix: Mix
    spread: float = 0.4


@dataclass(frozen=True, slots=True)
class Cohort:
    """A study to simulate.

    Parameters
    ----------
    title : str
    groups : tuple of Group
    control : str
        Name of the group against which the others are tested.
    case : tuple of str
    cells : int
        Median number of objects of a sample.
    spread : float
        Standard deviation of the log of that number.
    limits : tuple of float
        Fewest and most objects of a sample, over the median.
    tagged : tuple of int
        BNEs, doublets and irregular nuclei of the training sample; all 0 for none.
    training : Mix
        Make-up of the samples from which it is pooled.
    """

    title: str
    groups: tuple[Group, ...]
    control: str = "NBM"
    case: tuple[str, ...] = ("MDS",)
    cells: int = 300
    spread: float = 0.0
    limits: tuple[float, float] = (1.0, 1.0)
    tagged: tuple[int, int, int] = (0, 0, 0)
    training: Mix = field(default_factory=lambda: Mix(size=1.04))

    def with_samples(self, number: int) -> Cohort:
        """Return the same with another number of samples in every group."""
        return replace(self, groups=tuple(replace(group, samples=number) for group in self.groups))


GATED_DOUBLETS = 0.002
"""Share of doublets that pass gates on area and aspect ratio, so that as many are candidates as in S0."""

_NBM = Mix(bne=(0.0012, 0.0015, 0.0012), doublet=GATED_DOUBLETS, irregular=0.05)
_OTHER = Mix(bne=(0.0025, 0.0025, 0.0020), doublet=GATED_DOUBLETS, irregular=0.07)
_ICUS = Mix(bne=(0.0040, 0.0035, 0.0030), doublet=GATED_DOUBLETS, irregular=0.08, size=1.02)
_MDS = Mix(bne=(0.0090, 0.0060, 0.0065), doublet=GATED_DOUBLETS, irregular=0.14, size=1.04)

PAPER = Cohort(
    title="BNE in MDS (simulated cohort)",
    groups=(
        Group("MDS", "MDS", 14, _MDS, 0.6),
        Group("ICUS/CCUS", "ICUS", 6, _ICUS, 0.6),
        Group("non-MDS", "CTRL", 6, _OTHER, 0.4),
        Group("NBM", "NBM", 11, _NBM, 0.35),
    ),
    cells=5953,
    spread=1.17,  # so that 37 samples reach from one limit to the other
    limits=(489 / 5953, 68_503 / 5953),
    tagged=(147, 350, 261),
    training=_MDS,
)
"""The cohort of S0: 37 marrows, 489 to 68,503 erythroblasts, 758 tagged candidates."""

SMALL = Cohort(
    title="BNE in MDS (simulated)",
    groups=(
        Group("NBM", "NBM", 4, Mix(bne=(0.012,) * 3, doublet=0.05, irregular=0.15), 0.35),
        Group("MDS", "MDS", 4, Mix(bne=(0.065,) * 3, doublet=0.05, irregular=0.15, size=1.04), 0.35),
    ),
    tagged=(80, 80, 80),
)
"""A demonstration: two groups of four samples with many more odd cells than in patients."""

COHORTS = {"small": SMALL, "paper": PAPER}
"""By the name that the command takes."""
