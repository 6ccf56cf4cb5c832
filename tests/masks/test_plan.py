"""What a mask name or expression stands for, and clear words where it stands for nothing."""

from __future__ import annotations

import pytest

from ifcyto.cells import Channel
from ifcyto.errors import UsageError
from ifcyto.masks.evaluate import MaskBook
from ifcyto.masks.expression import MaskCall, MaskName, Or
from ifcyto.masks.grammar import parse_mask
from ifcyto.samples.cells import CHANNELS


def test_two_channels_of_one_name_are_told():
    book = MaskBook([Channel(1, "BF"), Channel(9, "BF")])
    book.check("Threshold(M01, Ch09, 40)")
    with pytest.raises(
        UsageError, match=r"expected one image 'BF', found 2 of them; there are: Ch01 BF, Ch09 BF"
    ):
        book.check("Threshold(M01, BF, 40)")


def test_an_image_beyond_the_channels_is_refused():
    with pytest.raises(UsageError, match="image 'DAPI': expected a channel from 0 to 2, found 3"):
        MaskBook(CHANNELS, images={"DAPI": 3})


@pytest.mark.parametrize(
    ("definitions", "name", "words"),
    [
        (
            {},
            "M07",
            r"expected one channel with the mask M07, found no channel; there are: M01 \(Ch01 BF\), M02",
        ),
        ({"A": "Dilate(M07, 3)"}, "A", r"mask 'A': expected one channel with the mask M07"),
        ({"Nucleus": "M05"}, "Nuclues", "no mask 'Nuclues'; did you mean 'Nucleus'?"),
        ({}, "Nucleus", "no mask 'Nucleus'"),
        ({"A": "Treshold(M01, BF, 3)"}, "Fill(A)", "mask 'A': no mask function 'Treshold'"),
        ({"A": "Threshold(M01, DAPI, 3)"}, "A", "mask 'A': no image 'DAPI'"),
        ({"A": "B", "B": "Dilate(C, 2)", "C": "MC And Not A"}, "B", "in a loop: B -> C -> A -> B"),
        ({"A": "Fill(A)"}, "MC Or A", "in a loop: A -> A"),
        ({"A": "A"}, "A", "in a loop: A -> A"),
        ({"MC": "M01 Or Big", "Big": "Not NMC"}, "MC", "in a loop: MC -> Big -> MC"),
    ],
)
def test_check_tells_what_is_wrong_without_pixels(definitions, name, words):
    with pytest.raises(UsageError, match=words):
        MaskBook(CHANNELS, definitions).check(name)


@pytest.mark.parametrize("name", ["M01", "M12", "", "A|B", " A"])
def test_some_names_cannot_be_defined(name):
    with pytest.raises(UsageError, match="name"):
        MaskBook(CHANNELS, {name: "MC"})


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (MaskCall("Dilat", (MaskName("M01"), 5)), "no mask function 'Dilat'; did you mean 'Dilate'"),
        (MaskCall("Dilate", (MaskName("M01"),)), "expected 2 operands"),
        (MaskCall("Dilate", (MaskName("M01"), 50)), "expected n"),
        (MaskCall("Dilate", ("M01", 5)), "expected a mask as start"),
        (MaskCall("Threshold", (MaskName("M01"), None, 5)), "expected an image"),
        (MaskCall("Threshold", (MaskName("M01"), "DAPI", 5)), "expected one image 'DAPI', found none"),
    ],
)
def test_expressions_made_by_hand_are_checked(call, words):
    with pytest.raises(UsageError, match=words):
        MaskBook(CHANNELS, {"A": call}).check("A")


def test_expression_of_a_name():
    book = MaskBook(CHANNELS, {"Both": Or((MaskName("M01"), MaskName("M05"))), "Fill(M01)": "Fill(M01)"})
    assert book.expression("Both") == parse_mask("M01|Or|M05")
    assert book.expression("Fill(M01)") == MaskCall("Fill", (MaskName("M01"),))
    assert book.expression("MC") == MaskName("MC")
