"""Options of the fast engine: read, refused where they cannot be used, and the same mathematics."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from tiny_cases import tiny_suite

from pfactor_bench.cohorts import COHORTS
from pfactor_bench.errors import ConfigError, EnvironmentProblemError
from pfactor_bench.execution.results import case_key
from pfactor_bench.pipeline.run import run
from pfactor_bench.splits.splitters import make_split
from pfactor_bench.training.engine import run_group
from pfactor_bench.training.fast import stacked
from pfactor_bench.training.fast.acceleration import tf32_only_if_asked
from pfactor_bench.training.fast.ensemble import fit_together
from pfactor_bench.training.fast.members import begin_member
from pfactor_bench.training.inputs import inputs_of
from pfactor_bench.types import Budget, Case, EngineChoice, Ingredient, ModelSpec

if TYPE_CHECKING:
    from pathlib import Path

CPU = torch.device("cpu")
BUDGET = Budget(epochs=2, batch_size=8)
MODELS = (
    ModelSpec(
        name="EEGConformer", args={"num_layers": 1, "num_heads": 4, "final_fc_length": "auto"}
    ),
    ModelSpec(name="EEGNet"),
)
needs_cuda = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="torch finds no CUDA device here"
)


@pytest.fixture(scope="module")
def cohort():
    """Return people enough for several steps an epoch and a short last one."""
    return COHORTS["synthetic"](n_subjects=9, n_windows=4)


@pytest.fixture(scope="module")
def split(cohort):
    """Return one fold."""
    return make_split(Ingredient(kind="last-subjects", args={}), cohort.table)


def trained(cohort, split, model: ModelSpec, engine: EngineChoice, device=CPU) -> np.ndarray:
    """Return the loss curves of two models of different seeds."""
    members = [
        begin_member(
            Case(regime="from-scratch", model=model, seed=seed),
            cohort,
            split.folds[0],
            BUDGET,
            device=device,
            encoder=None,
        )
        for seed in (1, 2)
    ]
    curves = fit_together(members, inputs_of(cohort, device), engine=engine)
    return np.array([one.train_mse for one in curves])


def written(folder: Path, engine: str) -> EngineChoice:
    """Return what a suite's `engine` is read as."""
    return tiny_suite(folder, engine=engine).engine


def test_options_are_off_unless_asked_for(tmp_path: Path) -> None:
    """A name alone has none."""
    assert written(tmp_path, "fast") == EngineChoice(
        kind="fast", precision="float32", graphs=False, compile=False
    )


def test_options_are_read(tmp_path: Path) -> None:
    """Beside the name."""
    text = "{kind: fast, precision: bf16, compile: true}"
    assert written(tmp_path, text) == EngineChoice(kind="fast", precision="bf16", compile=True)
    assert written(tmp_path, "{graphs: true}") == EngineChoice(kind="fast", graphs=True)


@pytest.mark.parametrize(
    ("engine", "message"),
    [
        ("{kind: plain, precision: bf16}", "engine 'plain' has no option 'precision'"),
        ("{precision: fp8}", "precision is 'fp8': it is one of 'float32', 'tf32', 'bf16'"),
        ("{precison: bf16}", "unknown key 'precison' in engine: did you mean 'precision'"),
        ("{graphs: 1}", "'graphs' in engine is 1: expected true or false"),
        ("{graphs: true, compile: true}", "graphs and compile exclude each other"),
        ("{kind: fasst}", "did you mean 'fast'"),
        ("3", "'engine' in the suite is 3: expected text or a section"),
    ],
)
def test_options_that_cannot_be_are_refused(tmp_path: Path, engine: str, message: str) -> None:
    """Where the suite is read, with its line."""
    with pytest.raises(ConfigError, match=message) as caught:
        written(tmp_path, engine)
    assert "suite.yaml:11: " in str(caught.value)


