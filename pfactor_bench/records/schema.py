"""What ``record.json`` holds: checked when one is read, and published as a JSON schema.

``python -m pfactor_bench.records.schema > docs/record.schema.json`` writes the schema.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, NotRequired

from annotated_types import Ge, Gt
from pydantic import ConfigDict, StringConstraints

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
from pfactor_bench.types.typed_json import check_json, published_schema

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
    check_json(RecordJson, data)


def record_schema() -> dict[str, Any]:
    """Return the JSON schema of ``record.json``."""
    schema = published_schema(RecordJson, "record", SCHEMA_VERSION)
    value, reason = {"type": "number"}, {"type": "string"}
    schema["$defs"]["Measurement"]["oneOf"] = [
        {"properties": {"value": {"type": "null"}, "missing_because": reason}},
        {"properties": {"value": value, "missing_because": {"type": "null"}}},
    ]
    return schema


if __name__ == "__main__":
    print(json.dumps(record_schema(), indent=2))  # noqa: T201 - this is what it is run for
