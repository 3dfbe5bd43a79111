"""Whole procedures on permuted targets: all at once is what one after another gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from pfactor_bench.cohorts import COHORTS
from pfactor_bench.errors import ModelError
from pfactor_bench.experiments.permutation import trained as permutations
from pfactor_bench.experiments.permutation.closed_form import probe_null
from pfactor_bench.experiments.permutation.null import Null, correlations, permute_targets
from pfactor_bench.experiments.permutation.trained import trained_correlations
from pfactor_bench.models.build import build_model
from pfactor_bench.models.heads import encoder_state
from pfactor_bench.splits.splitters import make_split
from pfactor_bench.studies.changes import changed
from pfactor_bench.training.engine import run_group
from pfactor_bench.types import Budget, Case, EngineChoice, Ingredient, ModelSpec

CPU = torch.device("cpu")
MODEL = ModelSpec(
    name="EEGConformer", args={"num_layers": 1, "num_heads": 2, "final_fc_length": "auto"}
)
PROBE = Case(regime="linear-probe", model=MODEL, seed=1, start="linear-probe")
SCRATCH = Case(regime="from-scratch", model=MODEL, seed=1)
BUDGET = Budget(epochs=1, batch_size=8)


@pytest.fixture(scope="module")
def cohort():
    """Return a small cohort."""
    return COHORTS["synthetic"](n_subjects=9, n_windows=4)


@pytest.fixture(scope="module")
def split(cohort):
    """Return three folds."""
    recipe = Ingredient(kind="grouped-k-fold", args={"n_folds": 3, "seed": 0})
    return make_split(recipe, cohort.table)


@pytest.fixture(scope="module")
def encoders(cohort, split):
    """Return one encoder for all folds."""
    torch.manual_seed(0)
    return dict.fromkeys(
        [fold.name for fold in split.folds], encoder_state(build_model(MODEL, cohort))
    )


def subjects_r(cohort, y, y_pred) -> float:
    """Return r over subjects, the slow way."""
    subjects = np.unique(cohort.subjects)
    means = [
        [values[cohort.subjects == subject].mean() for subject in subjects]
        for values in (y, y_pred)
    ]
    return float(np.corrcoef(means)[0, 1])


def trained(case, cohort, split, targets, budget=BUDGET) -> np.ndarray:
    """Return r of the case on each row of targets."""
    parts = trained_correlations(case, cohort, split, budget, targets, device=CPU)
    return np.concatenate(list(parts))


def test_subjects_keep_one_target_and_the_targets_are_the_same(cohort) -> None:
    """Permuted anew, none lost."""
    permuted = permute_targets(cohort, 5, seed=0)
    assert len(np.unique(permuted, axis=0)) == 5
    for row in permuted:
        np.testing.assert_array_equal(np.sort(row), np.sort(cohort.y))
        for subject in np.unique(cohort.subjects):
            assert len(set(row[cohort.subjects == subject])) == 1


def test_probe_of_all_permutations_is_each_ones_ridge(cohort, split, encoders) -> None:
    """One solve for all columns."""
    permuted = permute_targets(cohort, 3, seed=0)
    null = probe_null(PROBE, cohort, split, permuted, device=CPU, encoders=encoders)
    model = build_model(MODEL, cohort).eval()
    model.load_state_dict({**model.state_dict(), **encoders["fold-0"]})
    centred = cohort.X - cohort.X.mean(axis=2, keepdims=True)
    X = torch.from_numpy(centred / (cohort.X.std(axis=2, ddof=1, keepdims=True) + 1e-6)).float()
    caught = []
    model.final_layer.register_forward_pre_hook(lambda _, given: caught.append(given[0]))
    with torch.no_grad():
        model(X)
    features = caught[0].double().numpy()
    for y, expected in zip([cohort.y, *permuted], [null.observed, *null.permuted], strict=True):
        y_pred = np.zeros(len(y))
        for fold in split.folds:
            scaler = StandardScaler().fit(features[fold.train])
            ridge = Ridge(alpha=1e-2 * len(fold.train))
            ridge.fit(scaler.transform(features[fold.train]), y[fold.train])
            y_pred[fold.test] = ridge.predict(scaler.transform(features[fold.test]))
        assert subjects_r(cohort, y, y_pred) == pytest.approx(expected, abs=1e-4)


def test_training_on_all_permutations_is_training_on_each(cohort, split) -> None:
    """Together and alone, from the same seed."""
    targets = np.vstack([cohort.y, permute_targets(cohort, 2, seed=0)])
    found = trained(SCRATCH, cohort, split, targets)
    for y, expected in zip(targets, found, strict=True):
        other = replace(cohort, y=y)
        table = run_group(EngineChoice(), [SCRATCH], other, split, BUDGET, device=CPU)[
            SCRATCH
        ].predictions
        held_out = table[table["role"] == "test"].set_index("sample_id")["y_pred"]
        y_pred = held_out[cohort.table["sample_id"]].to_numpy()
        assert subjects_r(cohort, y, y_pred) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(("n_models", "portions"), [(1, [1] * 5), (7, [2, 2, 1]), (10**6, [4, 1])])
def test_results_come_as_soon_as_an_ensemble_is_trained(
    cohort, split, n_models: int, portions: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is found early is kept early, however many runs are asked for."""
    monkeypatch.setattr(permutations, "models_at_once", lambda *_: n_models)
    monkeypatch.setattr(permutations, "_PREPARED", 4)
    finished: list[None] = []
    seen = [
        (len(r), len(finished))
        for r in trained_correlations(
            SCRATCH,
            cohort,
            split,
            BUDGET,
            np.tile(cohort.y, (5, 1)),
            device=CPU,
            on_run=lambda: finished.append(None),
        )
    ]
    assert list(zip(portions, np.cumsum(portions), strict=True)) == seen


