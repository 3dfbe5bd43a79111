"""A learning curve as a figure: what was measured, what was fitted, and how far it is extended."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pfactor_bench.learning_curve import LearningCurve

__all__ = ["draw_learning_curve"]

_MEASURED, _EXTENDED = "#1f4e79", "#b04a2f"


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
    import matplotlib as mpl
    from matplotlib.figure import Figure

    images = {}
    # Fixed ids and no date: the file changes only when a number does.
    with mpl.rc_context({"svg.hashsalt": "learning-curve"}):
        figure = Figure(figsize=(6.4, 3.8), layout="constrained")
        axes = figure.subplots()
        axes.axhline(0, color="black", linewidth=0.8, linestyle="--")
        axes.annotate(
            "mean of all training people",
            (0.01, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            xytext=(0, 3),
            fontsize=8,
        )
        for repetition in skills.T:
            axes.plot(sizes, repetition, "o", color=_MEASURED, alpha=0.35, markersize=4)
        axes.plot(sizes, skills.mean(axis=1), "o", color=_MEASURED, label="measured, mean")
        people = np.geomspace(min(sizes), max(*sizes, *curve.people), 200)
        fitted = curve.limit - curve.gain * people**-curve.exponent
        inside = people <= max(sizes)
        axes.plot(people[inside], fitted[inside], color=_MEASURED, linewidth=1)
        axes.plot(people[~inside], fitted[~inside], color=_EXTENDED, linewidth=1, linestyle=":")
        ends = np.array([[i.low, i.high] for i in curve.intervals]).T
        reach = np.abs(ends - np.array(curve.scores))
        axes.errorbar(
            curve.people,
            curve.scores,
            yerr=reach,
            fmt="s",
            color=_EXTENDED,
            markersize=4,
            capsize=3,
            label=f"power law, extended ({curve.intervals[0].level:.0%})",
        )
        ticks = sorted({*sizes, *curve.people})
        axes.set(xscale="log", xlabel="people trained on", ylabel="skill on the held-out people")
        axes.set_xticks(ticks, [f"{n:,}" for n in ticks])
        axes.minorticks_off()
        axes.set_title(predictor, loc="left", fontweight="bold")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, loc="lower right", fontsize=8)
        for suffix in ("svg", "png"):
            buffer = io.BytesIO()
            metadata = {"Date": None} if suffix == "svg" else {}
            figure.savefig(buffer, format=suffix, dpi=150, metadata=metadata)
            images[suffix] = buffer.getvalue()
    return images
