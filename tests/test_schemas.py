"""Schemas are found, are valid themselves, and name the bad field."""

from __future__ import annotations

import json

import pytest

from ifcyto import schemas
from ifcyto.errors import SchemaError
from ifcyto.schemas import load_schema, schema_faults, schema_path, validate

KNOWN = sorted(
    path.name.removesuffix(".schema.json") for path in schemas.FOLDERS[1].glob("*.schema.json")
) or ["cell_stack"]


@pytest.mark.parametrize("name", KNOWN)
def test_every_schema_is_valid_and_has_a_page_beside_it(name) -> None:
    assert load_schema(name)["$schema"].startswith("https://json-schema.org/")
    assert schema_path(name).with_name(f"{name}.md").is_file()


def document() -> dict:
    number = {"dtype": "int16", "shape": [3], "rank": 1, "chunks": [3], "filters": [2, 1]}
    wanted = load_schema("cell_stack")["properties"]["datasets"]["required"]
    rules = load_schema("cell_stack")["properties"]["datasets"]["properties"]
    datasets = {}
    for key in wanted:
        limits = rules[key].get("properties") or rules[key]["allOf"][1]["properties"]
        kind = limits["dtype"].get("const", "int16")
        datasets[key] = {**number, "dtype": kind, "rank": limits["rank"]["const"]}
    attributes = {"format": "ifcyto cell stack", "format_version": [1, 0], "n_channels": 3, "complete": 1}
    return {"attributes": attributes, "datasets": datasets}


def test_a_document_that_follows_passes() -> None:
    validate(document(), "cell_stack")
    assert schema_faults(document(), "cell_stack") == []


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("attributes", "n_channels"), 0, r"\$\.attributes\.n_channels: 0 is less than the minimum of 1"),
        (("attributes", "format"), "x", r"\$\.attributes\.format: 'ifcyto cell stack' was expected"),
        (("attributes", "format_version"), [2, 0], r"\$\.attributes\.format_version\[0\]: 1 was expected"),
        (
            ("datasets", "pixels", "dtype"),
            "complex64",
            r"\$\.datasets\.pixels\.dtype: 'complex64' is not one of",
        ),
        (("datasets", "masks"), {}, r"\$\.datasets\.masks: 'dtype' is a required property \(and 4 more\)"),
        (
            ("datasets", "objects/height", "rank"),
            2,
            r"\$\.datasets\['objects/height'\]\.rank: 1 was expected",
        ),
        (
            ("datasets", "channels/name", "dtype"),
            "int8",
            r"\$\.datasets\['channels/name'\]\.dtype: 'text' was",
        ),
        (
            ("datasets", "pixels", "filters"),
            [32000],
            r"\$\.datasets\.pixels\.filters: \[32000\] is not one of",
        ),
    ],
)
def test_the_bad_field_is_named(path, value, message) -> None:
    bad = document()
    place = bad
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(SchemaError, match=f"^cell_stack: {message}") as caught:
        validate(bad, "cell_stack")
    assert "\n" not in str(caught.value)


def test_a_long_complaint_is_cut_to_one_short_line() -> None:
    bad = document()
    bad["attributes"]["format"] = ["x\n" * 5000]
    bad["datasets"] = ["\n" * 5000]
    for fault in schema_faults(bad, "cell_stack"):
        assert "\n" not in fault
        assert len(fault) < 400


def test_an_unknown_schema_lists_those_there_are() -> None:
    with pytest.raises(
        SchemaError, match=r"expected a schema moon\.schema\.json, found schemas of: .*cell_stack"
    ):
        validate({}, "moon")


def test_an_installed_copy_comes_first(tmp_path, monkeypatch) -> None:
    (tmp_path / "moon.schema.json").write_text(json.dumps({"type": "array"}))
    monkeypatch.setattr(schemas, "FOLDERS", (tmp_path, *schemas.FOLDERS))
    assert schema_path("moon").parent == tmp_path
    with pytest.raises(SchemaError, match=r"moon: \$: 3 is not of type 'array'"):
        validate(3, "moon")


@pytest.mark.parametrize("text", ["{", '{"type": "nonsense"}'])
def test_a_broken_schema_is_said_to_be_one(tmp_path, monkeypatch, text) -> None:
    name = f"broken_{len(text)}"
    (tmp_path / f"{name}.schema.json").write_text(text)
    monkeypatch.setattr(schemas, "FOLDERS", (tmp_path,))
    with pytest.raises(SchemaError, match=rf"{name}\.schema\.json: expected a JSON schema: "):
        load_schema(name)
