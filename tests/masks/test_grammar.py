"""Mask definitions: to the letter as IDEAS writes them, and clear words for what is none."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from ifcyto.errors import UsageError
from ifcyto.masks.expression import And, MaskCall, MaskName, Not, Or, nodes
from ifcyto.masks.grammar import MAX_LENGTH, parse_mask, shown, stored
from ifcyto.masks.library import MASKS
from ifcyto.readers.daf_document import read_daf

A, B, C, D = map(MaskName, "ABCD")


def mask_names(expression):
    """Names in an expression, in the order of writing, repeats included."""
    return [node.name for node in nodes(expression) if isinstance(node, MaskName)]


FORMS = [
    ("Threshold(M01, DAPI, 30)", "Threshold|M01|DAPI|30"),
    ("Dilate(M01, 0)", "Dilate|M01|0"),
    ("Erode(M01, 19)", "Erode|M01|19"),
    ("Fill(M01)", "Fill|M01"),
    ("Morphology(M01, DAPI)", "Morphology|M01|DAPI"),
    ("Spot(M06, DF, Bright, 3, 2)", "Spot|M06|DF|0|3|2"),
    ("Spot(M06, DF, Dark, 2.50, 4, 1)", "Spot|M06|DF|1|2.50|4|1"),
    ("AdaptiveErode(M04, BF, 75)", "AdaptiveErode|M04|BF|75"),
    ("Component(1, Area, M01, Descending)", "Component|M01|||0|0|1|4095"),
    ("Component(2, Mean Pixel, M01, DAPI, Ascending)", "Component|M01|DAPI||15|1|2|4095"),
    (
        "Component(1, Bright Detail Similarity R3, M01, DAPI, BF, Descending)",
        "Component|M01|DAPI|BF|29|0|1|4095",
    ),
    ("Inspire(M01, DAPI)", "Inspire|M01|DAPI"),
    ("Intensity(M01, DAPI, 100-4095)", "Intensity|M01|DAPI|100|4095"),
    ("Interface(M01, M02, 4)", "Interface|M01|M02|4"),
    ("LevelSet(M01, DAPI, Middle, 3)", "LevelSet|M01|DAPI|3|3"),
    ("Object(M04, BF, Tight)", "Object|M04|BF|1"),
    ("Peak(M02, Ch02, Bright, 1.5)", "Peak|M02|Ch02|0|1.5"),
    ("Range(M01, 0-5000, 0-1)", "Range|M01|0|5000|0|1"),
    ("Range(M01, 20-300, 0.25-0.9)", "Range|M01|20|300|0.25|0.9"),
    ("Skeleton(M01, DAPI, Thick)", "Skeleton|M01|DAPI|1"),
    ("System(M01, DAPI, 60)", "System|M01|DAPI|60"),
    ("Valley(M01, DAPI, 3)", "Valley|M01|DAPI|3"),
    ("Watershed(M01)", "Watershed|M01||0|0|0|1"),
    ("Watershed(M01, 2, 3)", "Watershed|M01||0|0|2|3"),
    ("Watershed(M01, Inv, 0, 1)", "Watershed|M01||0|1|0|1"),
    ("Watershed(M01, DAPI, IW, 2, 3)", "Watershed|M01|DAPI|1|0|2|3"),
    ("Watershed(M01, DAPI, IW, Inv, 2, 3)", "Watershed|M01|DAPI|1|1|2|3"),
    ("Nuclei(MC, DRAQ5, 0.5, 5, 0.3, 0.7, 4, 0.3)", "Nuclei|MC|DRAQ5|0.5|5|0.3|0.7|4|0.3"),
    ("M01 Or M02 Or M03", "M01|Or|M02|Or|M03"),
    ("MC And Not Dilate(Threshold(M01, DAPI, 30), 5)", "MC|And|Not|Dilate(Threshold(M01, DAPI, 30), 5)"),
    ("Fill(Dilate(Threshold(M01, DAPI, 30), 5))", "Fill|Dilate(Threshold(M01, DAPI, 30), 5)"),
    ("(M01 Or M02) And M03", "M01 Or M02|And|M03"),
    ("Not (M01 And M02)", "Not|M01 And M02"),
    ("Dilate(M01 Or M02, 2)", "Dilate|M01 Or M02|2"),
    ("Nucleus of cell", "Nucleus of cell"),
]


@pytest.mark.parametrize(("menu", "file"), FORMS, ids=[menu for menu, _ in FORMS])
def test_both_forms_are_one_expression_and_come_back_to_the_letter(menu, file):
    expression = parse_mask(menu)
    assert parse_mask(file) == expression
    assert shown(expression) == shown(parse_mask(file)) == menu
    assert stored(expression) == stored(parse_mask(file)) == file


@pytest.mark.parametrize("name", ["ut7_ideas60.daf", "ut7_ideas62.daf"])
def test_real_definitions_come_back_to_the_letter(shared_data, name):
    masks = read_daf(shared_data / "amnis" / name).masks
    assert len(masks) == 9
    for mask in masks:
        expression = parse_mask(mask.definition)
        assert stored(expression) == mask.definition
        if mask.name not in {"MC", "NMC", "None"}:
            assert shown(expression) == mask.name
            assert parse_mask(mask.name) == expression


def test_nodes_of_an_expression():
    expression = parse_mask("MC And Not Dilate(Spot(M06, DF, Dark, 2.5, 3), 5)")
    spot = MaskCall("Spot", (MaskName("M06"), "DF", 1, Decimal("2.5"), 3, None))
    assert expression == And((MaskName("MC"), Not(MaskCall("Dilate", (spot, 5)))))
    assert mask_names(expression) == ["MC", "M06"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A Or B And C", Or((A, And((B, C))))),
        ("Not A And B", And((Not(A), B))),
        ("Not Not A", Not(Not(A))),
        ("(A Or B) And C", And((Or((A, B)), C))),
        ("Not(A Or B)", Not(Or((A, B)))),
        ("A And (B And C) And D", And((A, B, C, D))),
        ("A|Or|B|And|C", Or((A, And((B, C))))),
        ("(|A|Or|B|)|And|Not|C", And((Or((A, B)), Not(C)))),
        (" A  And\tB ", And((A, B))),
    ],
)
def test_not_binds_closest_then_and_then_or(text, expected):
    assert parse_mask(text) == expected


@pytest.mark.parametrize(
    ("file", "menu"),
    [
        ("A And B|Or|C", "A And B Or C"),
        ("A|And|B And C|And|D", "A And B And C And D"),
        ("A|And|Not B", "A And Not B"),
        ("A|And|Not|B|Or|C And D", "A And Not B Or C And D"),
        ("Not|A Or B", "Not (A Or B)"),
        ("Not|A|Or|B", "Not A Or B"),
        ("Component|M01|DAPI|BF|0|0|1|4095", "Component(1, Area, M01, Descending)"),
        ("Component|M01|DAPI|BF|15|0|1|4095", "Component(1, Mean Pixel, M01, DAPI, Descending)"),
        ("Component|M01|DAPI|BF|0|0|1|1023", "Component(1, Area, M01, Descending)"),
        ("Watershed|M01|DAPI|0|0|0|1", "Watershed(M01)"),
    ],
)
def test_what_a_file_says_beyond_the_name_is_kept(file, menu):
    expression = parse_mask(file)
    assert stored(expression) == file
    assert shown(expression) == menu
    assert parse_mask(menu) == expression


def test_an_image_that_does_not_matter_may_be_written():
    with_image = parse_mask("Component(1, Area, M01, DAPI, Descending)")
    assert with_image == parse_mask("Component(1, Area, M01, Descending)")
    assert stored(with_image) == "Component|M01|DAPI||0|0|1|4095"


def test_names_end_where_known_names_end():
    images = ["DAPI", "DAPI, raw", "DAPI, raw (2)"]
    for image in images:
        call = parse_mask(f"Threshold(M01, {image}, 30)", images=images)
        assert call.operands[1] == image
        assert parse_mask(shown(call), images=images) == parse_mask(stored(call), images=images) == call
    masks = ["Cell", "Cell And Debris", "R1, R2", "Cell or not"]
    assert parse_mask("Dilate(R1, R2, 3)", masks=masks).operands[0] == MaskName("R1, R2")
    assert parse_mask("M01 And Cell And Debris", masks=masks) == And(
        (MaskName("M01"), MaskName("Cell And Debris"))
    )
    assert parse_mask("Not Cell or not", masks=masks) == Not(MaskName("Cell or not"))


def test_names_run_to_the_comma_when_they_are_not_known():
    call = parse_mask("Threshold(Cell (big, old), DAPI (nuc), 30)")
    assert call.operands[:2] == (MaskName("Cell (big, old)"), "DAPI (nuc)")
    assert parse_mask("Threshold|R1, R2|DAPI, raw|30").operands[:2] == (MaskName("R1, R2"), "DAPI, raw")


def test_a_known_name_that_spells_an_expression_stands_for_itself():
    masks = ["A", "B", "C", "A Or B", "Fill(A)"]
    assert parse_mask("Dilate(Fill(A), 2)", masks=masks).operands[0] == MaskName("Fill(A)")
    assert parse_mask("A Or B", masks=masks) == MaskName("A Or B")
    assert parse_mask("Fill(A Or B)", masks=masks).operands[0] == MaskName("A Or B")
    # But it does not change what And and Or bind.
    assert parse_mask("A Or B And C", masks=masks) == Or((A, And((B, C))))


FAULTS = [
    ("", 0, "expected a mask, found the end"),
    ("Treshold(M01, DAPI, 30)", 0, "no mask function 'Treshold'; did you mean 'Threshold'?"),
    ("Treshold|M01|DAPI|30", 0, "did you mean 'Threshold'?"),
    ("MC|And|Not|Dilate(Treshold(M01, DAPI, 30), 5)", 18, "did you mean 'Threshold'?"),
    ("Dilate(M01, 50)", 12, "expected n (whole number, 0 to 19), found '50'"),
    ("Dilate(M01, 2.5)", 12, "expected n (whole number, 0 to 19), found '2.5'"),
    ("Dilate(M01, -2)", 12, "found '-2'"),
    ("Dilate(M01, 99999999999999999999)", 12, "0 to 19"),
    ("Dilate|M01|5 px", 11, "found '5 px'"),
    ("Dilate(M01", 10, "expected ',' (Dilate(start, n) has more arguments), found the end"),
    ("Threshold(M01, DAPI)", 19, "Threshold(start, image, percent) has more arguments"),
    ("Dilate(M01, 3, 4)", 13, "expected ')' (that is all that Dilate(start, n) takes), found ','"),
    ("Spot(M06, DF, Bright, 3)", 23, "has more arguments"),
    ("Spot(M06, DF, Bright, 3, 2, 1, 5)", 29, "that is all"),
    ("Spot|M06|DF|0|3", 15, "expected 5 or 6 arguments of Spot"),
    ("Spot|M06|DF|0|3|2|1|5", 20, "found 7"),
    ("Spot|M06|DF|2|3|2", 12, "expected a code for dark: 0 (Bright), 1 (Dark), found '2'"),
    ("Spot(M06, DF, Brigth, 3, 2)", 14, "expected Bright or Dark, found 'Brigth'; did you mean 'Bright'?"),
    ("Component(1, Aera, M01, Descending)", 13, "did you mean 'Area'?"),
    ("Component(1, Mean Pixel, M01, Descending)", 41, "expected image, on which the result of Component"),
    ("Component|M01|||15|0|1|4095", 14, "expected image, on which"),
    ("Intensity(M01, DAPI, 300-100)", 21, "the lower first, found 300-100"),
    ("Intensity(M01, DAPI, 100)", 24, "expected '-'"),
    ("Range(M01, 0-5000, 0-1.5)", 21, "expected ratio_max (number, 0 to 1), found '1.5'"),
    ("MC and M01", 3, "found 'and': operators are And, Or, Not"),
    ("MC|and|M01", 3, "expected And, Or or the end, found 'and'"),
    ("MC And", 6, "expected a mask, found the end"),
    ("MC|And", 6, "expected a mask, found nothing"),
    ("MC|And|And|M01", 7, "expected a mask, found 'And'"),
    ("|", 0, "expected a mask, found nothing"),
    ("(MC Or M01", 10, "closing bracket"),
    ("MC)", 2, "expected And, Or or the end, found ')'"),
    ("Threshold(M01, , 30)", 15, "expected the name of an image"),
    ("Threshold(, DAPI, 30)", 10, "expected a mask"),
    ("Fill(M01) M02", 10, "expected And, Or or the end, found 'M02'"),
]


@pytest.mark.parametrize(("text", "place", "words"), FAULTS, ids=[text for text, _, _ in FAULTS])
def test_faults_point_at_the_character(text, place, words):
    with pytest.raises(UsageError) as caught:
        parse_mask(text)
    message, line, caret = str(caught.value).split("\n")
    assert words in message
    assert (line, caret) == (f"  {text}", "  " + " " * place + "^")


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("Threshold(M01, DAPPI, 30)", 15, "no image 'DAPPI'; did you mean 'DAPI'?"),
        ("Threshold|M01|DAPPI|30", 14, "no image 'DAPPI'; did you mean 'DAPI'?"),
        ("Threshold(Nuclues, DAPI, 30)", 10, "no mask 'Nuclues'; did you mean 'Nucleus'?"),
        ("MC|And|Nuclues", 7, "no mask 'Nuclues'; did you mean 'Nucleus'?"),
        ("Threshold(M01, xyz, 30)", 15, "no image 'xyz'; there are: BF, DAPI"),
    ],
)
def test_unknown_names_are_told_with_the_nearest(text, place, words):
    with pytest.raises(UsageError) as caught:
        parse_mask(text, images=["DAPI", "BF"], masks=["Nucleus"])
    message, _, caret = str(caught.value).split("\n")
    assert words in message
    assert caret.index("^") == place + 2


def test_a_long_text_is_cut_around_the_place():
    with pytest.raises(UsageError) as caught:
        parse_mask(" Or ".join(["M01"] * 50) + " Or Fil(M01) Or " + " Or ".join(["M02"] * 50))
    _, line, caret = str(caught.value).split("\n")
    assert line[caret.index("^") :].startswith("Fil(M01)")
    assert len(line) < 120
    assert line.startswith("  ...")
    assert line.endswith("...")


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000 + "M01" + ")" * 4000,
        "Not " * 2000 + "M01",
        "Not|" * 2000 + "M01",
        "(|" * 2000 + "M01",
        "Fill(" * 1500 + "M01" + ")" * 1500,
        "Watershed(" * 900 + "M01" + ")" * 900,
        "Fill|" + "Fill(" * 1500,
    ],
    ids=lambda text: text[:12],
)
def test_what_is_nested_too_deep_is_refused(text):
    with pytest.raises(UsageError, match="no more than 50 masks within each other"):
        parse_mask(text)


@pytest.mark.parametrize("opening", ["Fill(", "Watershed(", "M02 Or M04 And (", "M02 And (M04 Or "])
def test_deep_nesting_within_the_limit_is_read_and_printed(opening):
    expression = parse_mask(opening * 45 + "M01 Or M02" + ")" * 45)
    assert parse_mask(shown(expression)) == parse_mask(stored(expression)) == expression
    assert len(mask_names(expression)) == 2 + 45 * (opening.count("M02") + opening.count("M04"))


def test_long_flat_definitions_are_read():
    text = " Or ".join(f"M{i % 12 + 1:02d}" for i in range(1000))
    assert shown(parse_mask(text)) == text
    assert len(parse_mask(text).operands) == 1000


@pytest.mark.parametrize("text", ["M01 " * MAX_LENGTH, 5, None])
def test_what_is_no_reasonable_text_is_refused(text):
    with pytest.raises(UsageError, match="expected a mask definition"):
        parse_mask(text)


WORDS = ["M01", "MC", "And", "Or", "Not", "(", ")", "|", ", ", " ", "-", "3", "0.5", "Dilate(", "Fill("]
WORDS += [" And ", " Or ", "Not ", "Fill|", "x y", "and", "Spot"]


def test_any_text_gives_an_expression_or_a_usage_error(rng):
    read = refused = 0
    for _ in range(4000):
        text = "".join(rng.choice(WORDS, size=rng.integers(1, 12)))
        try:
            expression = parse_mask(text)
        except UsageError:
            refused += 1
            continue
        read += 1
        for printed in (shown(expression), stored(expression)):
            # A file may hold names that only those who know them can read in the shown form.
            assert parse_mask(printed, masks=mask_names(expression)) == expression, (text, printed)
    assert read > 100
    assert refused > 1000


@pytest.mark.parametrize("name", ["", " A", "A ", "A|B", "And", "Not"])
def test_names_that_no_file_can_hold_are_refused(name):
    with pytest.raises(UsageError, match="expected a mask name"):
        MaskName(name)


def test_masks_in_the_pages_for_users_can_be_read():
    root = Path(__file__).parents[2]
    pages = [(root / name).read_text("utf-8") for name in ("README.md", "data_schemas/study.md")]
    quoted = [text for page in pages for text in re.findall(r"`([^`\n]+)`", page)]
    begins = re.compile(rf"(?:MC And Not )?(?:{'|'.join(MASKS)})[(|]")
    masks = [text for text in quoted if begins.match(text) and "..." not in text]
    assert len(masks) == 3
    for text in masks:
        assert parse_mask(shown(parse_mask(text))) == parse_mask(text)
