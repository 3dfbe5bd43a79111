"""JSON whose shape a TypedDict states: checked where it is read, and published as a schema."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter, ValidationError

__all__ = ["check_json", "published_schema"]

_MAX_SHOWN = 60


def check_json(kind: Any, data: object) -> None:  # noqa: ANN401 - a TypedDict is no type
    """Refuse what is no JSON of a kind.

    Parameters
    ----------
    kind
        A TypedDict.
    data
        Parsed JSON.

    Raises
    ------
    ValueError
        With the first field that is missing or cannot be.
    """
    # Strict JSON, so that nothing is converted; a file's name may have brought half a character.
    text = json.dumps(data, ensure_ascii=False).encode(errors="replace")
    try:
        TypeAdapter(kind).validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in first["loc"])
        wrong = "is missing" if first["type"] == "missing" else f"is {_shown(first['input'])}"
        what = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
        raise ValueError(f"{field.lstrip('.') or 'it'} {wrong}: {what}") from None
    # What is free to hold anything, such as a suite's definition, may not hold NaN either.
    json.dumps(data, allow_nan=False)


def published_schema(kind: Any, what: str, version: int) -> dict[str, Any]:  # noqa: ANN401
    """Return the JSON schema of a kind that has a ``schema_version``.

    Parameters
    ----------
    kind
        A TypedDict.
    what
        What it is called, such as ``"record"``.
    version
        The only one that the schema describes.
    """
    schema = TypeAdapter(kind).json_schema()
    schema["properties"]["schema_version"] = {"const": version}
    for part in (schema, *schema["$defs"].values()):
        # Of a class, the sentence that says what it is; the rest is about Python.
        part["description"] = part["description"].partition("\n\nParameters")[0]
        for key in part["properties"].values():
            key.pop("title", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:pfactor-bench:{what.replace(' ', '-')}:{version}",
        **schema,
        "title": f"pfactor-bench {what}, schema {version}",
    }


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."
