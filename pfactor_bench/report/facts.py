"""What a report says more than once, looked up in a record in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pfactor_bench.claims import MIN_SUBJECTS_TO_HOLD
from pfactor_bench.records.record import Record, find_measurement
from pfactor_bench.report.text import Markdown, escape, md, number
from pfactor_bench.types import Estimand, Measurement, VerdictStatus

#: The case that every other is compared with.
BASELINE = "train-mean"

#: What an interval speaks of, in words.
ESTIMANDS: dict[Estimand | None, str] = {
    "models": "these models on new subjects",
    "procedure": "this procedure on new subjects",
    "seeds": "these subjects with other seeds",
    None: "not stated",
}

_OUTCOMES: dict[VerdictStatus, str] = {
    "holds": "beat the train mean",
    "fails": "did worse than the train mean",
    "inconclusive": "was not shown to beat the train mean",
}
_WINDOWS = {
    "all-held-out": "all held-out windows",
    "smallest-error": "held-out windows of least error",
}


def regimes(record: Record) -> dict[str, list[Mapping[str, Any]]]:
    """Return the cases of each regime, in the suite's order."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for case in record.cases:
        found.setdefault(case["regime"], []).append(case)
    return found


def metric(record: Record, case: str, name: str) -> Measurement | None:
    """Return a metric of a case, of a regime, or of the train mean."""
    return find_measurement(record, f"{case}/{name}")


def mean_over_seeds(record: Record, regime: str, name: str) -> float | None:
    """Return the mean of what each seed of a regime measured, None where none did."""
    values = [
        found.value
        for case in regimes(record)[regime]
        if (found := metric(record, case["id"], name)) and found.value is not None
    ]
    return sum(values) / len(values) if values else None


def train_mean_error(record: Record) -> float | None:
    """Return what predicting the train mean costs on the windows that were trained on.

    Returns
    -------
    float or None
        The mean squared error over all folds' training windows, as training curves average it; None
        for a record without subjects' targets, or where a fold leaves windows of its subjects out.
    """
    subjects = record.cohort.get("subjects")
    if not subjects:
        return None
    names, targets, n_windows = (subjects[key] for key in ("subjects", "targets", "n_windows"))
    known = dict(zip(names, zip(targets, n_windows, strict=True), strict=True))
    total, n_total = 0.0, 0
    for fold in record.split["folds"]:
        trained = [known[name] for name in fold["train_subjects"] if name in known]
        if not trained or sum(n for _, n in trained) != fold["n_train_windows"]:
            return None
        mean = sum(target for target, _ in trained) / len(trained)
        total += sum(n * (target - mean) ** 2 for target, n in trained)
        n_total += fold["n_train_windows"]
    return total / n_total


def value_of(measurement: Measurement | None) -> str:
    """Return a value for a table's cell, or a dash where there is none."""
    if measurement is None or measurement.value is None:
        return "–"
    return number(measurement.value)


def value_with_interval(measurement: Measurement | None) -> Markdown:
    """Return a value with its interval, as ``0.061 [-0.762, 0.271]``."""
    if measurement is None or measurement.value is None or measurement.ci is None:
        return escape(value_of(measurement))
    ends = map(number, (measurement.ci.low, measurement.ci.high))
    return md("{} [{}, {}]", number(measurement.value), *ends)


def value_or_reason(measurement: Measurement | None) -> Markdown:
    """Return a value with its interval, or why there is none."""
    if measurement is None:
        return md("not measured")
    if measurement.value is None:
        return md("no value: {}", measurement.missing_because)
    return value_with_interval(measurement)


def subjects_of(record: Record) -> Mapping[str, Any] | None:
    """Return ``subjects, targets, n_windows`` of every subject; None where they are not held."""
    subjects: Mapping[str, Any] | None = record.cohort.get("subjects")
    return subjects if subjects and subjects["subjects"] else None


def held_out_subjects(record: Record) -> int:
    """Return how many subjects were held out, over all folds."""
    return len({name for fold in record.split["folds"] for name in fold["test_subjects"]})


def first_saliency(record: Record, regime: str) -> Mapping[str, Any] | None:
    """Return what is known of the saliency map that the figure draws for a regime."""
    maps = regimes(record)[regime][0].get("saliency", ())
    return maps[0] if maps else None


def windows_chosen(chosen_by: str) -> str:
    """Return in words how the windows of a saliency map were chosen."""
    return _WINDOWS.get(chosen_by, f"windows chosen by {chosen_by}")


def outcome(record: Record, regime: str) -> str:
    """Return in words whether a regime beat the train mean.

    A suite's own claim decides where there is one, because it was judged with all the others in
    mind; else the interval does.
    """
    return _OUTCOMES[skill_status(record, regime)]


def skill_status(record: Record, regime: str) -> VerdictStatus:
    """Return whether it holds that a regime beat the train mean, as `outcome` says in words."""
    verdicts = {verdict.claim: verdict.status for verdict in record.verdicts}
    for claim in record.claims:
        asked = claim.requirement
        if (claim.measurement, asked.above, asked.margin) == (f"{regime}/skill", 0, 0):
            return verdicts.get(claim.id, "inconclusive")
    skill = metric(record, regime, "skill")
    if skill is None or skill.ci is None:
        return "inconclusive"
    if skill.ci.high < 0:
        return "fails"
    enough = (skill.n_subjects or 0) >= MIN_SUBJECTS_TO_HOLD
    return "holds" if skill.ci.low > 0 and enough else "inconclusive"
