"""Sections of a report that hold what was measured: claims, seeds, regimes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.claims import required
from pfactor_bench.record import find_measurement
from pfactor_bench.report.facts import BASELINE, metric, regimes, value_of, value_with_interval
from pfactor_bench.report.text import bullets, escape, table

if TYPE_CHECKING:
    from pfactor_bench.record import Record
    from pfactor_bench.types import Measurement

__all__ = ["claims_section", "per_seed_section", "regimes_section"]

_VERDICTS = {"holds": "holds", "fails": "**fails**", "inconclusive": "inconclusive"}

#: Metrics that exist at both levels, and what a table calls them.
_PAIRED = {"pearson_r": "r", "r2": "R²", "mae": "MAE", "mse": "MSE", "skill": "skill"}
_AT_LAST_EPOCH = ("train_mse", "val_mse", "val_r")


def claims_section(record: Record) -> str:
    """Return every claim with what was measured and what became of it, gates first."""
    if not record.claims:
        return "## Claims\n\nThe suite claims nothing."
    verdicts = {verdict.claim: verdict for verdict in record.verdicts}
    rows = []
    for claim in sorted(record.claims, key=lambda claim: claim.level != "gate"):
        verdict = verdicts.get(claim.id)
        rows.append(
            [
                claim.level,
                escape(claim.text),
                _measured(find_measurement(record, claim.measurement)),
                escape(required(claim.requirement)),
                _VERDICTS[verdict.status] if verdict else "not judged",
                escape(verdict.explanation) if verdict else "",
            ]
        )
    headers = ["", "claim", "measured", "required", "verdict", "why"]
    return f"## Claims\n\n{table(headers, rows)}"


def per_seed_section(record: Record) -> str:
    """Return every seed's numbers, people and windows side by side, below the train mean's."""
    rows = [_paired_row(record, BASELINE, "train mean")]
    for regime, cases in regimes(record).items():
        rows += [_paired_row(record, case["id"], case["id"]) for case in cases]
        rows.append(_pooled_row(record, regime))
    headers = ["case"] + [
        f"{name}, {level}" for name in _PAIRED.values() for level in ("people", "windows")
    ]
    return (
        f"## Every seed\n\n{table(headers, rows)}\n\n"
        f"Skill is the share of the train mean's squared error that is gone. At the last epoch, "
        f"over windows:\n\n{_last_epoch_table(record)}{_missing(record)}"
    )


def regimes_section(record: Record) -> str:
    """Return the regimes side by side, where there are several."""
    found = regimes(record)
    if len(found) < 2:  # noqa: PLR2004 - one regime has nothing beside it
        return ""
    rows = [
        [
            escape(regime),
            f"{cases[0]['n_trainable']:,} of {cases[0]['n_parameters']:,}",
            *(
                value_with_interval(metric(record, regime, name))
                for name in ("skill", "pearson_r", "mae")
            ),
        ]
        for regime, cases in found.items()
    ]
    headers = ["regime", "parameters trained", "skill", "r", "MAE"]
    return (
        f"## Regimes\n\n{table(headers, rows)}\n\n"
        f"Over people, averaged over seeds. Regimes whose intervals overlap are not ranked by this."
    )


def _measured(measurement: Measurement | None) -> str:
    if measurement is None:
        return "not measured"
    if measurement.value is None:
        return f"no value: {escape(measurement.missing_because)}"
    return value_with_interval(measurement)


def _paired_row(record: Record, case: str, name: str) -> list[str]:
    return [escape(name)] + [
        value_of(metric(record, case, level + key)) for key in _PAIRED for level in ("", "window_")
    ]


def _pooled_row(record: Record, regime: str) -> list[str]:
    cells = [f"**{escape(regime)}, mean**"]
    for key in _PAIRED:
        cells += [value_with_interval(metric(record, regime, key)), ""]
    return cells


def _last_epoch_table(record: Record) -> str:
    names = (*_AT_LAST_EPOCH, "best_val_r")
    rows = [
        [escape(case["id"]), *(value_of(metric(record, case["id"], name)) for name in names)]
        for case in record.cases
    ]
    headers = ["case", "train MSE", "held-out MSE", "held-out r", "best held-out r of any epoch"]
    return table(headers, rows)


def _missing(record: Record) -> str:
    """Say why each missing number is missing."""
    lines = [
        f"{escape(found.name)} has no value: {escape(found.missing_because)}."
        for found in record.measurements
        if found.value is None
    ]
    return f"\n\n{bullets(lines)}" if lines else ""
