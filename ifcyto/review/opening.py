"""From a study or a file to a review: its objects, where their images are, and where tags go."""

from __future__ import annotations

import getpass
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.errors import StudyError, UsageError
from ifcyto.features.table import read_table
from ifcyto.figures.channels import channel_look
from ifcyto.masks.grammar import shown
from ifcyto.masks.nuclei import bne_mask
from ifcyto.pipeline.convert import convert
from ifcyto.pipeline.sources import is_stack
from ifcyto.pipeline.study import DNA_ROLES, load_study
from ifcyto.review.objects import ReviewObjects, from_results
from ifcyto.review.page_masks import PageMasks
from ifcyto.review.pages import PageReader
from ifcyto.review.session import DEFAULT_CLASSES, Session, TagClass
from ifcyto.review.tag_file import TagFile
from ifcyto.stack.cell_stack import CellStack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifcyto.pipeline.parallel import Progress

__all__ = ["Review", "ReviewOptions", "open_review"]

MORE_COLOURS = ("#CC79A7", "#56B4E9", "#E69F00", "#F0E442", "#000000")
"""Of classes that were in the file of tags and are none of the usual ones (Okabe and Ito)."""


@dataclass(frozen=True, slots=True)
class ReviewOptions:
    """How a review is done.

    Parameters
    ----------
    labels : path-like or None
        File of the tags; ``labels.csv`` beside a study, ``NAME_labels.csv`` beside a file.
    by : str
        Who tags; the name of the account by default.
    blinded : bool
    seed : int or None
        Of the order that a blinded reader sees; the study's own, or 0, by default.
    results : path-like or None
        Folder of a study's results; ``results`` beside it by default.
    table : path-like or None
        Feature table (``.h5ad``) of a single input: its columns can be sorted and plotted.
    per_page : int
    """

    labels: Path | str | None = None
    by: str = ""
    blinded: bool = False
    seed: int | None = None
    results: Path | str | None = None
    table: Path | str | None = None
    per_page: int = 100


@dataclass(frozen=True, slots=True, eq=False)
class Review:
    """An open review.

    Parameters
    ----------
    title : str
    session : Session
    pages : PageReader
    channels : tuple of str
        Names of the channels, in the order of the images.
    brightfield : tuple of bool
        Of each channel.
    pixel_size_um : float or None
    masks : PageMasks
        Computes masks of the cells of a page.
    rule : str
        Mask whose Spot Count is the plain rule: the study's, or the usual one of the channel that is
        named after a DNA dye; empty where there is none.
    files : ExitStack
        What is closed, and the temporary stack that is removed, with :meth:`close`.
    """

    title: str
    session: Session
    pages: PageReader
    channels: tuple[str, ...]
    brightfield: tuple[bool, ...]
    pixel_size_um: float | None
    masks: PageMasks
    rule: str
    files: ExitStack

    def close(self) -> None:
        """Close stacks and remove what was temporary; the tags are on disk already."""
        self.files.close()


def open_review(
    path: Path | str, options: ReviewOptions | None = None, *, progress: Progress | None = None
) -> Review:
    """Open a study that was run, a stack, or any readable input.

    Parameters
    ----------
    path : path-like
        ``study.toml``: its candidates are reviewed. Else all objects of the file; an
        image file is converted to a stack in a temporary folder first.
    options : ReviewOptions, optional
    progress : callable, optional
        Of the conversion.

    Returns
    -------
    Review

    Raises
    ------
    StudyError
        The study, its results or the file of tags are not sound.
    FormatError, StackError
        The input cannot be read.
    UsageError
        Options that do not go together.
    """
    path, options = Path(path), options or ReviewOptions()
    with ExitStack() as files:
        if path.suffix.lower() == ".toml":
            title, objects, masks, rule, seed = _study(path, options)
            labels = path.parent / "labels.csv"
        else:
            title, objects, masks, rule = _file(path, options, files, progress)
            labels, seed = path.with_name(f"{path.stem}_labels.csv"), 0
        pages = masks.pages
        files.callback(pages.close)
        tags = TagFile(options.labels or labels, by=options.by or getpass.getuser(), samples=_many(objects))
        session = Session(
            objects, tags, classes=_classes(tags), per_page=options.per_page, blinded=options.blinded,
            seed=seed if options.seed is None else options.seed,
        )  # fmt: skip
        names, bright, size = _channels(pages)
        size = masks.pixel_size_um or size
        return Review(title, session, pages, names, bright, size, masks, rule, files.pop_all())


