"""Models by their name and by a factory: the audit trains them on a split of its own."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.detection.estimator_door import IN_COHORTS
from benchmarks.detection.families import FAMILIES
from benchmarks.detection.leaks import injected_leaks
from benchmarks.detection.recipes import Recipe
from benchmarks.detection.scenes import clean_scene
from benchmarks.detection.trials import Trial
from pfactor_bench.auditing.audit import audit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

    from pfactor_bench.auditing.result import Audit

__all__ = ["model_trials"]

_NAMES = ("ShallowFBCSPNet", "EEGNet")
_FACTORY = "small CNN"
_RECIPE = Recipe(family=_FACTORY, protocol="hold-out")


def small_cnn(*, n_chans: int, n_times: int, **_given: Any) -> nn.Module:
    """Return the small network of `FAMILIES`."""
    build = FAMILIES[_FACTORY].build
    assert build is not None  # noqa: S101 - a family of networks has one
    return build(n_chans, n_times)


def batch_norm_in_train_mode(*, n_chans: int, n_times: int, **_given: Any) -> nn.Module:
    """Return one that normalises by whoever is in the batch."""
    return _injected("BatchNorm in train mode", n_chans, n_times)


def outputs_remembered(*, n_chans: int, n_times: int, **_given: Any) -> nn.Module:
    """Return one that centres by all outputs so far."""
    return _injected("outputs remembered", n_chans, n_times)


@cache
def _one_for_all(n_chans: int, n_times: int) -> nn.Module:
    return small_cnn(n_chans=n_chans, n_times=n_times)


def weights_shared(*, n_chans: int, n_times: int, **_given: Any) -> nn.Module:
    """Return the very network that an earlier fold has trained."""
    return _one_for_all(n_chans, n_times)


def reads_a_file(*, n_chans: int, n_times: int, **_given: Any) -> nn.Module:
    """Return one that opens a file whenever it predicts."""
    model = small_cnn(n_chans=n_chans, n_times=n_times)
    model.register_forward_pre_hook(lambda *_: Path(__file__).read_bytes()[:0] and None)
    return model


_LEAKY = {
    "batch_norm_in_train_mode": 24,
    "outputs_remembered": 25,
    "weights_shared": 23,
    "reads_a_file": 28,
}


def model_trials() -> Iterator[Trial]:
    """Yield models by name and by factory, leaky factories, and leaky cohorts."""
    yield Trial(door="model", host=_FACTORY, enter=partial(_enter, _file("small_cnn"), ""))
    for name, kind in _LEAKY.items():
        enter = partial(_enter, _file(name), "")
        yield Trial(door="model", host=_FACTORY, enter=enter, leak=name, kinds=(kind,))
    for leak in IN_COHORTS[:4]:
        kinds = (injected_leaks()[leak].kind,)
        enter = partial(_enter, _file("small_cnn"), leak)
        yield Trial(door="model", host=_FACTORY, enter=enter, leak=leak, kinds=kinds)
    for name in _NAMES:
        yield Trial(door="model", host=name, enter=partial(_enter, name, ""))


def _file(name: str) -> str:
    return f"{__file__}:{name}"


def _injected(leak: str, n_chans: int, n_times: int) -> nn.Module:
    build = injected_leaks()[leak].plant(clean_scene(_RECIPE), 1.0).build
    assert build is not None  # noqa: S101 - a network's leak
    return build(n_chans, n_times)


def _enter(target: str, leak: str, _folder: Path) -> Audit:
    scene = clean_scene(_RECIPE)
    if leak:
        scene = injected_leaks()[leak].plant(scene, injected_leaks()[leak].full_severity)
    return audit(target, scene.cohort, progress=False)
