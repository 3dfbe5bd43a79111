"""The 3-panel figure: how it learned, what it predicts for subjects, its saliency."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.report.facts import (
    BASELINE,
    first_saliency,
    held_out_subjects,
    mean_over_seeds,
    metric,
    regimes,
    train_mean_error,
    value_of,
    value_with_interval,
    windows_chosen,
)
from pfactor_bench.report.section import Figure, Section
from pfactor_bench.report.text import count, md, number, plain

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record
    from pfactor_bench.report.text import Markdown


def _caption(record: Record) -> Markdown:
    first = next(iter(regimes(record)), None)
    saliency = first_saliency(record, first) if first else None
    return md(
        "Left: squared error and correlation over windows after each epoch; the dashed line is "
        "what predicting the train mean costs. Middle: a dot per held-out subject and seed, a grey "
        "line joining one subject's; the train mean is dashed, or a band where it differs between "
        "folds. Right: saliency, {}.",
        md(
            "mean over {}{}",
            windows_chosen(saliency["chosen_by"]),
            md(" (circular: the true targets chose them)" if saliency["circular"] else ""),
        )
        if saliency
        else "not computed",
    )


def _alt_text(record: Record) -> str:
    """Return what the figure shows, for a reader who cannot see it; plain text, not escaped."""
    return " ".join(_row_in_words(record, regime) for regime in regimes(record))


def _row_in_words(record: Record, regime: str) -> str:
    pooled = {
        name: value_with_interval(metric(record, regime, name)) for name in ("pearson_r", "skill")
    }
    cases = regimes(record)[regime]
    last = mean_over_seeds(record, regime, "val_mse")
    error = "no value" if last is None else number(last)
    subjects = count(held_out_subjects(record), "held-out subject", "held-out subjects")
    text = (
        f"Three panels for {plain(regime)}. Training: held-out squared error ends at "
        f"{error}; predicting the train mean costs "
        f"{value_of(metric(record, BASELINE, 'window_mse'))}{_on_trained(record)}. "
        f"Predicted against true "
        f"{plain(record.cohort['target'])} of {subjects} with {count(len(cases), 'seed')}: "
        f"r {pooled['pearson_r']}, skill against the train mean {pooled['skill']}."
    )
    saliency = first_saliency(record, regime)
    if saliency is None:
        return text
    peaks = sorted({case["saliency"][0]["peak_channel"] for case in cases})
    return (
        f"{text} Saliency over {windows_chosen(saliency['chosen_by'])} peaks at "
        f"{', '.join(plain(peak) for peak in peaks)}."
    )


def _on_trained(record: Record) -> str:
    error = train_mean_error(record)
    return "" if error is None else f", and on the windows trained on {number(error)}"


FIGURE = Figure(file="figure", module="figure", alt=_alt_text)
SECTION = Section(
    order=30, text=lambda record: [FIGURE.shown(record, _caption(record))], figure=FIGURE
)
