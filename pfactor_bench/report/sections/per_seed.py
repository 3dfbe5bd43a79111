"""Every seed's numbers, subjects and windows side by side, below the train mean's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.report.facts import BASELINE, metric, regimes, value_of, value_with_interval
from pfactor_bench.report.section import Section
from pfactor_bench.report.text import bullets, joined, md, name_list, table

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record
    from pfactor_bench.report.text import Markdown

#: Metrics that a table shows at both levels, and what it calls them.
_PAIRED = {"pearson_r": "r", "r2": "R²", "mae": "MAE", "skill": "skill"}
_LEVELS = {"": "subjects", "window_": "windows"}

_LAST_EPOCH = md(
    "Train MSE is the loss during training, of other subjects and with dropout at work, so it may "
    "well lie above held-out MSE."
)
_MEAN_OVER_FOLDS = md(
    "Held-out MSE and r are means over folds here, while r over windows above pools the windows of "
    "all folds: the two differ, even in sign."
)


def _text(record: Record) -> list[Markdown]:
    rows = [_paired_row(record, BASELINE)]
    for regime, cases in regimes(record).items():
        rows += [_paired_row(record, case["id"]) for case in cases]
        rows.append(_pooled_row(record, regime))
    headers = ["case"] + [
        f"{name}, {level}" for name in _PAIRED.values() for level in _LEVELS.values()
    ]
    several_folds = len(record.split["folds"]) > 1
    return [
        table(headers, rows),
        md(
            "Skill is 1 − MSE / MSE of the training mean: 0 is the train "
            "mean, 1 is perfect.{} At the last epoch, over windows:",
            _methods(record),
        ),
        _last_epoch_table(record),
        joined(" ", [_LAST_EPOCH, *([_MEAN_OVER_FOLDS] if several_folds else [])]),
        _remarks(record),
    ]


def _paired_row(record: Record, case: str) -> list[str]:
    return [case] + [
        value_of(metric(record, case, level + key)) for key in _PAIRED for level in _LEVELS
    ]


def _pooled_row(record: Record, regime: str) -> list[str]:
    cells: list[str] = [md("**{}, mean over seeds**", regime)]
    for key in _PAIRED:
        cells += [value_with_interval(metric(record, regime, key)), "–"]
    return cells


def _last_epoch_table(record: Record) -> Markdown:
    names = ("train_mse", "val_mse", "val_r", "best_val_r")
    rows = [
        [BASELINE, "–", value_of(metric(record, BASELINE, "window_mse")), "–", "–"],
        *(
            [case["id"], *(value_of(metric(record, case["id"], name)) for name in names)]
            for case in record.cases
        ),
    ]
    headers = ["case", "train MSE", "held-out MSE", "held-out r", "best held-out r of any epoch"]
    return table(headers, rows)


def _methods(record: Record) -> Markdown:
    """Say how the intervals were made."""
    by_method: dict[str, list[str]] = {}
    for regime in regimes(record):
        for key, name in _PAIRED.items():
            found = metric(record, regime, key)
            if found is not None and found.ci is not None:
                method = f"{found.ci.level:.0%}, {found.ci.method}"
                by_method.setdefault(method, []).append(name)
    methods = joined(
        "; ",
        (
            md("{}: {}", ", ".join(dict.fromkeys(names)), method)
            for method, names in by_method.items()
        ),
    )
    return md(" Intervals are over subjects ({})." if methods else "", methods)


def _remarks(record: Record) -> Markdown:
    """Say why a number is missing, and what must be said beside one that is not."""
    by_reason: dict[str, list[str]] = {}
    for found in record.measurements:
        shown = found.name.rpartition("/")[2].removeprefix("window_") in _PAIRED
        if found.missing_because is not None:
            by_reason.setdefault(f"no value, {found.missing_because}", []).append(found.name)
        elif found.note is not None and shown:
            by_reason.setdefault(found.note, []).append(found.name)
    return bullets([md("{}: {}.", name_list(names), why) for why, names in by_reason.items()])


SECTION = Section(order=70, heading="Every seed", text=_text)
