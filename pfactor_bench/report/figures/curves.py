"""The panel of the figure that shows how a model learned, epoch by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.report.facts import BASELINE, metric, train_mean_error
from pfactor_bench.report.figures import style
from pfactor_bench.report.text import count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from pfactor_bench.report.figures.panels import Source

_FEW_EPOCHS = 12


def draw_training(errors: Axes, correlation: Axes, source: Source) -> list[str]:
    """Draw squared errors epoch by epoch, and the held-out correlation in a strip below."""
    folds = source.record.split["folds"]
    # Weighted by windows, the held-out curve ends at the pooled error that the train mean's has.
    curves = {
        ("train", style.TRAIN): _over_folds(source.array("train_mse"), folds, "n_train_windows"),
        ("held-out", style.HELD_OUT): _over_folds(source.array("val_mse"), folds, "n_test_windows"),
    }
    ends = []
    for (name, color), values in curves.items():
        _draw_curves(errors, values, color)
        ends.append((name, color, float(values.mean(axis=0)[-1])))
    baseline = metric(source.record, BASELINE, "window_mse")
    if baseline is not None and baseline.value is not None:
        errors.axhline(baseline.value, **style.DASHED)
        ends.append(("train mean", style.BASELINE, baseline.value))
    on_trained = train_mean_error(source.record)
    if on_trained is not None:
        # Training windows are those of other subjects, whose mean may cost more or less.
        errors.axhline(on_trained, **{**style.DASHED, "color": style.TRAIN, "linewidth": 0.9})
        ends.append(("on train", style.TRAIN, on_trained))
    style.label_ends(errors, ends)
    errors.set_ylabel("mean squared error")
    errors.tick_params(labelbottom=False)

    val_r = source.array("val_r").mean(axis=1)
    correlation.axhline(0, color=style.QUIET, linewidth=0.7)
    _draw_curves(correlation, val_r, style.HELD_OUT)
    style.label_ends(correlation, [("held-out", style.HELD_OUT, float(val_r.mean(axis=0)[-1]))])
    correlation.set_ylabel("r, windows")
    correlation.set_xlabel("epoch")
    for axes in (errors, correlation):
        _epoch_axis(axes, val_r.shape[-1])
        style.quiet_frame(axes)
    correlation.locator_params(axis="y", nbins=3)
    n_seeds = len(val_r)
    return [
        f"bold: mean of {count(n_seeds, 'seed')} and {count(len(folds), 'fold')}",
        "thin: one seed",
        f"dashed: predicting the train mean{'' if on_trained is None else ' (blue: on train)'}",
        "evaluated: the last epoch's model",
    ]


def _over_folds(
    curves: NDArray[Any], folds: list[Mapping[str, Any]], weight: str
) -> NDArray[np.float64]:
    averaged: NDArray[np.float64] = np.average(
        curves, axis=1, weights=[fold[weight] for fold in folds]
    )
    return averaged


def _draw_curves(axes: Axes, per_seed: NDArray[np.float64], color: str) -> None:
    """Draw a thin line per seed, shape ``(n_seeds, n_epochs)``, and their mean."""
    epochs = np.arange(1, per_seed.shape[1] + 1)
    # Without a dot, a single epoch would draw nothing.
    marker = "o" if len(epochs) <= _FEW_EPOCHS else ""
    if len(per_seed) > 1:
        axes.plot(epochs, per_seed.T, color=color, linewidth=0.8, alpha=0.45)
    axes.plot(
        epochs, per_seed.mean(axis=0), color=color, linewidth=2, marker=marker, markersize=3.5
    )


def _epoch_axis(axes: Axes, n_epochs: int) -> None:
    from matplotlib.ticker import MaxNLocator

    margin = min(max(0.15, 0.03 * n_epochs), 0.9)  # an epoch 0 would be a tick too many
    axes.set_xlim(1 - margin, n_epochs + margin)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, steps=[1, 2, 5, 10]))
