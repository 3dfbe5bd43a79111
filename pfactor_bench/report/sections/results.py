"""Sections of a report that hold what was measured: claims, seeds, regimes, saliency."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.claims import required
from pfactor_bench.records.record import find_measurement
from pfactor_bench.report.facts import (
    BASELINE,
    metric,
    regimes,
    value_of,
    value_with_interval,
    windows_chosen,
)
from pfactor_bench.report.text import bullets, escape, listed, table

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record
    from pfactor_bench.types import Measurement

__all__ = ["claims_section", "per_seed_section", "regimes_section", "saliency_section"]

_VERDICTS = {"holds": "holds", "fails": "**fails**", "inconclusive": "inconclusive"}

#: Metrics that a table shows at both levels, and what it calls them.
_PAIRED = {"pearson_r": "r", "r2": "R²", "mae": "MAE", "skill": "skill"}
_LEVELS = {"": "people", "window_": "windows"}

_LEVELS_MEAN = (
    "A reported claim is what the suite asks, whichever way it comes out. A gate, such as a number "
    "that must come out as before, fails the run where it does not hold, and says nothing more. "
    "No number of people stands where a number is not an estimate over people."
)
_LAST_EPOCH = (
    "Train MSE is the loss during training, of other people and with dropout at work, so it may "
    "well lie above held-out MSE."
)
_MEAN_OVER_FOLDS = (
    "Held-out MSE and r are means over folds here, while r over windows above pools the windows of "
    "all folds: the two differ, even in sign."
)
_HOW_TO_READ_MAPS = (
    "Time is that within a window. Where windows are not locked to an event, no moment of one "
    "means anything in the brain: a peak in time then shows how the network looks at any window."
)
_HOW_TO_READ_SHARES = (
    "An interval over people is of these models' maps: to tell a share from chance, look at how "
    "many other sets of channels, or bands, hold as much."
)


def claims_section(record: Record) -> str:
    """Return every claim with what was measured and what became of it, what fails first.

    Then what the suite asks, then the gates that hold: they only say that the run may be believed.
    """
    if not record.claims:
        return "## Claims\n\nThe suite claims nothing."
    verdicts = {verdict.claim: verdict for verdict in record.verdicts}
    rows = []
    failing = {claim for claim, verdict in verdicts.items() if verdict.status == "fails"}
    claims = sorted(
        record.claims, key=lambda claim: (claim.id not in failing, claim.level == "gate")
    )
    for claim in claims:
        verdict = verdicts.get(claim.id)
        measured = find_measurement(record, claim.measurement)
        rows.append(
            [
                claim.level,
                escape(claim.text),
                f"{measured.n_subjects:,}" if measured and measured.n_subjects else "–",
                _measured(measured),
                required(claim.requirement),
                _VERDICTS[verdict.status] if verdict else "not judged",
                escape(verdict.explanation) if verdict else "–",
            ]
        )
    headers = ["level", "claim", "people", "measured", "required", "verdict", "why"]
    return f"## Claims\n\n{table(headers, rows)}\n\n{_LEVELS_MEAN}{_measured_what(record)}"


def per_seed_section(record: Record) -> str:
    """Return every seed's numbers, people and windows side by side, below the train mean's."""
    rows = [_paired_row(record, BASELINE)]
    for regime, cases in regimes(record).items():
        rows += [_paired_row(record, case["id"]) for case in cases]
        rows.append(_pooled_row(record, regime))
    headers = ["case"] + [
        f"{name}, {level}" for name in _PAIRED.values() for level in ("people", "windows")
    ]
    return (
        f"## Every seed\n\n{table(headers, rows)}\n\n"
        f"Skill is the share of the train mean's squared error that is gone: 0 is the train mean, "
        f"1 is perfect.{_methods(record)} At the last epoch, over windows:\n\n"
        f"{_last_epoch_table(record)}\n\n{_LAST_EPOCH}{_over_folds(record)}{_remarks(record)}"
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
        f"A regime is how training starts and what it may change: from-scratch from random "
        f"weights, the others from a pretrained encoder. Over people, averaged over seeds. Regimes "
        f"whose intervals overlap are not ranked by this."
    )


def saliency_section(record: Record) -> str:
    """Return where each seed's prediction is most sensitive, circular choices marked."""
    rows = [
        [
            escape(case["id"]),
            escape(windows_chosen(saliency["chosen_by"]))
            + (" (**circular**)" if saliency["circular"] else ""),
            escape(saliency["peak_channel"]),
            f"{saliency['peak_time']:.2f}",
            f"{saliency['max']:.2e}",
            _of_map(record, case["id"], saliency["chosen_by"], "planted_share"),
            _of_map(record, case["id"], saliency["chosen_by"], "randomised_similarity"),
        ]
        for case in record.cases
        for saliency in case.get("saliency", ())
    ]
    if not rows:
        return ""
    headers = ["case", "averaged over", "peak channel", "peak time (s)", "largest"]
    headers += ["planted share", "similarity after shuffling"]
    planted = (record.cohort.get("planted") or {}).get("ch_names", ())
    share = len(planted) / len(record.cohort["ch_names"])
    chance = f" By chance the planted channels would hold {share:.3f} of it." if planted else ""
    return (
        f"## Saliency\n\n{table(headers, rows)}\n\n"
        f"Size of the prediction's gradient, in {escape(record.cohort['target'])} per "
        f"{escape(record.cohort['unit'])}.{chance} {_HOW_TO_READ_MAPS}{_saliency_remarks(record)}"
    )


