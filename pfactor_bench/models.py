"""Models by name, built for the windows of a cohort."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.errors import ModelError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from pfactor_bench.types import Cohort, ModelSpec

__all__ = ["build_model"]


def build_model(spec: ModelSpec, cohort: Cohort) -> nn.Module:
    """Return a fresh regression model with one output for the windows of `cohort`.

    Parameters
    ----------
    spec
        Name of a braindecode model and further arguments of its constructor.
    cohort
        Gives number of channels, samples and the sampling rate.

    Raises
    ------
    UnknownNameError
        If braindecode has no such model.
    ModelError
        If the constructor refuses the arguments or the input size, or if the output is not one
        number per window.
    """
    factory = _braindecode_model(spec.name)
    n_chans, n_times = cohort.X.shape[1:]
    given = {"n_outputs": 1, "n_chans": n_chans, "n_times": n_times, "sfreq": cohort.sfreq}
    try:
        model = factory(**given, **spec.args)
    except Exception as error:
        raise ModelError(
            f"model {spec.name!r} cannot be built for {n_chans} channels of {n_times} samples at "
            f"{cohort.sfreq:g} Hz with arguments {dict(spec.args)!r}: {error}"
        ) from error
    _check_output(spec.name, model, n_chans, n_times)
    return model


def _braindecode_model(name: str) -> Callable[..., nn.Module]:
    from braindecode import models

    if name not in models.__all__:
        raise UnknownNameError("model", name, models.__all__)
    factory: Callable[..., nn.Module] = getattr(models, name)
    return factory


def _check_output(name: str, model: nn.Module, n_chans: int, n_times: int) -> None:
    import torch

    was_training = model.training
    try:
        with torch.no_grad():
            shape = tuple(model.eval()(torch.zeros(2, n_chans, n_times)).shape)
    except Exception as error:
        raise ModelError(
            f"model {name!r} fails on a batch of shape (2, {n_chans}, {n_times}): {error}"
        ) from error
    finally:
        model.train(was_training)
    if shape not in {(2,), (2, 1)}:
        raise ModelError(
            f"model {name!r} turns (2, {n_chans}, {n_times}) into {shape}: expected (2, 1), one "
            f"score per window"
        )