@pytest.fixture(scope="module")
def repeated(cohort):
    """Return a split that holds every subject out twice."""
    args = {"n_folds": 3, "n_repeats": 2, "seed": 1}
    return make_split(Ingredient(kind="repeated-grouped-k-fold", args=args), cohort.table)


@pytest.mark.parametrize("engine", ["fast", "plain"])
def test_predictions_of_repeated_folds_are_averaged(
    cohort, repeated, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they are in a report: none is thrown away."""
    if engine == "plain":
        monkeypatch.setattr(permutations, "rehearse", lambda *_: "none may")
    (found,) = trained(SCRATCH, cohort, repeated, cohort.y[None])
    choice = EngineChoice(kind=engine)
    table = run_group(choice, [SCRATCH], cohort, repeated, BUDGET, device=CPU)[SCRATCH].predictions
    held_out = table[table["role"] == "test"]
    assert (held_out["sample_id"].value_counts() == 2).all()
    y_pred = held_out.groupby("sample_id")["y_pred"].mean()[cohort.table["sample_id"]].to_numpy()
    assert subjects_r(cohort, cohort.y, y_pred) == pytest.approx(found, abs=1e-3)


def test_probes_of_repeated_folds_are_averaged(cohort, repeated, encoders) -> None:
    """Of one encoder: the mean of two permutations is not the second."""
    one = dict.fromkeys([fold.name for fold in repeated.folds], encoders["fold-0"])
    none = np.zeros((0, len(cohort.y)))
    both, first, second = (
        probe_null(PROBE, cohort, replace(repeated, folds=folds), none, device=CPU, encoders=one)
        for folds in (repeated.folds, repeated.folds[:3], repeated.folds[3:])
    )
    assert len({round(null.observed, 6) for null in (both, first, second)}) == 3


def test_prediction_that_is_not_finite_is_no_result(cohort, split) -> None:
    """A NaN is not as high as anything, so that p would come out too small."""
    budget = replace(BUDGET, learning_rate=1e30)
    with pytest.raises(ModelError, match=r"2 of 2 trainings .* not finite.*lower the learning"):
        trained(SCRATCH, cohort, split, np.vstack([cohort.y, cohort.y]), budget)


def test_constant_prediction_correlates_with_nothing() -> None:
    """Averaged over different numbers of windows, it is constant but for rounding."""
    cohort = COHORTS["synthetic"](n_subjects=9, n_windows=7)
    kept = np.flatnonzero(np.random.default_rng(0).random(len(cohort.y)) < 0.7)
    fewer = changed(
        cohort,
        X=cohort.X[kept],
        y=cohort.y[kept],
        table=cohort.table.iloc[kept].reset_index(drop=True),
    )
    folds = make_split(
        Ingredient(kind="grouped-k-fold", args={"n_folds": 3, "seed": 0}), fewer.table
    )
    same = np.full((1, len(kept)), 0.3)
    assert correlations(fewer, folds, fewer.y[None], same) == 0


def test_model_that_trains_elsewhere_has_no_closed_form(cohort, split, encoders) -> None:
    """The error names the way out."""
    case = Case(regime="full-finetune", model=MODEL, seed=1, start="full-finetune")
    with pytest.raises(ModelError, match="no closed form: use trained_correlations"):
        probe_null(
            case, cohort, split, permute_targets(cohort, 1, seed=0), device=CPU, encoders=encoders
        )


def test_p_value_counts_the_observed_order() -> None:
    """It is never 0."""
    assert Null(observed=0.9, permuted=np.zeros(99)).p_value == pytest.approx(0.01)
    assert Null(observed=0.0, permuted=np.array([0.1, -0.1, 0.0])).p_value == pytest.approx(3 / 4)


def test_interval_of_p_holds_the_share_and_narrows() -> None:
    """Of few permutations little is known."""
    few, many = (
        Null(observed=0.5, permuted=np.repeat([0.0, 0.9], [9 * n, n])).interval() for n in (1, 100)
    )
    assert few[0] < many[0] < 0.1 < many[1] < few[1]
    assert Null(observed=0.5, permuted=np.zeros(0)).interval() == (0.0, 1.0)


def test_more_permutations_begin_with_the_fewer(cohort) -> None:
    """So that what is there can be added to."""
    np.testing.assert_array_equal(
        permute_targets(cohort, 3, seed=0), permute_targets(cohort, 9, seed=0)[:3]
    )
