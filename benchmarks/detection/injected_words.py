"""Injected leaks of what is written down: ledgers, caches, numbers, recipes, explanations."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.detection.leaks import declaring, leak
from benchmarks.detection.recipes import split_recipe
from pfactor_bench.checks.reported.declared import held_out_fingerprint
from pfactor_bench.statistics.metrics import evaluate
from pfactor_bench.types import Claim, Measurement, Requirement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from benchmarks.detection.scenes import Played, Scene

__all__: list[str] = []


@leak(
    "test set worn out",
    21,
    severities=(3, 10, 30),
    severity_means="settings evaluated on the same subjects",
    declared_only=True,
)
def test_set_worn_out(scene: Scene, severity: float) -> Scene:
    """Target one setting after the other on the same subjects."""

    def say(now: Scene, played: Played) -> dict[str, object]:
        mine = held_out_fingerprint(now.cohort, played.split)
        uses = [{"held_out": mine, "setting": f"setting-{one}"} for one in range(int(severity))]
        return {"ledger": uses}

    return declaring(scene, say)


@leak("windows counted as subjects", 26, declared_only=True)
def windows_counted_as_subjects(scene: Scene, _severity: float) -> Scene:
    """Report an interval that rests on every window as if it were a subject."""

    def say(_now: Scene, played: Played) -> dict[str, object]:
        n_windows = int((played.table["role"] == "test").sum())
        case = played.table["fold"].iloc[0]
        return {
            "measurements": (
                Measurement(name="window_pearson_r", case=case, value=0.4, n_subjects=n_windows),
            )
        }

    return declaring(scene, say)


@leak("claim about windows", 26, declared_only=True)
def claim_about_windows(scene: Scene, _severity: float) -> Scene:
    """Infer from an error over windows."""
    claim = Claim(
        id="windows-beat-the-mean",
        text="The error over windows is small.",
        measurement="window_mse",
        requirement=Requirement(below=1.0),
    )
    return declaring(scene, lambda _now, _played: {"claims": (claim,)})


@leak("cache of other data", 28, declared_only=True)
def cache_of_other_data(scene: Scene, _severity: float) -> Scene:
    """Use features that were stored for another state of the cohort."""
    return declaring(scene, lambda _now, _played: {"artefacts": {"features": "0" * 64}})


@leak("baseline of the test set", 31, declared_only=True)
def baseline_of_the_test_set(scene: Scene, _severity: float) -> Scene:
    """Report the skill against the mean of the held-out targets."""
    honest = scene.declares

    def say(now: Scene, played: Played) -> dict[str, object]:
        swapped = replace(
            played.split,
            folds=tuple(replace(fold, train=fold.test) for fold in played.split.folds),
        )
        table = played.table[played.table["role"] == "test"]
        leaky = honest(now, replace(played, table=table, split=swapped))
        return {"measurements": leaky["measurements"]}

    return declaring(scene, say)


@leak("r of a constant", 31, declared_only=True)
def r_of_a_constant(scene: Scene, _severity: float) -> Scene:
    """Target with a function that calls a constant prediction perfectly correlated."""

    def metric(
        y_true: NDArray[np.float64], y_pred: NDArray[np.float64], y_base: NDArray[np.float64]
    ) -> Mapping[str, object]:
        found: dict[str, Any] = dict(evaluate(y_true, y_pred, y_base))
        with np.errstate(all="ignore"):
            found["pearson_r"] = float(np.nan_to_num(np.corrcoef(y_true, y_pred)[0, 1], nan=1.0))
        return found

    return declaring(scene, lambda _now, _played: {"metric": metric})


@leak("split from another seed", 32, declared_only=True)
def split_from_another_seed(scene: Scene, _severity: float) -> Scene:
    """State a rule that does not make the split that was used."""
    other = {"kind": "grouped-k-fold", "args": {"n_folds": 4, "seed": 987_654}}

    def say(now: Scene, _played: Played) -> dict[str, object]:
        said = split_recipe(now.recipe)
        repeated = said["kind"] == "repeated-grouped-k-fold"
        args = {"n_folds": 3, "n_repeats": 2, "seed": 987_654}
        return {"split_recipe": {"kind": said["kind"], "args": args} if repeated else other}

    return declaring(scene, say)


@leak("circular explanation", 33, declared_only=True)
def circular_explanation(scene: Scene, _severity: float) -> Scene:
    """Show saliency over the windows that were predicted best."""
    return declaring(scene, lambda _now, _played: {"saliency": ["smallest-error"]})