def _study(path: Path, options: ReviewOptions) -> tuple[str, ReviewObjects, PageMasks, str, int]:
    if options.table is not None:
        msg = "expected a feature table with a single input, found a study"
        raise UsageError(msg)
    study = load_study(path)
    root = Path(options.results) if options.results is not None else study.path.parent / "results"
    objects = from_results(root / "classifications.csv")
    stacks = {
        sample.id: sample.file if is_stack(sample.file) else root / "work" / "stacks" / f"{sample.id}.h5"
        for sample in study.samples
    }
    strange = sorted(set(objects.samples.tolist()) - set(stacks))
    if strange:
        msg = f"{root}: the results are of other samples than the study's ({strange[0]}): run it again"
        raise StudyError(msg)
    settings = study.settings
    pages = PageReader(stacks, list(settings.channels.values()), list(settings.channels))
    given = settings.candidates.pixel_size_um
    masks = PageMasks(pages, pixel_size_um=given, size_of=settings.channels[study.dna_role])
    return settings.study.title, objects, masks, study.mask, settings.study.seed


def _file(
    path: Path, options: ReviewOptions, files: ExitStack, progress: Progress | None
) -> tuple[str, ReviewObjects, PageMasks, str]:
    stack_path = path
    if not is_stack(path):
        folder = files.enter_context(tempfile.TemporaryDirectory(prefix="ifcyto-review-"))
        stack_path = Path(folder) / f"{path.stem}.h5"
        convert(path, stack_path, progress=progress)
    with CellStack.open(stack_path) as stack:
        numbers = stack.object_numbers.copy()
        channels = [channel.number for channel in stack.channels]
        known = {name.casefold() for name in DNA_ROLES}
        dna = [c.role or c.name for c in stack.channels if (c.role or c.name).casefold() in known]
    columns = {} if options.table is None else _columns(Path(options.table), numbers)
    objects = ReviewObjects(np.full(len(numbers), "", np.str_), numbers, {}, columns)
    rule = shown(bne_mask("MC", dna[0])) if len(dna) == 1 else ""
    return path.name, objects, PageMasks(PageReader({"": stack_path}, channels)), rule


def _columns(path: Path, numbers: np.ndarray) -> dict[str, np.ndarray]:
    """Columns of a feature table for these objects; NaN for those that it does not have."""
    table = read_table(path)
    theirs = table.obs["object"].to_numpy()
    order = np.argsort(theirs, kind="stable")
    places = order[np.searchsorted(theirs, numbers, sorter=order).clip(max=max(len(order) - 1, 0))]
    there = theirs[places] == numbers if len(theirs) else np.zeros(len(numbers), bool)
    if not there.any() and len(numbers):
        msg = f"{path}: holds none of the objects: the table belongs to another file"
        raise UsageError(msg)
    values = np.where(there[:, np.newaxis], np.asarray(table.X)[places], np.nan)
    return {str(name): values[:, place] for place, name in enumerate(table.var_names)}


def _many(objects: ReviewObjects) -> bool:
    return bool((objects.samples != "").any())


def _classes(tags: TagFile) -> Sequence[TagClass]:
    """The usual classes, and those that the file of tags has beside them."""
    names = {c.name for c in DEFAULT_CLASSES}
    found = [name for name in dict.fromkeys(tag.label for tag in tags.tags.values()) if name not in names]
    more = [
        TagClass(name, colour, str(len(DEFAULT_CLASSES) + place))
        for place, (name, colour) in enumerate(zip(found, MORE_COLOURS, strict=False), start=1)
    ]
    return (*DEFAULT_CLASSES, *more)


def _channels(pages: PageReader) -> tuple[tuple[str, ...], tuple[bool, ...], float | None]:
    """Names, brightfield flags and pixel size by the first stack that is there.

    A channel named after the brightfield is one, though its file may not say so.
    """
    for sample, path in pages.stacks.items():
        if path.exists():
            found = pages.channels_of(sample)
            size = next((c.pixel_size_um for c in found if c.pixel_size_um), None)
            names = pages.names or tuple(c.role or c.name or f"Ch{c.number:02d}" for c in found)
            bright = (
                c.brightfield or channel_look(name).colour is None
                for c, name in zip(found, names, strict=True)
            )
            return names, tuple(map(bool, bright)), size
    return pages.names or tuple(map(str, pages.channels)), (False,) * len(pages.channels), None
