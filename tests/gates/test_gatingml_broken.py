"""Gating-ML that is wrong, damaged, too large or circular: one line that says so."""

from __future__ import annotations

import warnings

import pytest

from ifcyto.errors import FormatError, GateError, IfcytoError
from ifcyto.gates.gatingml_read import is_gatingml, parse_gatingml, read_gatingml
from ifcyto.gates.gatingml_write import gatingml_text

from .gatingml_documents import (
    POLYGON,
    QUADRANTS,
    X,
    axis,
    document,
    ellipse,
    every_kind,
    negated,
    on_logicle,
    rectangle,
)


@pytest.fixture(scope="module")
def gates():
    return every_kind()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected Gating-ML"),
        ("<a/>", "expected Gating-ML 2.0, found 'a'"),
        (document(), "expected gates that can be used, found none"),
        ('<!DOCTYPE a [<!ENTITY b "c">]>' + document(rectangle()), "refused as unsafe"),
        (document(rectangle(), rectangle()), "found 'r' twice"),
        (document(rectangle("")), "found ''"),
        (document(rectangle(more="")), "at least one end of a range"),
        (document(rectangle(more='g:min="x"')), "expected a number, found 'x'"),
        (document(rectangle(more='g:min="inf"')), "expected a number, found 'inf'"),
        (document(rectangle(more='g:min="2" g:max="1"')), "low end below the high end"),
        (document(rectangle(parent='g:parent_id="z"')), "gate 'r': no gate 'z'"),
        (document(rectangle(parent='g:parent_id="r"')), "r -> r"),
        (document(rectangle(more='g:min="1" g:transformation-ref="v"')), "no transformation 'v'"),
        (
            document('<t:transformation t:id="v"><t:biex/></t:transformation>',
                     rectangle(more='g:min="1" g:transformation-ref="v"')),
            "gate 'r': transformation 'v': 'biex' is not known to ifcyto",
        ),
        (on_logicle("4.5", "-1"), "that the standard allows"),
        (on_logicle('t:A="0"', 't:A="0" t:boundMax="1"'), "cut off at bounds"),
        (document(rectangle().replace("uncompensated", "FCS")), r"'x' is compensated \('FCS'\)"),
        (document(rectangle().replace("fcs-dimension d", "new-dimension d")), "a computed dimension"),
        (document(rectangle().replace("</g:R", f"{axis(X) * 2}</g:R")), "1 or 2 dimensions, found 3"),
        (document(POLYGON), "a polygon of 3 to 1000 vertices of 2 numbers, found 2"),
        (document(ellipse(((1, 2), (2, 1)))), "symmetric and positive"),
        (document(ellipse(((1, 0), (0, 1))).replace('d:value="2"', 'd:value="-2"')), "a distance above 0"),
        (document('<g:BooleanGate g:id="b"/>'), "and, or or not, found none"),
        (document(negated("b", "b")), "b -> b"),
        (document('<g:BooleanGate g:id="b"><g:and/></g:BooleanGate>'), "refers to, found 0"),
        (document(QUADRANTS.replace('divider_ref="dx"', 'divider_ref="dz"')), "no divider 'dz'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path, text, message):
    path = tmp_path / "gates.xml"
    path.write_text(text)
    with pytest.raises(FormatError, match=message) as caught:
        read_gatingml(path)
    assert str(caught.value).startswith(str(path))
    assert str(caught.value).isprintable()


def test_partial_results_come_on_request_only():
    wrong = rectangle("vendor", 'g:min="1" g:transformation-ref="v"')
    needs = negated("b", "vendor")
    text = document(rectangle(), wrong, needs, rectangle("c", parent='g:parent_id="b"'))
    found = parse_gatingml(text, salvage=True)
    assert found.gates.names == ("All", "r")
    assert sorted(found.lost) == ["b", "c", "vendor"]
    assert "left out: gate 'vendor': no transformation 'v'" in found.notes


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(FormatError, match="cannot be read"):
        read_gatingml(tmp_path / "none.xml")
    assert not is_gatingml(tmp_path / "none.xml")
    big = tmp_path / "big.xml"
    with big.open("wb") as file:
        file.truncate(2**25)
    with pytest.raises(FormatError, match="at most 16777216 bytes"):
        read_gatingml(big)


def test_helpers_that_refer_to_one_another_in_a_circle_end(gates):
    own = '<d:custom_info><o:gate xmlns:o="urn:ifcyto:gating" o:helper="true"/></d:custom_info>'
    helper = (
        '<g:BooleanGate g:id="{0}">' + own + '<g:not><g:gateReference g:ref="{1}"/></g:not></g:BooleanGate>'
    )
    user = negated("b", "p")
    with pytest.raises(GateError, match="at most 100 gates within one another"):
        parse_gatingml(document(helper.format("p", "q"), helper.format("q", "p"), user))
    twice = helper.replace("</g:not>", "</g:not>").replace('<g:not><g:gateReference g:ref="{1}"/></g:not>',
        '<g:and><g:gateReference g:ref="{1}"/><g:gateReference g:ref="{1}"/></g:and>')  # fmt: skip
    chain = [twice.format(f"p{n}", f"p{n + 1}") for n in range(60)] + [rectangle("p60")]
    with pytest.raises(GateError):  # doubles in length sixty times
        parse_gatingml(document(*chain, user.replace('"p"', '"p0"')))


def test_mutants_are_read_or_refused_in_one_line(gates, rng):
    real = gatingml_text(gates)[0].encode()
    refused = 0
    for _ in range(250):
        data = bytearray(real)
        at, kind = int(rng.integers(len(data))), int(rng.integers(4))
        if kind == 0:
            data[at] = int(rng.integers(256))
        elif kind == 1:
            del data[at : at + int(rng.integers(1, 40))]
        elif kind == 2:
            data[at:at] = b'"9e99"'
        else:
            data[at : at + 1] = b"9"
        refused += not survives(bytes(data), salvage=bool(at % 2))
    assert 0 < refused < 250


def survives(data, *, salvage):
    """Say whether gates were read; whatever is neither read nor refused in one line fails the test."""
    refusal = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = parse_gatingml(data, approximate=True, salvage=salvage)
    except IfcytoError as error:
        refusal = str(error)
    else:
        assert found.gates.names
    assert refusal.isprintable()
    return not refusal
