"""Records of earlier schemas, brought to the present one step at a time.

A step never guesses: what an earlier schema did not hold is None, and a report says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["SCHEMA_VERSION", "migrate", "present_name"]

#: Fields that schema 4 calls by another name.
_FIELDS = {
    "people": "subjects",
    "score_mean": "target_mean",
    "score_sd": "target_sd",
    "planted": "injected",
    "people_needed": "subjects_needed",
}

#: Parts of the names of measurements and arrays that schema 4 calls by another name.
_NAMES = {
    "/spread/people": "/variance/subjects",
    "/spread/": "/variance/",
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
    """Say subject and target, and leave room for the regime that a finding belongs to."""
    cohort = {_FIELDS.get(name, name): value for name, value in data["cohort"].items()}
    if cohort["subjects"] is not None:
        targets = cohort["subjects"].pop("scores")
        cohort["subjects"] = {**cohort["subjects"], "targets": targets}
    return {
        **data,
        "cohort": cohort,
        "findings": [{**finding, "regime": None} for finding in data["findings"]],
        "measurements": [
            {
                **row,
                "name": present_name(row["name"]),
                "unit": row["unit"].replace("score", "target"),
            }
            for row in data["measurements"]
        ],
        "claims": [
            {**row, "measurement": present_name(row["measurement"])} for row in data["claims"]
        ],
        "verdicts": [
            {_FIELDS.get(name, name): value for name, value in row.items()}
            for row in data["verdicts"]
        ],
    }


def present_name(name: str) -> str:
    """Return what a measurement or an array of an earlier schema is called by now."""
    for old, new in _NAMES.items():
        name = name.replace(old, new)
    return name


def _from_4(data: dict[str, Any]) -> dict[str, Any]:
    """Leave room for what an interval speaks of, and say share where a p was no test's."""

    def measured(row: dict[str, Any]) -> dict[str, Any]:
        ci = row.get("ci")
        ci = ci and {**ci, "estimand": None, "df": None}
        return {**row, "name": _renamed(row["name"]), "ci": ci}

    return {
        **data,
        "measurements": [measured(row) for row in data["measurements"]],
        "claims": [{**row, "measurement": _renamed(row["measurement"])} for row in data["claims"]],
    }


def _renamed(measurement: str) -> str:
    regime, _, metric = measurement.rpartition("/")
    return f"{regime}/permuted_r_share" if metric == "shuffled_r_p" else measurement


#: From each earlier schema to the next.
_STEPS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {
    1: _from_1,
    2: _from_2,
    3: _from_3,
    4: _from_4,
}
