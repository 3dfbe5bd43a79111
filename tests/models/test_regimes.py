"""Regimes: where a model starts, what trains, and that nothing else moves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.config import load_suite
from pfactor_bench.errors import ModelError
from pfactor_bench.models.build import build_model
from pfactor_bench.models.heads import encoder_state, find_head
from pfactor_bench.models.regimes import (
    REGIMES,
    begin,
    check_frozen,
    frozen_state,
)
from pfactor_bench.splits.splitters import grouped_k_fold
from pfactor_bench.training.case import run_case
from pfactor_bench.training.device import seeded
from pfactor_bench.training.loop import fit
from pfactor_bench.types import Budget, Case, ModelSpec

CPU = torch.device("cpu")
MODELS = {
    case.model.name: case.model
    for case in load_suite(Path(__file__).parents[2] / "suites" / "models.yaml").cases
}
EEGNET = ModelSpec(name="EEGNet")
PARTIAL = ("linear-probe", "last-block")


@pytest.fixture(scope="module")
def cohort():
    """Return six subjects with four windows each."""
    return synthetic(n_subjects=6, n_windows=4)


def started(regime: str, spec: ModelSpec, cohort, seed: int = 0):
    """Return a regime's start from an encoder with other weights than the model's own."""
    with seeded(100, CPU):
        encoder = encoder_state(build_model(spec, cohort))
    with seeded(seed, CPU):
        return begin(regime, build_model(spec, cohort), encoder=encoder)


def train(start, cohort) -> None:
    """Train for an epoch of six steps."""
    X = torch.from_numpy(cohort.X.copy())
    y = torch.from_numpy(cohort.y.astype(np.float32))
    budget = Budget(epochs=1, batch_size=4)
    with seeded(1, CPU):
        fit(start.model, X=X, y=y, X_held_out=X, budget=budget, trained=start.trained)


def results(regime: str, cohort, seed: int = 3):
    """Run one case on two folds and return its predictions."""
    split = grouped_k_fold(n_folds=2)(cohort.subjects)
    with seeded(100, CPU):
        encoder = encoder_state(build_model(EEGNET, cohort))
    return run_case(
        Case(regime=regime, model=EEGNET, seed=seed, start=regime),
        cohort,
        split,
        Budget(epochs=1, batch_size=8),
        device=CPU,
        encoders={fold.name: encoder for fold in split.folds},
    )


@pytest.mark.parametrize("name", MODELS)
def test_linear_probe_leaves_encoder_bit_identical(name: str, cohort) -> None:
    """Every parameter and every buffer outside the head, batch statistics included."""
    start = started("linear-probe", MODELS[name], cohort)
    before = encoder_state(start.model)
    train(start, cohort)
    after = encoder_state(start.model)
    assert [key for key in before if not torch.equal(before[key], after[key])] == []


@pytest.mark.parametrize("name", MODELS)
def test_linear_probe_trains_every_parameter_of_head(name: str, cohort) -> None:
    """Otherwise nothing would be learnt."""
    start = started("linear-probe", MODELS[name], cohort)
    (head,) = start.trained
    before = [parameter.detach().clone() for parameter in head.parameters()]
    train(start, cohort)
    assert not any(map(torch.equal, before, head.parameters()))


@pytest.mark.parametrize("name", sorted(MODELS.keys() - {"ShallowFBCSPNet"}))
def test_last_block_trains_part_of_encoder(name: str, cohort) -> None:
    """More than the head and, unless the encoder is one block, less than everything."""
    block, probe = (started(regime, MODELS[name], cohort) for regime in ("last-block", PARTIAL[0]))
    assert probe.n_trainable < block.n_trainable < block.n_parameters


def test_last_block_of_conformer_is_its_fully_connected_part(cohort) -> None:
    """The part that stands before the head."""
    start = started("last-block", ModelSpec(name="EEGConformer"), cohort)
    assert (start.model.fc, start.model.final_layer) == start.trained


@pytest.mark.parametrize("regime", tuple(REGIMES))
def test_frozen_and_trainable_add_up(regime: str, cohort) -> None:
    """To all parameters, counted in two ways."""
    start = started(regime, EEGNET, cohort)
    assert start.n_frozen + start.n_trainable == start.n_parameters


@pytest.mark.parametrize("regime", ["from-scratch", "full-finetune"])
def test_whole_model_trains(regime: str, cohort) -> None:
    """Nothing is frozen."""
    assert started(regime, EEGNET, cohort).n_frozen == 0


def test_parameters_that_model_never_trains_count_as_frozen(cohort) -> None:
    """FBCNet's filter bank is fixed by design, in every regime."""
    start = started("full-finetune", ModelSpec(name="FBCNet"), cohort)
    assert 0 < start.n_frozen == start.n_parameters - start.n_trainable


@pytest.mark.parametrize("regime", PARTIAL)
def test_frozen_parts_evaluate_while_rest_trains(regime: str, cohort) -> None:
    """Dropout of a frozen encoder would be noise that no seed of the head explains."""
    start = started(regime, EEGNET, cohort)
    seen = set()
    start.model.drop_1.register_forward_pre_hook(lambda part, _: seen.add(part.training))
    train(start, cohort)
    assert seen == {False}


