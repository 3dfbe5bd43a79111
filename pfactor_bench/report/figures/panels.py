"""The panels of the figure that show subjects and channels, each drawn into axes it is given.

A panel knows neither where it stands on the page nor what stands beside it. Each returns the lines
that belong above it, so that no text lies over data.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.report.facts import first_saliency, held_out_subjects, metric, windows_chosen
from pfactor_bench.report.figures import style
from pfactor_bench.report.text import count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from pfactor_bench.records.record import Record
    from pfactor_bench.types import Measurement

_MOST_CHANNEL_LABELS = 21
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """What a row of panels is drawn from: a record, its arrays, and one of its regimes."""

    record: Record
    arrays: Mapping[str, NDArray[Any]]
    regime: str

    def array(self, name: str) -> NDArray[Any]:
        """Return one of the regime's arrays."""
        return self.arrays[f"{self.regime}/{name}"]


def draw_subjects(axes: Axes, source: Source) -> list[str]:
    """Draw a dot per held-out subject and seed, on equal scales."""
    record = source.record
    y_true, y_base = source.arrays["y_true"], source.arrays["y_base"]
    y_pred = source.array("y_pred")
    low, high = _limits(y_true, y_pred, y_base)
    axes.plot([low, high], [low, high], color=style.QUIET, linewidth=1, zorder=1)
    means = np.unique(y_base.round(12))  # one per fold
    if len(means) == 1:
        axes.axhline(means[0], **style.DASHED, zorder=1)
    else:
        axes.axhspan(means[0], means[-1], color=style.BASELINE, alpha=0.18, linewidth=0, zorder=1)
    if len(y_pred) > 1:
        axes.vlines(
            y_true, y_pred.min(axis=0), y_pred.max(axis=0), color="#C8C8C8", linewidth=0.8, zorder=2
        )
    axes.plot([], [], linestyle="none", label="seed")  # the word before the seeds below
    size = 5.5 if len(y_true) <= 15 else 4.2  # noqa: PLR2004 - more dots, smaller dots
    for number, (seed, prediction) in enumerate(zip(source.array("seeds"), y_pred, strict=True)):
        axes.plot(
            y_true,
            prediction,
            linestyle="none",
            marker=style.SEED_MARKERS[number % len(style.SEED_MARKERS)],
            color=style.SEED_COLORS[number % len(style.SEED_COLORS)],
            markersize=size,
            markeredgecolor="white",
            markeredgewidth=0.5,
            label=f"{seed}",
            zorder=3,
        )
    target = style.label(record.cohort["target"])
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
    axes.locator_params(nbins=5)
    axes.set_xlabel(f"true {target}, held-out subjects")
    axes.set_ylabel(f"predicted {target}")
    style.quiet_frame(axes)
    style.label_ends(
        axes,
        [
            ("predicted\n= true", style.QUIET, high),
            ("train mean" if len(means) == 1 else "train means", style.BASELINE, means.mean()),
        ],
    )
    subjects = count(held_out_subjects(record), "subject", "subjects")
    r, skill = (metric(record, source.regime, name) for name in ("pearson_r", "skill"))
    spread = y_pred.std(axis=1).mean() / y_true.std() if y_true.std() > 0 else math.nan
    return [
        f"{subjects}, mean of {count(len(y_pred), 'seed')}",
        f"r = {_with_interval(r)}",
        f"skill = {_with_interval(skill)}",
        f"predictions' SD is {_share(spread)} of the true SD"
        if math.isfinite(spread)
        else "the true targets are all equal",
    ]


def draw_saliency(axes: Axes, bar: Axes, source: Source) -> list[str]:
    """Draw where in channels and time the prediction is sensitive to the signal."""
    facts = first_saliency(source.record, source.regime)
    if facts is None:
        axes.set_axis_off()
        bar.set_axis_off()
        return ["no saliency map in the record"]
    image = source.array(f"saliency/{facts['chosen_by']}").mean(axis=0)
    cohort = source.record.cohort
    exponent = math.floor(math.log10(image.max())) if image.max() > 0 else 0
    drawn = axes.imshow(
        image / 10.0**exponent,
        aspect="auto",
        cmap="viridis",
        vmin=0,
        interpolation="nearest",
        extent=(0, image.shape[1] / cohort["sfreq"], image.shape[0] - 0.5, -0.5),
    )
    axes.set_xlabel("time in the window (s)")
    axes.tick_params(length=2.5)
    injected = (cohort.get("injected") or {}).get("ch_names", ())
    _name_channels(axes, cohort["ch_names"], injected)
    style.figure_of(axes).colorbar(drawn, cax=bar)
    bar.tick_params(length=2.5)
    bar.locator_params(nbins=5)
    scale = "" if exponent == 0 else f"10{str(exponent).translate(_SUPERSCRIPTS)} "
    unit = f"{style.label(cohort['target'])} per {style.label(cohort['unit'], limit=8)}"
    bar.set_ylabel(f"mean |gradient|  ({scale}{unit})")
    n_seeds, n_folds = len(source.array("seeds")), len(source.record.split["folds"])
    lines = [
        windows_chosen(facts["chosen_by"]),
        f"mean of {count(n_seeds, 'seed')} and {count(n_folds, 'fold')}",
    ]
    if facts["circular"]:
        lines.append("CIRCULAR: chosen by true targets")
    if injected:
        lines.append("▸ carries the injected signal")
    return [style.label(line, limit=44) for line in lines]


def _share(ratio: float) -> str:
    return f"{100 * ratio:.1f}%" if ratio < 0.1 else f"{100 * ratio:.0f}%"  # noqa: PLR2004


def _limits(*values: NDArray[Any]) -> tuple[float, float]:
    low = min(float(each.min()) for each in values)
    high = max(float(each.max()) for each in values)
    margin = 0.07 * (high - low) or 1.0
    return low - margin, high + margin


def _with_interval(measurement: Measurement | None) -> str:
    if measurement is None or measurement.value is None:
        return "no value"
    if measurement.ci is None:
        return f"{style.signed(measurement.value)}, no interval"
    low, high = (style.signed(end) for end in (measurement.ci.low, measurement.ci.high))
    level = f"{measurement.ci.level:.0%}"
    return f"{style.signed(measurement.value)}, {level} interval [{low}, {high}]"


def _name_channels(axes: Axes, ch_names: list[str], injected: list[str]) -> None:
    step = -(-len(ch_names) // _MOST_CHANNEL_LABELS)
    marked = [i for i, name in enumerate(ch_names) if name in injected]
    shown = [
        i
        for i in range(len(ch_names))
        if i in marked or (i % step == 0 and all(abs(i - other) >= step for other in marked))
    ]
    texts = [
        f"{style.label(ch_names[i], limit=8)}{' ▸' if ch_names[i] in injected else ''}"
        for i in shown
    ]
    for i, tick in zip(shown, axes.set_yticks(shown, texts), strict=True):
        if ch_names[i] in injected:
            tick.label1.set(color=style.INJECTED, weight="bold")
