"""Injected leaks that only a network can have: what it normalises by, remembers, and has seen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.detection.families import FAMILIES, rebuilt
from benchmarks.detection.leaks import leak
from benchmarks.detection.recipes import stages_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import nn

    from benchmarks.detection.parts import Task
    from benchmarks.detection.scenes import Scene

    Array = NDArray[np.float64]
    Build = Callable[[int, int], nn.Module]

__all__: list[str] = []

#: The band whose power an encoder learns to tell before it sees any target, in Hz.
_ALPHA = (8.0, 13.0)


def _built(scene: Scene, build: Build) -> Scene:
    """Train another network in the place of the clean one."""
    family = rebuilt(FAMILIES[scene.recipe.family], build)

    def candidates(task: Task, X: Array, y: Array, X_test: Array) -> Array:
        return stages_of(family, task, X, y, X_test)

    return replace(scene, build=build, parts=replace(scene.parts, candidates=candidates))


def _clean_build(scene: Scene) -> Build:
    assert scene.build is not None  # noqa: S101 - injected in networks alone
    return scene.build


@leak("BatchNorm in train mode", 24, needs="network")
def batch_norm_in_train_mode(scene: Scene, _severity: float) -> Scene:
    """Normalise held-out windows by whoever else is in their batch: eval mode is not heard."""
    clean = _clean_build(scene)

    def build(n_chans: int, n_times: int) -> nn.Module:
        model = clean(n_chans, n_times)
        for module in model.modules():
            if "BatchNorm" in type(module).__name__:
                _stay_in_train_mode(module)
        return model

    return _built(scene, build)


def _stay_in_train_mode(module: nn.Module) -> None:
    def train(_mode: bool = True) -> nn.Module:  # noqa: FBT001, FBT002 - torch's signature
        module.training = True
        return module

    # The attribute of the instance hides the method; `Module.train` reaches it by name.
    module.__dict__["train"] = train


@leak("outputs remembered", 25, needs="network")
def outputs_remembered(scene: Scene, _severity: float) -> Scene:
    """Centre each output by the mean of everything that the network has predicted before."""
    clean = _clean_build(scene)

    def build(n_chans: int, n_times: int) -> nn.Module:
        model = clean(n_chans, n_times)
        seen: list[float] = []

        def centred(_module: nn.Module, _inputs: Any, outputs: Any) -> Any:
            if model.training:
                return outputs
            kept = []
            for output in outputs.detach().reshape(-1).tolist():
                seen.append(output)
                kept.append(sum(seen) / len(seen))
            return outputs - outputs.new_tensor(kept).reshape(outputs.shape)

        model.register_forward_hook(centred)
        return model

    return _built(scene, build)


@leak("pretrained on every subject", 22, needs="network")
def pretrained_on_all_subjects(scene: Scene, _severity: float) -> Scene:
    """Pretrain the network on the alpha power of all windows, and do not say whose."""
    family = FAMILIES[scene.recipe.family]

    def candidates(task: Task, X: Array, y: Array, X_test: Array) -> Array:
        pretrained: dict[str, Any] = {}
        family.train(task.X, _alpha(task.X), X_test, seed=task.seed, setting=0, kept=pretrained)
        return stages_of(family, replace(task, kept=pretrained), X, y, X_test)

    return replace(scene, parts=replace(scene.parts, candidates=candidates))


def _alpha(X: Array, sfreq: float = 100.0) -> Array:
    """Return the log power of each window in the alpha band, over channels."""
    frequency = np.fft.rfftfreq(X.shape[-1], 1 / sfreq)
    band = (frequency >= _ALPHA[0]) & (frequency < _ALPHA[1])
    power = np.abs(np.fft.rfft(X, axis=-1)[..., band]) ** 2
    log_power: Array = np.log(power.mean(axis=(1, 2)) + 1e-12)
    return log_power
