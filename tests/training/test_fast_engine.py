"""The fast engine does the plain loop's mathematics: same draws, same numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from pfactor_bench.cohorts import COHORTS
from pfactor_bench.models.build import build_model
from pfactor_bench.models.heads import encoder_state
from pfactor_bench.splits.splitters import make_split
from pfactor_bench.training.case import run_case
from pfactor_bench.training.device import full_precision
from pfactor_bench.training.engine import run_group
from pfactor_bench.training.fast import stacked
from pfactor_bench.training.fast.ensemble import fit_together
from pfactor_bench.training.fast.members import begin_member
from pfactor_bench.training.fast.noise import DropoutSite, MaskStreams
from pfactor_bench.training.fast.rewrite import Masks, rewritten
from pfactor_bench.training.fast.verify import TOLERANCE, rehearse, rewriting_error
from pfactor_bench.training.fold import prepare_fold
from pfactor_bench.training.inputs import inputs_of
from pfactor_bench.types import (
    Budget,
    Case,
    EngineChoice,
    Ingredient,
    InnerValidation,
    ModelSpec,
    TrainedBy,
)

CPU = torch.device("cpu")
FAST, PLAIN = EngineChoice(kind="fast"), EngineChoice(kind="plain")
CONFORMER = ModelSpec(
    name="EEGConformer", args={"num_layers": 1, "num_heads": 4, "final_fc_length": "auto"}
)
STEMS = ("EEGConformer", "ShallowFBCSPNet", "Deep4Net")


@pytest.fixture(scope="module")
def cohort():
    """Return seven subjects, who cannot be divided into equal folds."""
    return COHORTS["synthetic"](n_subjects=7, n_windows=4)


@pytest.fixture(scope="module")
def split(cohort):
    """Return two folds, of which one is larger."""
    return make_split(
        Ingredient(kind="grouped-k-fold", args={"n_folds": 2, "seed": 0}), cohort.table
    )


def no_dropout(model: nn.Module) -> nn.Module:
    """Switch every dropout off, that of attention weights too."""
    for part in model.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
        if hasattr(part, "att_drop"):
            part.att_drop = 0.0
    return model


def cases_of(model: ModelSpec, n_seeds: int = 2, **keywords: object) -> list[Case]:
    """Return cases that differ in their seed."""
    return [
        Case(regime="from-scratch", model=model, seed=42 + seed, **keywords)
        for seed in range(n_seeds)
    ]


class PlainDraws:
    """Dropout masks as the plain loop draws them: from the stream that also orders its windows."""

    generators: tuple[torch.Generator, ...] = ()

    def __init__(self, seeds, _device) -> None:
        known = len(seeds) == len(self.generators)
        self._generators = self.generators if known else [torch.Generator() for _ in seeds]

    def draw(self, sites, first: int, last: int) -> torch.Tensor:
        """Draw site by site, in the order in which the layers run."""
        rows = [
            torch.cat(
                [
                    torch.empty(site.n).bernoulli_(1 - site.p, generator=generator) / (1 - site.p)
                    for site in sites
                ]
            )
            for generator in self._generators[first:last]
        ]
        return torch.stack(rows)


@pytest.fixture
def plain_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the fast engine take its masks from where the plain loop takes them."""
    from pfactor_bench.training.fast import ensemble

    original = ensemble._Run  # noqa: SLF001

    def remember(members, *rest):
        monkeypatch.setattr(PlainDraws, "generators", tuple(one.order for one in members))
        return original(members, *rest)

    monkeypatch.setattr(stacked, "MaskStreams", PlainDraws)
    monkeypatch.setattr(ensemble, "_Run", remember)


