"""What the manifest of a split holds: checked when one is read, and published as a JSON schema.

``python -m pfactor_bench.splits.schema > docs/split-manifest.schema.json`` writes the schema.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from annotated_types import MinLen
from pydantic import ConfigDict, StringConstraints

# Pydantic evaluates annotations, which needs the TypedDict of typing_extensions before 3.12.
from typing_extensions import TypedDict

from pfactor_bench.types.typed_json import published_schema

__all__ = ["SCHEMA_VERSION", "ManifestJson", "manifest_schema"]

#: Of the manifests that this version writes, and reads.
SCHEMA_VERSION = 1

_Subjects = Annotated[list[str], MinLen(1)]


class FoldSubjectsJson(TypedDict):
    """The subjects that a fold trains on and holds out; no subject is in both lists."""

    name: str
    train_subjects: _Subjects
    test_subjects: _Subjects


class ManifestJson(TypedDict):
    """Who is trained on and held out in each fold of a split; every fold names the same subjects.

    splitter is the rule that drew the folds, from arguments and seed (null where nothing is drawn);
    fingerprint is the cohort's, null where it is not known. sha256 is over the JSON of all other
    fields, in ASCII, with sorted keys and without spaces.
    """

    __pydantic_config__ = ConfigDict(allow_inf_nan=False)  # type: ignore[misc]

    schema_version: int
    splitter: str
    arguments: dict[str, Any]
    seed: int | None
    versions: dict[str, str]
    fingerprint: str | None
    folds: Annotated[list[FoldSubjectsJson], MinLen(1)]
    sha256: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


def manifest_schema() -> dict[str, Any]:
    """Return the JSON schema of a split's manifest."""
    return published_schema(ManifestJson, "split manifest", SCHEMA_VERSION)


if __name__ == "__main__":
    print(json.dumps(manifest_schema(), indent=2))  # noqa: T201 - this is what it is run for
