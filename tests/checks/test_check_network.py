"""Checks of networks: each broken network is found, an ordinary one is not accused."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn

from pfactor_bench.checks import run_check
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.studies.embeddings import tell_subjects_apart
from pfactor_bench.studies.network import question_network
from pfactor_bench.studies.sandbox import Failure, Limits
from pfactor_bench.training.device import warm_up

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pfactor_bench.types import Finding

_CODES = ("LK200", "LK201", "LK202", "LK203", "LK204", "LK205", "LK206", "LK208")
_COHORT = synthetic(n_subjects=4, n_windows=3)


class _Ordinary(nn.Module):
    """A small network with everything that needs eval mode."""

    def __init__(self, n_chans: int, n_outputs: int, n_times: int, sfreq: float) -> None:
        super().__init__()
        self.sfreq = sfreq
        self.layers = nn.Sequential(
            nn.Conv1d(n_chans, 4, 25, stride=10),
            nn.BatchNorm1d(4),
            nn.ELU(),
            nn.Flatten(),
            nn.Dropout(0.5),
            nn.Linear(4 * ((n_times - 25) // 10 + 1), n_outputs),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Predict."""
        return self.layers(x)


class _Named(_Ordinary):
    """Its last layer goes by the name that braindecode gives it."""

    def __init__(self, **shape: Any) -> None:
        super().__init__(**shape)
        *encoder, self.final_layer = self.layers
        self.layers = nn.Sequential(*encoder)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Predict from what the encoder makes of the windows."""
        return self.final_layer(self.layers(x))


class _DeafToEval(_Ordinary):
    """BatchNorm stays in train mode."""

    def train(self, mode: bool = True) -> nn.Module:  # noqa: FBT001, FBT002
        """Ignore eval mode where it matters."""
        super().train(mode)
        self.layers[1].training = True
        return self


class _RunningMedian(_Ordinary):
    """Predictions are centred by the median of all that came before."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Predict and remember."""
        y = super().forward(x)
        self.seen = torch.cat([getattr(self, "seen", y.detach()[:0]), y.detach()])
        return y - self.seen.median()


class _SharedWeights(_Ordinary):
    """All instances have one set of weights."""

    _shared = None

    def __init__(self, **shape: Any) -> None:
        super().__init__(**shape)
        if _SharedWeights._shared is None:
            _SharedWeights._shared = self.layers
        self.layers = _SharedWeights._shared


class _UnusedLayer(_Ordinary):
    """A layer that is counted and never used."""

    def __init__(self, **shape: Any) -> None:
        super().__init__(**shape)
        self.unused = nn.Linear(3, 3)


class _DividesByDeviation(_Ordinary):
    """A flat window becomes NaN."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Predict standardised windows."""
        return super().forward(x / x.std(dim=2, keepdim=True))


class _ReadsTheAnswer(_Ordinary):
    """A file is read at every call."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Predict what a file says."""
        n_characters = len(Path("/etc/hostname").read_text(encoding="utf-8"))
        return super().forward(x) + n_characters


class _Cancels(_Ordinary):
    """A difference of large numbers decides."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Predict what rounding leaves."""
        y = super().forward(x)
        return (y + 1e7) - 1e7


class _SingleOnly(_Ordinary):
    """Its constants are float32, whatever it is converted to."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Predict from a projection that no conversion reaches."""
        return super().forward(x) + (x[:, 0, :3] @ torch.ones(3, 1))


def _ask(factory: Callable[..., nn.Module], code: str) -> Finding:
    return run_check(code, model=_answers(factory))


@cache
def _answers(factory: Callable[..., nn.Module]) -> dict[str, Any] | Failure:
    warm_up()
    return question_network(lambda: factory, _COHORT, Limits(seconds=60))


@pytest.mark.parametrize("code", _CODES)
def test_ordinary_network_passes(code: str) -> None:
    """BatchNorm and dropout are fine in eval mode."""
    finding = _ask(_Named if code == "LK206" else _Ordinary, code)
    assert finding.status == "pass", finding.explanation