@pytest.mark.parametrize("option", ["graphs: true", "precision: tf32"])
def test_options_that_the_device_lacks_are_refused(tmp_path: Path, option: str) -> None:
    """Before any case begins."""
    suite = tiny_suite(tmp_path, engine=f"{{{option}}}")
    with pytest.raises(EnvironmentProblemError, match=f"'{option}', which only a CUDA device"):
        run(suite, out=tmp_path / "out", data_dir=None, device="cpu")
    assert not list((tmp_path / "out").glob("cases/*"))


def test_options_are_part_of_what_a_case_is(cohort, split) -> None:
    """A case that is finished in bf16 is no float32 case."""
    case = Case(regime="from-scratch", model=MODELS[0], seed=1)
    key = partial(
        case_key, case, cohort, split, BUDGET, saliency=(), encoders={}, device=CPU, threads=1
    )
    engines = [EngineChoice(), EngineChoice(precision="bf16"), EngineChoice(compile=True)]
    assert len({key(engine=engine) for engine in engines}) == 3


def test_bf16_learns_almost_the_same(cohort, split) -> None:
    """Not the same digits: otherwise it was not bf16."""
    exact = trained(cohort, split, MODELS[0], EngineChoice())
    short = trained(cohort, split, MODELS[0], EngineChoice(precision="bf16"))
    np.testing.assert_allclose(exact, short, rtol=0.1)
    assert np.abs(exact - short).max() > 1e-5


def test_neighbours_do_not_matter_in_bf16(cohort, split) -> None:
    """A case in a group is the case alone but for bf16's rounding: as much is lowered."""
    engine = EngineChoice(precision="bf16")
    cases = [Case(regime="from-scratch", model=MODELS[0], seed=seed) for seed in (1, 2)]
    together = run_group(engine, cases, cohort, split, BUDGET, device=CPU)
    alone = run_group(engine, cases[:1], cohort, split, BUDGET, device=CPU)
    np.testing.assert_allclose(
        alone[cases[0]].predictions["y_pred"], together[cases[0]].predictions["y_pred"], atol=5e-3
    )


def test_result_says_how_far_bf16_is_from_float32(cohort, split) -> None:
    """In the gradients, which is what it changes; predictions are float32's own type."""
    case = Case(regime="from-scratch", model=MODELS[0], seed=1)
    engine = EngineChoice(precision="bf16")
    found = run_group(engine, [case], cohort, split, BUDGET, device=CPU)[case]
    assert found.trained_by.engine == engine
    assert 1e-4 < found.trained_by.precision_error < 0.1


#: Its operations want one type of number.
STRICT = """
import torch
from torch import nn

class Strict(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.linear, self.other = nn.Linear(n, 1), nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return torch.lerp(self.linear(x.flatten(1)), self.other, 0.5)

def build(*, n_chans, n_times, **_given):
    return Strict(n_chans * n_times)
"""


def test_model_that_cannot_be_lowered_is_left_to_the_plain_loop(
    cohort, split, tmp_path: Path
) -> None:
    """It is tried first, and the reason is torch's."""
    (tmp_path / "model.py").write_text(STRICT)
    case = Case(
        regime="from-scratch", model=ModelSpec(name="model.py:build", folder=tmp_path), seed=1
    )
    for engine in (EngineChoice(), EngineChoice(precision="bf16")):
        how = run_group(engine, [case], cohort, split, BUDGET, device=CPU)[case].trained_by
        lowered = engine.precision == "bf16"
        assert how.engine == (EngineChoice(kind="plain") if lowered else engine)
        assert ("dtype" in (how.fallback or "")) == lowered


def test_precision_is_tried_once(cohort, split, monkeypatch) -> None:
    """Once in float32 and once in bf16, however the answer is used."""
    case = Case(regime="from-scratch", model=MODELS[0], seed=1)
    passes = []
    original = stacked.StackedModels.gradients

    def counted(models, X):
        passes.append(1)
        return original(models, X)

    monkeypatch.setattr(stacked.StackedModels, "gradients", counted)
    run_group(EngineChoice(precision="bf16"), [case], cohort, split, BUDGET, device=CPU)
    assert len(passes) == 2