def _of_map(record: Record, case: str, chosen_by: str, name: str) -> str:
    return value_of(metric(record, case, f"saliency_{chosen_by}_{name}"))


def _saliency_remarks(record: Record) -> str:
    """Say how much lies where the signal was planted, over people, and what shuffling showed."""
    found = [one for one in record.measurements if "/saliency_" in one.name]
    lines = [
        f"{escape(one.name)}: {_measured(one)}{', ' if one.note else ''}{escape(one.note or '')}."
        for one in found
        if one.case in regimes(record)
    ]
    lines += [_HOW_TO_READ_SHARES] if lines else []
    meanings = {one.note for one in found if one.name.endswith("_similarity") and one.note}
    lines += [f"Similarity after shuffling: {escape(meaning)}." for meaning in sorted(meanings)]
    return f"\n\n{bullets(lines)}" if lines else ""


def _measured_what(record: Record) -> str:
    """Say what the numbers of claims are, where no section below shows them."""
    named = dict.fromkeys(claim.measurement for claim in record.claims)
    lines = [
        f"{escape(name)}: {escape(found.note)}."
        for name in named
        if (found := find_measurement(record, name)) is not None and found.note
    ]
    return f"\n\n{bullets(lines)}" if lines else ""


def _over_folds(record: Record) -> str:
    return f" {_MEAN_OVER_FOLDS}" if len(record.split["folds"]) > 1 else ""


def _measured(measurement: Measurement | None) -> str:
    if measurement is None:
        return "not measured"
    if measurement.value is None:
        return f"no value: {escape(measurement.missing_because)}"
    return value_with_interval(measurement)


def _paired_row(record: Record, case: str) -> list[str]:
    return [escape(case)] + [
        value_of(metric(record, case, level + key)) for key in _PAIRED for level in _LEVELS
    ]


def _pooled_row(record: Record, regime: str) -> list[str]:
    cells = [f"**{escape(regime)}, mean over seeds**"]
    for key in _PAIRED:
        cells += [value_with_interval(metric(record, regime, key)), "–"]
    return cells


def _last_epoch_table(record: Record) -> str:
    names = ("train_mse", "val_mse", "val_r", "best_val_r")
    rows = [
        [escape(BASELINE), "–", value_of(metric(record, BASELINE, "window_mse")), "–", "–"],
        *(
            [escape(case["id"]), *(value_of(metric(record, case["id"], name)) for name in names)]
            for case in record.cases
        ),
    ]
    headers = ["case", "train MSE", "held-out MSE", "held-out r", "best held-out r of any epoch"]
    return table(headers, rows)


def _methods(record: Record) -> str:
    """Say how the intervals were made."""
    by_method: dict[str, list[str]] = {}
    for regime in regimes(record):
        for key, name in _PAIRED.items():
            found = metric(record, regime, key)
            if found is not None and found.ci is not None:
                method = f"{found.ci.level:.0%}, {found.ci.method}"
                by_method.setdefault(method, []).append(name)
    listed = "; ".join(
        f"{', '.join(dict.fromkeys(names))}: {escape(method)}"
        for method, names in by_method.items()
    )
    return f" Intervals are over people ({listed})." if listed else ""


def _remarks(record: Record) -> str:
    """Say why a number is missing, and what must be said beside one that is not."""
    by_reason: dict[str, list[str]] = {}
    for found in record.measurements:
        shown = found.name.rpartition("/")[2].removeprefix("window_") in _PAIRED
        if found.missing_because is not None:
            by_reason.setdefault(f"no value, {found.missing_because}", []).append(found.name)
        elif found.note is not None and shown:
            by_reason.setdefault(found.note, []).append(found.name)
    lines = [f"{listed(names)}: {escape(reason)}." for reason, names in by_reason.items()]
    return f"\n\n{bullets(lines)}" if lines else ""
