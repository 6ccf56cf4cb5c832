"""Find a schema of `data_schemas/` and hold a document against it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from ifcyto.errors import SchemaError

__all__ = ["load_schema", "schema_faults", "schema_path", "validate"]

_PACKAGE = Path(__file__).resolve().parent
FOLDERS = (_PACKAGE / "_schemas", _PACKAGE.parent / "data_schemas")
"""Where schemas lie: inside an installed package, or beside it in a checkout."""


def schema_path(name: str) -> Path:
    """Path of ``NAME.schema.json``.

    Raises
    ------
    SchemaError
        There is no schema of that name.
    """
    for folder in FOLDERS:
        path = folder / f"{name}.schema.json"
        if path.is_file():
            return path
    known = sorted({p.name.removesuffix(".schema.json") for f in FOLDERS for p in f.glob("*.schema.json")})
    msg = f"expected a schema {name}.schema.json, found schemas of: {', '.join(known) or 'none'}"
    raise SchemaError(msg)


@cache
def load_schema(name: str) -> dict[str, Any]:
    """Read the schema `name`; the schema itself is checked against its meta-schema.

    Raises
    ------
    SchemaError
        There is no such schema, or it is not a valid one.
    """
    path = schema_path(name)
    try:
        schema: dict[str, Any] = json.loads(path.read_text("utf-8"))
        _validator(schema).check_schema(schema)
    except (OSError, ValueError, jsonschema.SchemaError) as error:
        msg = f"{path}: expected a JSON schema: {_one_line(str(error))}"
        raise SchemaError(msg) from error
    return schema


def schema_faults(document: Any, name: str) -> list[str]:
    """Everything in `document` that its schema forbids, each as ``path: what``.

    An empty list means the document follows the schema.
    """
    schema = load_schema(name)
    errors = _validator(schema)(schema).iter_errors(document)
    return [
        f"{error.json_path}: {_one_line(error.message)}"
        for error in sorted(errors, key=lambda error: error.json_path)
    ]


def validate(document: Any, name: str) -> None:
    """Hold `document` against the schema `name`.

    Parameters
    ----------
    document : dict, list, str, number, bool or None
        What ``json.loads`` gives.
    name : str
        Name without the ending, such as ``"cell_stack"``.

    Raises
    ------
    SchemaError
        The document breaks the schema; the message has the JSON path of the
        first bad field and the number of further ones.

    Examples
    --------
    >>> validate({}, "cell_stack")
    Traceback (most recent call last):
    ...
    ifcyto.errors.SchemaError: cell_stack: $: 'attributes' is a required property (and 1 more)
    """
    faults = schema_faults(document, name)
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        msg = f"{name}: {faults[0]}{more}"
        raise SchemaError(msg)


def _validator(schema: Any) -> Any:
    return jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)


def _one_line(text: str, limit: int = 300) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 3]}..."