@pytest.mark.parametrize("name", STEMS)
def test_rewritten_model_has_the_same_output_and_gradients(cohort, name: str) -> None:
    """But for rounding, batch statistics included; in double precision, where that is small."""
    torch.manual_seed(0)
    model = no_dropout(build_model(ModelSpec(name=name), cohort)).train().double()
    X = torch.randn(16, *cohort.X.shape[1:], dtype=torch.float64)
    y = torch.randn(16, dtype=torch.float64)

    def computed() -> dict[str, torch.Tensor]:
        model.zero_grad(set_to_none=True)
        output = model(X).reshape(-1)
        (output - y).square().mean().backward()
        gradients = {
            name: torch.zeros_like(one) if one.grad is None else one.grad.clone()
            for name, one in model.named_parameters()
        }
        return {"output": output.detach(), **gradients}

    expected = computed()
    with rewritten(model, Masks()):
        actual = computed()
    assert expected.keys() == actual.keys()
    for key, value in expected.items():
        assert float((value - actual[key]).abs().max()) < 1e-10, key


@pytest.mark.parametrize("name", STEMS)
def test_stem_is_found(cohort, name: str) -> None:
    """By its structure: one convolution is left of two."""
    model = build_model(ModelSpec(name=name), cohort).eval()
    calls: list[torch.Size] = []
    original = torch.nn.functional.conv2d

    with pytest.MonkeyPatch.context() as patch, rewritten(model, Masks()):
        patch.setattr(
            "torch.nn.functional.conv2d",
            lambda x, weight, *rest: (calls.append(weight.shape), original(x, weight, *rest))[1],
        )
        with torch.no_grad():
            model(torch.randn(2, *cohort.X.shape[1:]))
    assert cohort.X.shape[1] in {shape[1] for shape in calls}


def test_rewriting_leaves_no_trace(cohort) -> None:
    """Afterwards every layer computes by itself again."""
    model = build_model(CONFORMER, cohort).eval()
    with rewritten(model, Masks()):
        assert any("forward" in part.__dict__ for part in model.modules())
    assert not any("forward" in part.__dict__ for part in model.modules())


def test_stem_that_is_not_linear_is_left_alone() -> None:
    """An activation between the two convolutions."""

    class Other(nn.Sequential):
        def __init__(self) -> None:
            super().__init__(
                nn.Conv2d(1, 4, (1, 9)), nn.ReLU(), nn.Conv2d(4, 4, (8, 1)), nn.Flatten()
            )

    model, X = Other().eval(), torch.randn(2, 1, 8, 200)
    expected = model(X)
    with rewritten(model, Masks()):
        assert torch.equal(expected, model(X))


@pytest.mark.parametrize("number", [0, 1, 2])
def test_stem_with_a_hook_is_left_alone(number: int) -> None:
    """All of it, whichever layer has the hook, which sees what it would see."""
    layers = nn.Sequential(nn.Conv2d(1, 4, (1, 9)), nn.Conv2d(4, 4, (8, 1)), nn.ReLU())
    model, X = nn.Sequential(layers, nn.Flatten()).eval(), torch.randn(2, 1, 8, 200)
    seen: list[torch.Tensor] = []
    layers[number].register_forward_hook(lambda *given: seen.append(given[2]))
    expected = model(X)
    with rewritten(model, Masks()):
        assert torch.equal(expected, model(X))
    assert torch.equal(seen[0], seen[1])