def test_record_and_report_say_with_which_options(tmp_path: Path) -> None:
    """In words."""
    suite = tiny_suite(tmp_path, seeds=1, engine="{precision: bf16}")
    record = run(suite, out=tmp_path / "out", data_dir=None, device="cpu")
    assert record.cases[0]["trained_by"]["engine"]["precision"] == "bf16"
    report = (tmp_path / "out" / "report.md").read_text()
    assert "Trained by: fast, in bf16." in report
    assert "of their length" in report


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_recorded_steps_are_the_steps(cohort, split, model: ModelSpec, monkeypatch) -> None:
    """What is recorded sees only its own places; a recorder that works anywhere shows it."""
    replays = []

    def record(work):
        result = torch.zeros(2)

        def repeat() -> None:
            replays.append(1)
            result.copy_(work())

        return repeat, result

    monkeypatch.setattr(stacked, "record_graph", record)
    monkeypatch.setattr(stacked, "STEPS_BEFORE_A_GRAPH", 2)
    exact = trained(cohort, split, model, EngineChoice())
    np.testing.assert_array_equal(exact, trained(cohort, split, model, EngineChoice(graphs=True)))
    assert replays


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_compiled_steps_are_the_steps(cohort, split, model: ModelSpec, monkeypatch) -> None:
    """Traced and taken apart, not put together by a compiler: that would take a minute."""
    compiled = []
    original = torch.compile

    def compile_(graph, **keywords):
        compiled.append(graph)
        return original(graph, backend="aot_eager", **keywords)

    monkeypatch.setattr(torch, "compile", compile_)
    monkeypatch.setattr(stacked, "STEPS_BEFORE_COMPILING", 2)
    exact = trained(cohort, split, model, EngineChoice())
    found = trained(cohort, split, model, EngineChoice(compile=True))
    np.testing.assert_allclose(exact, found, atol=1e-3)
    assert compiled


def test_short_runs_compile_nothing(cohort, split, monkeypatch) -> None:
    """It would not pay."""
    monkeypatch.setattr(torch, "compile", None)
    trained(cohort, split, MODELS[1], EngineChoice(compile=True))


def test_miscompiled_steps_are_not_used(cohort, split, monkeypatch, caplog) -> None:
    """They are compared first, and the log says so."""

    def compile_(graph, **_keywords):
        def wrong(*tensors):
            errors, gradients = graph(*tensors)
            return errors, [one if one is None else 1.01 * one for one in gradients]

        return wrong

    monkeypatch.setattr(torch, "compile", compile_)
    monkeypatch.setattr(stacked, "STEPS_BEFORE_COMPILING", 1)
    exact = trained(cohort, split, MODELS[1], EngineChoice())
    found = trained(cohort, split, MODELS[1], EngineChoice(compile=True))
    np.testing.assert_array_equal(exact, found)
    assert "compiled steps are not used" in caplog.text


@pytest.mark.parametrize("precision", ["tf32", "float32", "bf16"])
def test_tf32_is_used_only_where_asked_for(precision: str) -> None:
    """Torch's own setting comes back."""
    products, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn
    allowed = precision == "tf32"
    before = products.allow_tf32, convolutions.allow_tf32
    with tf32_only_if_asked(EngineChoice(precision=precision)):
        assert (allowed, allowed) == (products.allow_tf32, convolutions.allow_tf32)
    assert before == (products.allow_tf32, convolutions.allow_tf32)


@needs_cuda
@pytest.mark.parametrize(
    ("engine", "rtol"),
    [
        (EngineChoice(), 1e-3),
        (EngineChoice(graphs=True), 1e-3),
        (EngineChoice(precision="tf32"), 1e-2),
        (EngineChoice(precision="bf16", graphs=True), 0.1),
    ],
    ids=str,
)
def test_gpu_learns_what_the_cpu_learns(cohort, split, engine: EngineChoice, rtol: float) -> None:
    """Without dropout, whose masks are drawn on the device."""
    model = replace(MODELS[1], args={"drop_prob": 0.0})
    exact = trained(cohort, split, model, EngineChoice())
    found = trained(cohort, split, model, engine, torch.device("cuda"))
    np.testing.assert_allclose(exact, found, rtol=rtol)