def test_pretrained_start_holds_encoder(cohort) -> None:
    """Weights and batch statistics alike."""
    with seeded(100, CPU):
        encoder = encoder_state(build_model(EEGNET, cohort))
    found = encoder_state(started("full-finetune", EEGNET, cohort).model)
    assert all(torch.equal(encoder[name], found[name]) for name in encoder)


def test_pretrained_start_has_head_of_from_scratch(cohort) -> None:
    """Regimes with one seed differ in nothing else."""
    scratch, tuned = (
        started(regime, EEGNET, cohort, seed=5).model.final_layer.state_dict()
        for regime in ("from-scratch", "full-finetune")
    )
    assert all(torch.equal(scratch[name], tuned[name]) for name in scratch)


@pytest.mark.parametrize("regime", tuple(REGIMES))
def test_regime_gives_alone_what_it_gives_after_others(regime: str, cohort) -> None:
    """No weights, statistics or random numbers pass from one run to the next."""
    alone = results(regime, cohort).predictions
    for other in REGIMES:
        results(other, cohort, seed=9)
    assert alone.equals(results(regime, cohort).predictions)


def test_own_learning_rate_takes_the_place_of_budgets(cohort) -> None:
    """What a fold was trained with is kept."""
    split = grouped_k_fold(n_folds=2)(cohort.subjects)
    case = Case(regime="slow", model=EEGNET, seed=1, learning_rate=1e-5)
    result = run_case(case, cohort, split, Budget(epochs=1), device=CPU)
    assert [1e-5, 1e-5] == [budget.learning_rate for budget in result.budgets]


def test_pretrained_regime_without_encoder_is_refused(cohort) -> None:
    """It would be training from scratch under another name."""
    with pytest.raises(ModelError, match="starts from an encoder, and none was given"):
        begin("linear-probe", build_model(EEGNET, cohort))


def test_encoder_of_another_model_is_refused(cohort) -> None:
    """With the first name that does not fit."""
    encoder = encoder_state(build_model(ModelSpec(name="ShallowFBCSPNet"), cohort))
    with pytest.raises(ModelError, match="was made for another model than 'EEGNet'"):
        begin("linear-probe", build_model(EEGNET, cohort), encoder=encoder)


def test_encoder_for_other_channels_is_refused(cohort) -> None:
    """With both shapes."""
    fewer = replace(cohort, X=cohort.X[:, :4])
    encoder = encoder_state(build_model(EEGNET, fewer))
    with pytest.raises(ModelError, match=r"has shape .*, expected .*; channels, samples"):
        begin("linear-probe", build_model(EEGNET, cohort), encoder=encoder)


class Plain(nn.Module):
    """A model that follows no convention; its head may be replaced."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(200, 3)
        self.readout = nn.Linear(3, 1)


class Resettable(Plain):
    """A model that says itself what its head is."""

    def reset_head(self, n_outputs: int) -> None:
        """Replace the head."""
        self.readout = nn.Linear(3, n_outputs)


class Careless(Plain):
    """A model whose forward pass writes to its own weights."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Shrink the weights, as old max-norm layers do."""
        self.body.weight.data.mul_(0.9)
        return self.readout(self.body(X).mean(dim=1))


def test_head_is_found_by_braindecodes_convention(cohort) -> None:
    """All its models call it final_layer."""
    assert find_head(build_model(EEGNET, cohort)) == "final_layer"


def test_head_is_found_by_what_reset_head_replaces() -> None:
    """Where a model offers that."""
    assert find_head(Resettable()) == "readout"


def test_finding_head_by_reset_draws_no_random_number() -> None:
    """The model's own head and the global stream stay as they are."""
    model = Resettable()
    before = (torch.get_rng_state(), model.readout)
    find_head(model)
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] is model.readout


def test_declared_head_is_taken() -> None:
    """Before anything is guessed."""
    assert find_head(Resettable(), "body") == "body"


def test_head_that_cannot_be_found_asks_for_declaration() -> None:
    """With an example from the model itself."""
    with pytest.raises(ModelError, match=r"which part of model 'Plain' .*head: readout"):
        find_head(Plain())


def test_declared_head_that_does_not_exist_is_refused() -> None:
    """With the nearest name."""
    with pytest.raises(ModelError, match=r"no part 'readut' .*did you mean 'readout'"):
        find_head(Plain(), "readut")


def test_model_that_writes_to_frozen_weights_is_refused(cohort) -> None:
    """It cannot be trained in part, and must not seem to be."""
    model = Careless()
    start = begin("linear-probe", model, head="readout", encoder=encoder_state(model, "readout"))
    before = frozen_state(start)
    train(start, cohort)
    with pytest.raises(ModelError, match=r"'Careless' changed 'body\.weight' while it was frozen"):
        check_frozen(start, before)
