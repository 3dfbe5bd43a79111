"""A learning curve as a figure: what was measured, what was fitted, and how far it is extended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.report.figures import style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pfactor_bench.experiments.learning_curve.fit import LearningCurve

_MEASURED, _EXTENDED = style.TRAIN, style.HELD_OUT


def draw_learning_curve(
    predictor: str, sizes: Sequence[int], skills: NDArray[np.float64], curve: LearningCurve
) -> dict[str, bytes]:
    """Return the figure as ``svg`` and ``png``.

    Parameters
    ----------
    predictor
        Whose curve it is.
    sizes, skills
        As measured, skills of shape ``(n_sizes, n_repetitions)``.
    curve
        As fitted and extended.
    """
    from matplotlib.figure import Figure

    with style.house_style():
        figure = Figure(figsize=(6.4, 3.8), layout="constrained")
        axes = figure.subplots()
        axes.axhline(0, **style.DASHED)
        axes.annotate(
            "mean of all training subjects",
            (0.99, 0),
            ha="right",
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            xytext=(0, 3),
        )
        for repetition in skills.T:
            axes.plot(sizes, repetition, "o", color=_MEASURED, alpha=0.35, markersize=4)
        axes.plot(sizes, skills.mean(axis=1), "o", color=_MEASURED, label="measured, mean")
        subjects = np.geomspace(min(sizes), max(*sizes, *curve.subjects), 200)
        fitted = curve.limit - curve.gain * subjects**-curve.exponent
        inside = subjects <= max(sizes)
        axes.plot(subjects[inside], fitted[inside], color=_MEASURED, linewidth=1)
        axes.plot(subjects[~inside], fitted[~inside], color=_EXTENDED, linewidth=1, linestyle=":")
        ends = np.array(curve.spreads).T
        reach = np.abs(ends - np.array(curve.targets))
        axes.errorbar(
            curve.subjects,
            curve.targets,
            yerr=reach,
            fmt="s",
            color=_EXTENDED,
            markersize=4,
            capsize=3,
            label="power law, extended (spread over draws)",
        )
        ticks = sorted({*sizes, *curve.subjects})
        axes.set(
            xscale="log", xlabel="subjects trained on", ylabel="skill on the held-out subjects"
        )
        axes.set_xticks(ticks, [f"{n:,}" for n in ticks])
        axes.minorticks_off()
        axes.set_title(style.label(predictor, limit=40), loc="left", fontweight="bold")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, loc="upper left")
        return style.encode(
            figure,
            title=f"Skill of {predictor} by the number of subjects trained on",
            description=_in_words(sizes, skills, curve),
        )


def _in_words(sizes: Sequence[int], skills: NDArray[np.float64], curve: LearningCurve) -> str:
    measured = ", ".join(
        f"{skill:.3f} with {n:,} subjects"
        for n, skill in zip(sizes, skills.mean(axis=1), strict=True)
    )
    extended = ", ".join(
        f"{skill:.3f} ({low:.3f} to {high:.3f} over draws) with {n:,}"
        for n, skill, (low, high) in zip(curve.subjects, curve.targets, curve.spreads, strict=True)
    )
    return f"Skill on held-out subjects, measured: {measured}. Extended by a power law: {extended}."