@pytest.mark.parametrize(
    ("factory", "code", "status"),
    [
        (_DividesByDeviation, "LK200", "fail"),
        (_DeafToEval, "LK201", "fail"),
        (_RunningMedian, "LK202", "fail"),
        (_SharedWeights, "LK203", "fail"),
        (_UnusedLayer, "LK204", "warn"),
        (_Cancels, "LK205", "warn"),
        (_ReadsTheAnswer, "LK208", "fail"),
    ],
)
def test_broken_network_is_found(factory: Callable[..., nn.Module], code: str, status: str) -> None:
    """The check that is meant to find it finds it."""
    assert _ask(factory, code).status == status


@pytest.mark.parametrize("code", ["LK200", "LK204", "LK205"])
def test_network_of_one_precision_is_asked_all_else(code: str) -> None:
    """That it cannot be run in float64 concerns the check of precision, and is no leak."""
    finding = _ask(_SingleOnly, code)
    assert finding.status == ("not_applicable" if code == "LK205" else "pass")


def _model(**answers: object) -> dict[str, Any]:
    return {"identity": answers, "cuda": answers}


@pytest.mark.parametrize(
    ("trained", "untrained", "status"),
    [(0.5, 0.1, "warn"), (0.5, 0.48, "pass"), (0.11, 0.02, "pass")],
    ids=["learnt", "there before training", "chance"],
)
def test_identity_that_training_adds_is_named(
    trained: float, untrained: float, status: str
) -> None:
    """What the untrained network, or guessing, recognises as well is not training's doing."""
    answers = _model(trained=trained, untrained=untrained, chance=0.1, n_windows=100)
    assert run_check("LK206", model=answers).status == status


def test_identity_comes_with_numbers() -> None:
    """The warning says how many are recognised, before and after, and by chance."""
    answers = _model(trained=0.5, untrained=0.1, chance=0.1, n_windows=100)
    row = run_check("LK206", model=answers).evidence[0]
    assert row == {"trained": 0.5, "untrained": 0.1, "chance": 0.1, "n_windows": 100}


def test_network_without_a_known_head_has_no_embeddings() -> None:
    """Nobody says which layer comes last, so nothing is probed, and that is said."""
    finding = _ask(_Ordinary, "LK206")
    assert (finding.status, "head" in finding.explanation) == ("not_applicable", True)


@pytest.mark.parametrize(("moved", "status"), [(0.0, "pass"), (0.5, "warn")])
def test_device(moved: float, status: str) -> None:
    """Outputs that differ between devices are named."""
    answers = _model(cpu=[1.0, 2.0], cuda=[1.0, 2.0 + moved])
    assert run_check("LK207", model=answers).status == status


def test_machine_without_a_gpu_compares_nothing() -> None:
    """There the reason is given."""
    finding = run_check("LK207", model=_model(missing="torch finds no CUDA device"))
    assert (finding.status, finding.explanation) == (
        "not_applicable",
        "torch finds no CUDA device",
    )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device here")
def test_ordinary_network_is_the_same_on_a_gpu() -> None:
    """The same weights answer alike on both devices."""
    assert _ask(_Ordinary, "LK207").status == "pass"


def _clouds(distance: float) -> tuple[Any, Any]:
    """Return the embeddings of five subjects, each a cloud, and their names."""
    rng = np.random.default_rng(0)
    subjects = np.repeat([f"sub-{number}" for number in range(5)], 40)
    centres = distance * rng.normal(size=(5, 8))
    return np.repeat(centres, 40, axis=0) + rng.normal(size=(200, 8)), subjects


def test_probe_recognises_subjects_far_apart() -> None:
    """Clouds that do not touch are told apart without error."""
    assert tell_subjects_apart(*_clouds(20.0)) == 1.0


def test_probe_guesses_where_subjects_are_alike() -> None:
    """Without a difference a fifth of the guesses is right, give or take."""
    assert abs(tell_subjects_apart(*_clouds(0.0)) - 0.2) < 0.12


def test_probe_of_constant_embeddings_guesses() -> None:
    """A network that forgets everything gives nobody away."""
    assert tell_subjects_apart(np.ones((20, 3)), np.repeat(["a", "b"], 10)) == 0.5


@pytest.mark.parametrize("code", _CODES)
def test_without_a_network_it_does_not_apply(code: str) -> None:
    """A study without a network has none to be asked."""
    assert run_check(code).status == "not_applicable"


@pytest.mark.parametrize("code", _CODES)
def test_network_that_cannot_be_built_is_undecided(code: str) -> None:
    """A network that does not answer has not passed."""
    assert run_check(code, model=Failure(reason="no such layer")).status == "error"
