"""Records of earlier schemas, brought to the present one step at a time.

A step never guesses: what an earlier schema did not hold is None, and a report says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["SCHEMA_VERSION", "migrate", "present_name"]

#: Fields and a suite's keys that schema 5 calls by another name.
_FIELDS = {
    "people": "subjects",
    "score_mean": "target_mean",
    "score_sd": "target_sd",
    "planted": "injected",
    "people_needed": "subjects_needed",
    "scores": "targets",
    "allow_shared_people": "allow_shared_subjects",
}

#: Parts of the names of measurements and arrays that schema 5 calls by another name.
_NAMES = {
    "/spread/people": "/variance/subjects",
    "/spread/": "/variance/",
    "/shuffled_r_p": "/permuted_r_share",
    "/shuffled_r": "/permuted_r",
    "_planted_": "_injected_",
}

#: Of the records that this version writes. ``docs/record.schema.json`` describes them.
SCHEMA_VERSION = 5


def migrate(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a record as `SCHEMA_VERSION` has it.

    Parameters
    ----------
    data
        A parsed ``record.json``.

    Returns
    -------
    dict
        A copy; `data` is left as it is.

    Raises
    ------
    ValueError
        If it has no schema version, or one that this version does not know.
    """
    current = dict(data)
    while (version := current.get("schema_version")) != SCHEMA_VERSION:
        if type(version) is not int or version not in _STEPS:
            raise ValueError(f"schema_version {version!r}")
        current = {**_STEPS[version](current), "schema_version": version + 1}
    return current


def _from_1(data: dict[str, Any]) -> dict[str, Any]:
    """Leave room for every subject's target and number of windows, which schema 2 holds."""
    return {**data, "cohort": {**data["cohort"], "people": None}}


def _from_2(data: dict[str, Any]) -> dict[str, Any]:
    """Leave room for what trained each case, which schema 3 holds."""
    return {**data, "cases": [{**case, "trained_by": None} for case in data["cases"]]}


def _from_3(data: dict[str, Any]) -> dict[str, Any]:
    """Leave room for the regime that a finding belongs to, which schema 4 holds."""
    return {**data, "findings": [{**finding, "regime": None} for finding in data["findings"]]}


def _from_4(data: dict[str, Any]) -> dict[str, Any]:
    """Say subject and target, and leave room for what an interval speaks of."""
    cohort = _in_present_words(data["cohort"])
    if cohort["subjects"] is not None:
        cohort["subjects"] = _in_present_words(cohort["subjects"])
    return {
        **data,
        "suite": {
            **data["suite"],
            "definition": _suite_in_present_words(data["suite"]["definition"]),
        },
        "cohort": cohort,
        "measurements": [_measured(row) for row in data["measurements"]],
        "claims": _claims(data["claims"]),
        "verdicts": [_in_present_words(row) for row in data["verdicts"]],
    }


def _measured(row: dict[str, Any]) -> dict[str, Any]:
    ci = row.get("ci")
    return {
        **row,
        "name": present_name(row["name"]),
        "unit": row["unit"].replace("score", "target"),
        "ci": ci and {**ci, "estimand": None, "df": None},
    }


def _claims(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "measurement": present_name(row["measurement"])} for row in rows]


def _suite_in_present_words(keys: dict[str, Any]) -> dict[str, Any]:
    """Return the suite's keys, so that the run can be measured again."""
    now = dict(keys)
    for name in ("budget", "source"):
        if isinstance(now.get(name), dict):
            now[name] = _in_present_words(now[name])
    source = now.get("source")
    if isinstance(source, dict):
        kind = "target" if source.get("kind") == "score" else source.get("kind")
        budget = _in_present_words(source.get("budget", {}))
        now["source"] = {**source, "kind": kind, "budget": budget}
    if isinstance(now.get("claims"), list):
        now["claims"] = _claims(now["claims"])
    return now


def _in_present_words(row: dict[str, Any]) -> dict[str, Any]:
    return {_FIELDS.get(name, name): value for name, value in row.items()}


def present_name(name: str) -> str:
    """Return what a measurement or an array of an earlier schema is called by now."""
    for old, new in _NAMES.items():
        name = name.replace(old, new)
    return name


#: From each earlier schema to the next.
_STEPS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {
    1: _from_1,
    2: _from_2,
    3: _from_3,
    4: _from_4,
}
