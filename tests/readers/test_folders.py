"""Listing, natural order, numbers in names, holes."""

from __future__ import annotations

import os

import numpy as np
import pytest

from ifcyto.errors import FormatError
from ifcyto.readers.folders import describe_holes, list_folder, name_some, natural_key, peek, split_suffix
from ifcyto.readers.pixels import number_in_name


def test_natural_order():
    names = ["b1", "a10", "a9", "a09", "a", "A2", "a2b", "a2", "10", "9"]
    assert sorted(names, key=natural_key) == ["9", "10", "a", "A2", "a2", "a2b", "a09", "a9", "a10", "b1"]


def test_listing_sorts_into_kinds(tmp_path):
    for name in ("b.PNG", "a.ome.tif", "notes.txt", ".hidden.png", "a.jpeg"):
        (tmp_path / name).touch()
    (tmp_path / "folder.tif").mkdir()
    listing = list_folder(tmp_path)
    assert (listing.images, listing.others, listing.folders) == (
        ["a.jpeg", "a.ome.tif", "b.PNG"],
        ["notes.txt"],
        ["folder.tif"],
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_or_dead_link_is_never_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "nothing.png")
    (tmp_path / "real.png").touch()
    listing = list_folder(tmp_path)
    assert (listing.images, listing.others) == (["real.png"], ["link.png", "pipe.png"])


def test_a_folder_that_cannot_be_listed(tmp_path):
    with pytest.raises(FormatError, match="none: cannot be listed: No such file or directory"):
        list_folder(tmp_path / "none")
    assert peek(tmp_path / "none").images == []


def test_peek_is_short(tmp_path):
    for i in range(300):
        (tmp_path / f"{i}.png").touch()
    assert len(peek(tmp_path).images) == 256


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a.ome.tiff", ("a", ".ome.tiff")),
        ("a.ome.TIF", ("a", ".ome.tif")),
        ("a.b.png", ("a.b", ".png")),
        ("a.cif", ("a.cif", "")),
        ("tif", ("tif", "")),
    ],
)
def test_split_suffix(name, parts):
    assert split_suffix(name) == parts


@pytest.mark.parametrize(
    ("stem", "number"), [("a_0041", 41), ("41", 41), ("a41b", None), ("", None), ("a" + "9" * 18, 10**18 - 1)]
)
def test_number_in_name(stem, number):
    assert number_in_name(stem) == number


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ([], None),
        ([5], None),
        ([7, 5, 6], None),
        ([0, 2], "object numbers run from 0 to 2 with 1 missing: 1"),
        ([9, 0, 4, 5], "object numbers run from 0 to 9 with 6 missing: 1, 2, 3, 6, 7 ..."),
        ([0, 10**17], f"object numbers run from 0 to {10**17} with {10**17 - 1} missing: 1, 2, 3, 4, 5 ..."),
    ],
)
def test_holes(numbers, words):
    assert describe_holes(np.array(numbers, np.int64)) == words


def test_name_some():
    assert name_some(["a", "b", "c"]) == "a, b, c"
    assert name_some(["a", "b", "c", "d"]) == "a, b, c ..."
