"""What ``record.json`` holds: checked when one is read, and published as a JSON schema.

``python -m pfactor_bench.records.schema > docs/record.schema.json`` writes the schema.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, NotRequired

from annotated_types import Ge, Gt
from pydantic import ConfigDict, StringConstraints, TypeAdapter, ValidationError

# Pydantic evaluates annotations, which needs the TypedDict of typing_extensions before 3.12.
from typing_extensions import TypedDict

from pfactor_bench.records.migrations import SCHEMA_VERSION
from pfactor_bench.types import (  # pydantic reads the annotations
    Claim,
    Finding,
    Measurement,
    Timing,
    Verdict,
)

__all__ = ["check_record", "record_schema"]

_Count = Annotated[int, Ge(0)]


class SuiteJson(TypedDict):
    """The suite that ran; definition is its parsed YAML."""

    name: str
    title: str
    question: str
    file: str
    sha256: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
    definition: dict[str, Any]


class SubjectsJson(TypedDict):
    """All subjects, in three lists of one order."""

    subjects: list[str]
    targets: list[float]
    n_windows: list[_Count]


class InjectedJson(TypedDict):
    """The signal that a synthetic cohort hides; frequency in Hz."""

    ch_names: list[str]
    frequency: float


class CohortJson(TypedDict):
    """Whose EEG it is; sfreq in Hz, n_times in samples, target_sd is the sample SD (n - 1).

    In records migrated from schema 1, subjects is null.
    """

    name: str
    target: str
    unit: str
    sfreq: Annotated[float, Gt(0)]
    ch_names: list[str]
    n_subjects: _Count
    n_windows: _Count
    n_times: _Count
    target_mean: float
    target_sd: Annotated[float, Ge(0)]
    fingerprint: str
    notes: list[str]
    provenance: dict[str, Any]
    injected: InjectedJson | None
    subjects: SubjectsJson | None


class FoldJson(TypedDict):
    """Who is trained on and who is held out in a fold."""

    name: str
    train_subjects: list[str]
    test_subjects: list[str]
    n_train_windows: _Count
    n_test_windows: _Count


class SplitJson(TypedDict):
    """Who is trained on and who is held out."""

    name: str
    folds: list[FoldJson]


class EngineJson(TypedDict):
    """What trains; earlier versions gave it options."""

    kind: str


class TrainedByJson(TypedDict):
    """What trained a case, and why that is not what the suite asks for."""

    engine: EngineJson
    fallback: str | None


class SaliencyJson(TypedDict):
    """Saliency (mean absolute gradient); peak_time in seconds."""

    chosen_by: str
    circular: bool
    peak_channel: str
    peak_time: float
    max: float


class CaseJson(TypedDict):
    """A model in a regime from a seed; trained_by is null in records of schemas before 3."""

    id: str
    regime: str
    model: str
    seed: int
    n_parameters: NotRequired[_Count]
    n_trainable: NotRequired[_Count]
    trained_by: TrainedByJson | None
    saliency: NotRequired[list[SaliencyJson]]


class ProvenanceJson(TypedDict):
    """Code, packages and machine."""

    version: str
    commit: str | None
    dirty: bool | None
    command: str
    date: str
    packages: dict[str, str | None]


class MissingCaseJson(TypedDict):
    """A case that has no result, with the reason."""

    id: str
    regime: str
    seed: int
    reason: str


class RecordJson(TypedDict):
    """Everything one run of one suite found.

    Fields that are not named here may be added without another schema version; a reader ignores
    those it does not know. NaN and Infinity never occur: a missing number is null, with the reason
    in missing_because.
    """

    __pydantic_config__ = ConfigDict(allow_inf_nan=False)  # type: ignore[misc]

    schema_version: int
    suite: SuiteJson
    cohort: CohortJson
    split: SplitJson
    cases: list[CaseJson]
    measurements: list[Measurement]
    findings: list[Finding]
    claims: list[Claim]
    verdicts: list[Verdict]
    timings: list[Timing]
    provenance: ProvenanceJson
    missing: NotRequired[list[MissingCaseJson]]


def check_record(data: dict[str, Any]) -> None:
    """Refuse what is no record of the present schema.

    Raises
    ------
    ValueError
        With the first field that is missing or cannot be.
    """
    # Strict JSON, so that nothing is converted; a file's name may have brought half a character.
    text = json.dumps(data, ensure_ascii=False).encode(errors="replace")
    try:
        TypeAdapter(RecordJson).validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in first["loc"])
        wrong = "is missing" if first["type"] == "missing" else f"is {_shown(first['input'])}"
        what = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
        raise ValueError(f"{field.lstrip('.') or 'it'} {wrong}: {what}") from None
    # What is free to hold anything, such as the suite's definition, may not hold NaN either.
    json.dumps(data, allow_nan=False)


def record_schema() -> dict[str, Any]:
    """Return the JSON schema of ``record.json``."""
    schema = TypeAdapter(RecordJson).json_schema()
    schema["properties"]["schema_version"] = {"const": SCHEMA_VERSION}
    value, reason = {"type": "number"}, {"type": "string"}
    schema["$defs"]["Measurement"]["oneOf"] = [
        {"properties": {"value": {"type": "null"}, "missing_because": reason}},
        {"properties": {"value": value, "missing_because": {"type": "null"}}},
    ]
    for part in (schema, *schema["$defs"].values()):
        # Of a class, the sentence that says what it is; the rest is about Python.
        part["description"] = part["description"].partition("\n\nParameters")[0]
        for key in part["properties"].values():
            key.pop("title", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:pfactor-bench:record:{SCHEMA_VERSION}",
        **schema,
        "title": f"pfactor-bench record, schema {SCHEMA_VERSION}",
    }


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."  # noqa: PLR2004 - a line


if __name__ == "__main__":
    print(json.dumps(record_schema(), indent=2))  # noqa: T201 - this is what it is run for
