"""What is in a cohort, as a picture: targets, age and sex against them, windows, channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pfactor_bench.models.features import channel_levels
from pfactor_bench.report.cohort_overview import NOISY, cohort_subjects
from pfactor_bench.report.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pfactor_bench.types import Cohort

_MOST_CHANNELS = 24


def draw_cohort(cohort: Cohort) -> dict[str, bytes]:
    """Draw a cohort.

    Returns
    -------
    dict
        ``"svg"`` and ``"png"``, as bytes.
    """
    from matplotlib.figure import Figure

    subjects = cohort_subjects(cohort)
    with style.house_style():
        figure = Figure(figsize=(9.6, 5.6), layout="constrained")
        grid = figure.add_gridspec(2, 3)
        _targets(figure.add_subplot(grid[0, 0]), subjects, cohort.target)
        _against_age(figure.add_subplot(grid[0, 1]), subjects, cohort.target)
        _against_sex(figure.add_subplot(grid[0, 2]), subjects, cohort.target)
        _windows(figure.add_subplot(grid[1, 0]), subjects)
        _levels(figure.add_subplot(grid[1, 1:]), cohort)
        for axes in figure.axes:
            axes.spines[["top", "right"]].set_visible(False)
            axes.tick_params(length=3)
        description = f"{len(subjects)} subjects of cohort {cohort.name}"
        figure.suptitle(
            f"{style.label(cohort.name, limit=60)}: {len(subjects):,} subjects, "
            f"{len(cohort.X):,} windows",
            fontsize=style.SMALL + 2,
            x=0.01,
            ha="left",
        )
        return style.encode(figure, title=cohort.name, description=description)


def _targets(axes: Axes, subjects: pd.DataFrame, target: str) -> None:
    axes.hist(subjects["target"], bins="auto", color=style.TRAIN, edgecolor="white", linewidth=0.5)
    axes.axvline(subjects["target"].mean(), **style.DASHED)
    axes.set(xlabel=style.label(target), ylabel="subjects")
    axes.set_title("targets, dashed: mean", fontsize=style.SMALL, loc="left")


def _against_age(axes: Axes, subjects: pd.DataFrame, target: str) -> None:
    axes.set_title("age against target", fontsize=style.SMALL, loc="left")
    axes.set(xlabel="age", ylabel=style.label(target))
    if "age" not in subjects or pd.to_numeric(subjects["age"], errors="coerce").isna().all():
        _nothing(axes, "age is not known")
        return
    size = float(np.clip(4000 / len(subjects), 4, 22))
    axes.scatter(
        pd.to_numeric(subjects["age"], errors="coerce"),
        subjects["target"],
        s=size,
        color=style.TRAIN,
        alpha=0.6,
        linewidths=0,
    )


def _against_sex(axes: Axes, subjects: pd.DataFrame, target: str) -> None:
    axes.set_title("sex against target, bar: mean", fontsize=style.SMALL, loc="left")
    axes.set(ylabel=style.label(target))
    if "sex" not in subjects or subjects["sex"].isna().all():
        _nothing(axes, "sex is not known")
        return
    rng = np.random.default_rng(0)
    groups = list(subjects.dropna(subset=["sex"]).groupby(subjects["sex"].astype(str)))
    for at, (_, group) in enumerate(groups):
        spread = at + rng.uniform(-0.2, 0.2, len(group))
        axes.scatter(spread, group["target"], s=9, color=style.TRAIN, alpha=0.6, linewidths=0)
        axes.hlines(group["target"].mean(), at - 0.3, at + 0.3, color=style.BASELINE, linewidth=1.5)
    axes.set_xticks(
        range(len(groups)), [f"{style.label(name)} ({len(group)})" for name, group in groups]
    )
    axes.set_xlim(-0.6, len(groups) - 0.4)


def _windows(axes: Axes, subjects: pd.DataFrame) -> None:
    from matplotlib.ticker import MaxNLocator

    counts = subjects["windows"]
    axes.set_title("windows a subject", fontsize=style.SMALL, loc="left")
    axes.set(xlabel="windows", ylabel="subjects")
    low, high = int(counts.min()), int(counts.max())
    bins = np.linspace(low - 0.5, high + 0.5, min(30, high - low + 1) + 1).tolist()
    axes.hist(counts, bins=bins, color=style.TRAIN, edgecolor="white", linewidth=0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _levels(axes: Axes, cohort: Cohort) -> None:
    """Draw a dot per subject and channel; flat ones have no place on a logarithmic scale."""
    from matplotlib.ticker import LogLocator, NullLocator

    _, levels = channel_levels(cohort)
    rng = np.random.default_rng(0)
    usual = np.median(levels, axis=0)
    n_flat = int((levels == 0).sum())
    for at in range(levels.shape[1]):
        varies = levels[:, at] > 0
        noisy = levels[:, at] > NOISY * usual[at]
        place = at + rng.uniform(-0.25, 0.25, len(levels))
        for chosen, color in ((varies & ~noisy, style.TRAIN), (varies & noisy, style.HELD_OUT)):
            axes.scatter(
                place[chosen], levels[chosen, at], s=7, color=color, alpha=0.6, linewidths=0
            )
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_locator(NullLocator())
    every = max(1, -(-len(cohort.ch_names) // _MOST_CHANNELS))
    shown = range(0, len(cohort.ch_names), every)
    axes.set_xticks(list(shown), [style.label(cohort.ch_names[at], limit=8) for at in shown])
    axes.set(ylabel=f"SD ({style.label(cohort.unit)})")
    flat = f"; {n_flat} flat, not shown" if n_flat else ""
    axes.set_title(
        f"a dot per subject and channel; orange: over {NOISY:g}× the channel's median{flat}",
        fontsize=style.SMALL,
        loc="left",
    )


def _nothing(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", color=style.QUIET)
    axes.set_xticks([])
    axes.set_yticks([])
