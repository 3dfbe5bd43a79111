"""Whole procedures on dealt scores: all at once is what one after another gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from pfactor_bench.cohorts import COHORTS
from pfactor_bench.errors import ModelError
from pfactor_bench.heads import encoder_state
from pfactor_bench.models import build_model
from pfactor_bench.splits import make_split
from pfactor_bench.training.engine import run_group
from pfactor_bench.training.permutations import Null, deal_scores, probe_null, training_null
from pfactor_bench.types import Budget, Case, EngineChoice, Ingredient, ModelSpec

CPU = torch.device("cpu")
MODEL = ModelSpec(
    name="EEGConformer", args={"num_layers": 1, "num_heads": 2, "final_fc_length": "auto"}
)
PROBE = Case(regime="linear-probe", model=MODEL, seed=1, start="linear-probe")
SCRATCH = Case(regime="from-scratch", model=MODEL, seed=1)


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


def people_r(cohort, y, y_pred) -> float:
    """Return r over people, the slow way."""
    people = np.unique(cohort.subjects)
    means = [
        [values[cohort.subjects == person].mean() for person in people] for values in (y, y_pred)
    ]
    return float(np.corrcoef(means)[0, 1])


def test_people_keep_one_score_and_the_scores_are_the_same(cohort) -> None:
    """Dealt anew, none lost."""
    dealt = deal_scores(cohort, 5, seed=0)
    assert len(np.unique(dealt, axis=0)) == 5
    for row in dealt:
        np.testing.assert_array_equal(np.sort(row), np.sort(cohort.y))
        for person in np.unique(cohort.subjects):
            assert len(set(row[cohort.subjects == person])) == 1


def test_probe_of_all_dealings_is_each_ones_ridge(cohort, split, encoders) -> None:
    """One solve for all columns."""
    dealt = deal_scores(cohort, 3, seed=0)
    null = probe_null(PROBE, cohort, split, dealt, device=CPU, encoders=encoders)
    model = build_model(MODEL, cohort).eval()
    model.load_state_dict({**model.state_dict(), **encoders["fold-0"]})
    centred = cohort.X - cohort.X.mean(axis=2, keepdims=True)
    X = torch.from_numpy(centred / (cohort.X.std(axis=2, ddof=1, keepdims=True) + 1e-6)).float()
    caught = []
    model.final_layer.register_forward_pre_hook(lambda _, given: caught.append(given[0]))
    with torch.no_grad():
        model(X)
    features = caught[0].double().numpy()
    for y, expected in zip([cohort.y, *dealt], [null.observed, *null.dealt], strict=True):
        y_pred = np.zeros(len(y))
        for fold in split.folds:
            scaler = StandardScaler().fit(features[fold.train])
            ridge = Ridge(alpha=1e-2 * len(fold.train))
            ridge.fit(scaler.transform(features[fold.train]), y[fold.train])
            y_pred[fold.test] = ridge.predict(scaler.transform(features[fold.test]))
        assert people_r(cohort, y, y_pred) == pytest.approx(expected, abs=1e-4)


def test_training_on_all_dealings_is_training_on_each(cohort, split) -> None:
    """Together and alone, from the same seed."""
    dealt, budget = deal_scores(cohort, 2, seed=0), Budget(epochs=1, batch_size=8)
    null = training_null(SCRATCH, cohort, split, budget, dealt, device=CPU)
    for y, expected in zip([cohort.y, *dealt], [null.observed, *null.dealt], strict=True):
        other = replace(cohort, y=y)
        table = run_group(EngineChoice(), [SCRATCH], other, split, budget, device=CPU)[
            SCRATCH
        ].predictions
        held_out = table[table["role"] == "test"].set_index("sample_id")["y_pred"]
        y_pred = held_out[cohort.table["sample_id"]].to_numpy()
        assert people_r(cohort, y, y_pred) == pytest.approx(expected, abs=1e-3)


def test_model_that_trains_elsewhere_has_no_closed_form(cohort, split, encoders) -> None:
    """The error names the way out."""
    case = Case(regime="full-finetune", model=MODEL, seed=1, start="full-finetune")
    with pytest.raises(ModelError, match="no closed form: use training_null"):
        probe_null(
            case, cohort, split, deal_scores(cohort, 1, seed=0), device=CPU, encoders=encoders
        )


def test_p_value_counts_the_observed_order() -> None:
    """It is never 0."""
    assert Null(observed=0.9, dealt=np.zeros(99)).p_value == pytest.approx(0.01)
    assert Null(observed=0.0, dealt=np.array([0.1, -0.1, 0.0])).p_value == pytest.approx(3 / 4)


def test_interval_of_p_holds_the_share_and_narrows() -> None:
    """Of few dealings little is known."""
    few, many = (
        Null(observed=0.5, dealt=np.repeat([0.0, 0.9], [9 * n, n])).interval() for n in (1, 100)
    )
    assert few[0] < many[0] < 0.1 < many[1] < few[1]
    assert Null(observed=0.5, dealt=np.zeros(0)).interval() == (0.0, 1.0)


def test_more_dealings_begin_with_the_fewer(cohort) -> None:
    """So that what is there can be added to."""
    np.testing.assert_array_equal(
        deal_scores(cohort, 3, seed=0), deal_scores(cohort, 9, seed=0)[:3]
    )