def test_wrong_rewriting_is_noticed(cohort, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison on the spot sees a stem that is merged wrongly."""
    model = build_model(CONFORMER, cohort).double()
    X = torch.randn(8, *cohort.X.shape[1:], dtype=torch.float64)
    assert rewriting_error(model, X) < TOLERANCE
    from pfactor_bench.training.fast import stem

    original = stem.merge_kernels
    monkeypatch.setattr(
        stem,
        "merge_kernels",
        lambda *parts: (original(*parts)[0] * 1.001, original(*parts)[1]),
    )
    assert rewriting_error(model, X) > 1e-5


@pytest.mark.parametrize("seed", [42, 51])
def test_rounding_is_no_wrong_rewriting(cohort, split, seed: int) -> None:
    """In single precision a gradient of these initial weights differs by more than 1e-5."""
    windows = inputs_of(cohort, CPU)
    case = replace(cases_of(CONFORMER, 1)[0], seed=seed)
    member = begin_member(case, cohort, split.folds[0], Budget(epochs=1), device=CPU, encoder=None)
    assert rehearse(member, windows) is None


def test_wrongly_rewritten_model_is_trained_by_the_plain_loop(
    cohort, split, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Bit for bit, and its result says so."""
    monkeypatch.setattr("pfactor_bench.training.fast.verify.rewriting_error", lambda *_: 0.1)
    split = replace(split, folds=split.folds[:1])
    cases = cases_of(CONFORMER, 1)
    fast = run_group(FAST, cases, cohort, split, Budget(epochs=1), device=CPU)
    plain = run_case(cases[0], cohort, split, Budget(epochs=1), device=CPU)
    assert "plain loop" in caplog.text
    why = "its rewritten layers differ by 1.0e-01 (relative), more than 1e-09"
    assert fast[cases[0]].trained_by == TrainedBy(engine=PLAIN, fallback=why)
    np.testing.assert_array_equal(plain.predictions["y_pred"], fast[cases[0]].predictions["y_pred"])


MODEL_FILE = """
import torch
from torch import nn

class Model(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.final_layer = nn.Linear(n, 1)
        self.register_buffer("mean", torch.zeros(n))

    def forward(self, x):
        x = x.flatten(1)
        {body}

def build(*, n_chans, n_times, **_given):
    return Model(n_chans * n_times)
"""


def trained_by(cohort, split, folder, body: str, start: str = "from-scratch") -> TrainedBy:
    """Return what trained a model whose forward pass ends with `body`."""
    (folder / "model.py").write_text(MODEL_FILE.format(body=body))
    spec = ModelSpec(name="model.py:build", folder=folder)
    (case,) = cases_of(spec, 1, start=start)
    encoders = dict.fromkeys(["fold-0", "fold-1"], encoder_state(build_model(spec, cohort)))
    found = run_group(
        FAST, [case], cohort, split, Budget(epochs=1), device=CPU, encoders={case: encoders}
    )
    return found[case].trained_by


def test_buffer_that_only_a_model_alone_can_replace_is_noticed(cohort, split, tmp_path) -> None:
    """It is a new tensor after each pass, which several models at once would lose."""
    body = (
        "if self.training:\n            self.mean = 0.9 * self.mean + 0.1 * x.detach().mean(0)"
        "\n        return self.final_layer(x - self.mean)"
    )
    how = trained_by(cohort, split, tmp_path, body)
    assert how.engine == PLAIN
    assert "buffers differ by" in how.fallback


@pytest.mark.parametrize("start", ["from-scratch", "linear-probe"])
def test_whatever_the_fast_engine_stumbles_over_is_left_to_the_plain_loop(
    cohort, split, tmp_path, start: str
) -> None:
    """A model need not be written for it; an assertion without words has a name at least."""
    body = "assert x.dtype is torch.float32\n        return self.final_layer(x)"
    how = trained_by(cohort, split, tmp_path, body, start)
    assert how == TrainedBy(engine=PLAIN, fallback="AssertionError")


@pytest.mark.parametrize("start", ["from-scratch", "linear-probe"])
def test_head_that_is_called_by_keyword_is_trained(cohort, split, tmp_path, start: str) -> None:
    """By the plain loop where what reaches it would have to be kept."""
    how = trained_by(cohort, split, tmp_path, "return self.final_layer(input=x)", start)
    why = "its head is not given one tensor by position"
    expected = {
        "from-scratch": TrainedBy(engine=FAST),
        "linear-probe": TrainedBy(engine=PLAIN, fallback=why),
    }
    assert how == expected[start]


@pytest.fixture
def in_double(cohort, monkeypatch: pytest.MonkeyPatch):
    """Compute in double precision; return the cohort for it.

    In single precision AdamW turns rounding errors of gradients that are 0, such as those of a
    bias before a batch normalisation, into steps of full size. Predictions in evaluation mode feel
    that, so they agree to two or three digits only, as they do between two machines.
    """
    from pfactor_bench.training import case, fold
    from pfactor_bench.training.fast import members

    def built(spec, cohort):
        return build_model(spec, cohort).double()

    def prepared(*args, **keywords):
        ready = fold.prepare_fold(*args, **keywords)
        return replace(ready, y=ready.y.double())

    monkeypatch.setattr(fold, "build_model", built)
    monkeypatch.setattr(members, "build_model", built)
    monkeypatch.setattr(case, "prepare_fold", prepared)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield replace(cohort, X=cohort.X.astype(np.float64))
    torch.set_default_dtype(before)


@pytest.fixture
def dropout_off(in_double, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - after it
    """Build every model without dropout."""
    from pfactor_bench.training import fold
    from pfactor_bench.training.fast import members

    for module in (fold, members):
        monkeypatch.setattr(
            module,
            "build_model",
            lambda *given, build=module.build_model: no_dropout(build(*given)),
        )


@pytest.mark.usefixtures("plain_draws")
def test_loss_curves_are_the_plain_loops(cohort, split) -> None:
    """With the same random draws, over 4 epochs, seeds and unequal folds at once."""
    cases, budget = cases_of(CONFORMER), Budget(epochs=4, batch_size=8)
    fast = run_group(FAST, cases, cohort, split, budget, device=CPU)
    for case in cases:
        plain = run_case(case, cohort, split, budget, device=CPU)
        for expected, actual in zip(plain.curves, fast[case].curves, strict=True):
            np.testing.assert_allclose(expected.train_mse, actual.train_mse, atol=1e-3)


@pytest.mark.usefixtures("plain_draws")
def test_held_out_curves_are_the_plain_loops_but_for_rounding(in_double, split) -> None:
    """The same in double precision."""
    cases, budget = cases_of(CONFORMER), Budget(epochs=4, batch_size=8)
    fast = run_group(FAST, cases, in_double, split, budget, device=CPU)
    for case in cases:
        plain = run_case(case, in_double, split, budget, device=CPU)
        for expected, actual in zip(plain.curves, fast[case].curves, strict=True):
            np.testing.assert_allclose(expected.train_mse, actual.train_mse, atol=1e-6)
            np.testing.assert_allclose(expected.val_mse, actual.val_mse, atol=1e-6)


@pytest.mark.usefixtures("dropout_off")
@pytest.mark.parametrize("name", ["EEGConformer", "ShallowFBCSPNet", "EEGNet"])
def test_member_equals_the_model_trained_alone(in_double, split, name: str) -> None:
    """By the plain loop, from every seed and on every fold, once dropout is off."""
    spec = CONFORMER if name == "EEGConformer" else ModelSpec(name=name)
    cases, budget = cases_of(spec), Budget(epochs=2, batch_size=8)
    fast = run_group(FAST, cases, in_double, split, budget, device=CPU)
    for case in cases:
        plain = run_case(case, in_double, split, budget, device=CPU)
        assert plain.predictions.drop(columns="y_pred").equals(
            fast[case].predictions.drop(columns="y_pred")
        )
        np.testing.assert_allclose(
            plain.predictions["y_pred"], fast[case].predictions["y_pred"], atol=1e-4
        )


@pytest.mark.usefixtures("dropout_off")
@pytest.mark.parametrize("start", ["linear-probe", "last-block", "full-finetune"])
def test_pretrained_regimes_are_the_plain_loops(in_double, split, start: str) -> None:
    """Each fold from an encoder of its own, the frozen part computed once or not."""
    cases = cases_of(CONFORMER, start=start)
    encoders = {
        fold.name: encoder_state(build_model(CONFORMER, in_double).double()) for fold in split.folds
    }
    budget = Budget(epochs=2, batch_size=8, targets="standardized")
    fast = run_group(
        FAST, cases, in_double, split, budget, device=CPU, encoders=dict.fromkeys(cases, encoders)
    )
    for case in cases:
        plain = run_case(case, in_double, split, budget, device=CPU, encoders=encoders)
        np.testing.assert_allclose(
            plain.predictions["y_pred"], fast[case].predictions["y_pred"], atol=1e-4
        )
        assert (plain.n_trainable, plain.n_frozen) == (fast[case].n_trainable, fast[case].n_frozen)


@pytest.mark.usefixtures("dropout_off")
def test_inner_choice_is_the_plain_loops(in_double, monkeypatch: pytest.MonkeyPatch) -> None:
    """Epochs and learning rate, chosen in each fold, with models that stop at different epochs."""
    from pfactor_bench.training import inner_choice

    def prepared(*given, **keywords):
        ready = prepare_fold(*given, **keywords)
        return replace(ready, y=ready.y.double())

    monkeypatch.setattr(inner_choice, "prepare_fold", prepared)
    split = make_split(Ingredient(kind="last-subjects", args={}), in_double.table)
    cases = cases_of(CONFORMER)
    budget = Budget(
        epochs=3, batch_size=8, inner=InnerValidation(fraction=0.5, learning_rates=(1e-3, 1e-2))
    )
    fast = run_group(FAST, cases, in_double, split, budget, device=CPU)
    for case in cases:
        plain = run_case(case, in_double, split, budget, device=CPU)
        assert plain.budgets == fast[case].budgets
        np.testing.assert_allclose(
            plain.predictions["y_pred"], fast[case].predictions["y_pred"], atol=1e-4
        )


def test_result_says_which_engine_trained_it(cohort, split) -> None:
    """Each its own."""
    cases = cases_of(CONFORMER, 1)
    for engine in (FAST, PLAIN):
        result = run_group(engine, cases, cohort, split, Budget(epochs=1), device=CPU)[cases[0]]
        assert result.trained_by == TrainedBy(engine=engine)


def test_neighbours_do_not_matter(cohort, split) -> None:
    """A case in a group is the case alone, dropout included."""
    cases, budget = cases_of(CONFORMER, 3), Budget(epochs=1)
    together = run_group(FAST, cases, cohort, split, budget, device=CPU)
    alone = run_group(FAST, cases[1:2], cohort, split, budget, device=CPU)
    np.testing.assert_allclose(
        alone[cases[1]].predictions["y_pred"],
        together[cases[1]].predictions["y_pred"],
        atol=1e-4,
    )


def test_nobody_has_to_be_held_out(cohort, split) -> None:
    """As in the plain loop."""
    case = cases_of(CONFORMER, 1)[0]
    fold = replace(split.folds[0], test=split.folds[0].test[:0])
    member = begin_member(case, cohort, fold, Budget(epochs=2), device=CPU, encoder=None)
    (trajectory,) = fit_together([member], inputs_of(cohort, CPU))
    assert (2, 0) == trajectory.held_out.shape
    assert trajectory.train_mse.all()


def test_masks_have_the_layers_distribution() -> None:
    """As many zeros as asked for, a mean of 1, nothing shared between models."""
    sites = [DropoutSite(p=0.5, n=100_000), DropoutSite(p=0.3, n=100_000)]
    one, other = MaskStreams([1, 2], CPU).draw(sites, 0, 2)
    for begin, p in ((0, 0.5), (100_000, 0.3)):
        part = one[begin : begin + 100_000]
        assert float((part == 0).float().mean()) == pytest.approx(p, abs=0.006)
        assert float(part.mean()) == pytest.approx(1, abs=0.02)
    assert abs(float(np.corrcoef(one, other)[0, 1])) < 0.01
    assert torch.equal(one, MaskStreams([1], CPU).draw(sites, 0, 1)[0])


def test_fast_engine_computes_in_float32_and_leaves_torchs_setting_alone() -> None:
    """By itself torch lowers a GPU's convolutions to TF32."""
    products, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn
    before = products.allow_tf32, convolutions.allow_tf32
    with full_precision():
        assert (False, False) == (products.allow_tf32, convolutions.allow_tf32)
    assert before == (products.allow_tf32, convolutions.allow_tf32)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device here")
def test_gpu_learns_what_the_cpu_learns(cohort, split) -> None:
    """Without dropout, whose masks are drawn on the device."""
    case = cases_of(ModelSpec(name="EEGNet", args={"drop_prob": 0.0}), 1)[0]
    exact, found = (
        run_group(FAST, [case], cohort, split, Budget(epochs=2), device=torch.device(device))[case]
        for device in ("cpu", "cuda")
    )
    for one, other in zip(exact.curves, found.curves, strict=True):
        np.testing.assert_allclose(one.train_mse, other.train_mse, rtol=1e-3)
