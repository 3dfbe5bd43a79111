"""Models by name, built for the windows of a cohort."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pfactor_bench.errors import ModelError, UnknownNameError
from pfactor_bench.models.names import offered_models, refuse_unknown_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from pfactor_bench.types import Cohort, ModelSpec

    Factory: TypeAlias = Callable[..., nn.Module]


def build_model(spec: ModelSpec, cohort: Cohort) -> nn.Module:
    """Return a fresh regression model with one output for the windows of `cohort`.

    Parameters
    ----------
    spec
        Which model, and further arguments of its constructor.
    cohort
        Gives number of channels, samples and the sampling rate.

    Raises
    ------
    UnknownNameError
        If nothing has that name.
    ModelError
        If the factory cannot be loaded, the constructor refuses the arguments or the input size, or
        the output is not one number per window.
    """
    n_chans, n_times = cohort.X.shape[1:]
    with warnings.catch_warnings():
        # Kernels cut to the windows' length, arguments on their way out: notes of the model's own.
        warnings.simplefilter("ignore")
        model = _construct(spec, n_chans, n_times, cohort.sfreq)
        _check_output(spec.name, model, n_chans, n_times)
    return model


def find_factory(spec: ModelSpec) -> Factory:
    """Return what builds the model: from a file, a module, braindecode, or an entry point.

    Raises
    ------
    UnknownNameError
        If nothing has that name; the message names the closest.
    ModelError
        If the file or the module cannot be imported, or lacks the factory.
    """
    location, colon, attribute = spec.name.rpartition(":")
    if not colon:
        return _named_model(spec.name)
    path = model_file(spec)
    try:
        module = importlib.import_module(location) if path is None else _import_file(path)
        factory: Factory = getattr(module, attribute)
    except Exception as error:
        what = f"file {str(path)!r}" if path else f"module {location!r}"
        raise ModelError(
            f"model {spec.name!r}: {what} cannot give {attribute!r} ({type(error).__name__}: "
            f"{error}); write 'module:factory' or 'file.py:factory'"
        ) from error
    return factory


def model_file(spec: ModelSpec) -> Path | None:
    """Return the file of a model named ``file.py:factory``; None for every other."""
    location, _, _ = spec.name.rpartition(":")
    return (spec.folder or Path()) / location if location.endswith(".py") else None


def offering_package(spec: ModelSpec) -> str | None:
    """Return name and version of the installed package that offers a model by an entry point."""
    entry = offered_models().get(spec.name)
    if entry is None or entry.dist is None:
        return None
    return f"{entry.dist.name} {entry.dist.version}"


def braindecode_models() -> tuple[str, ...]:
    """Return the names of braindecode's models, without what else stands beside them."""
    from braindecode import models
    from torch import nn

    exported = {name: getattr(models, name) for name in models.__all__}
    return tuple(
        name
        for name, found in exported.items()
        if isinstance(found, type) and issubclass(found, nn.Module)
    )


def _construct(spec: ModelSpec, n_chans: int, n_times: int, sfreq: float) -> nn.Module:
    from torch import nn

    factory = find_factory(spec)
    given = {"n_outputs": 1, "n_chans": n_chans, "n_times": n_times, "sfreq": sfreq}
    try:
        model = factory(**given, **spec.args)
    except Exception as error:
        raise ModelError(
            f"model {spec.name!r} cannot be built for {n_chans} channels of {n_times} samples at "
            f"{sfreq:g} Hz with arguments {dict(spec.args)!r}: {error}; it is called with "
            f"{', '.join(given)} and the suite's args by keyword"
        ) from error
    if not isinstance(model, nn.Module):
        raise ModelError(
            f"model {spec.name!r} returned {type(model).__name__!r}: expected a torch.nn.Module"
        )
    return model


def _named_model(name: str) -> Factory:
    refuse_unknown_model(name)
    from braindecode import models

    known = braindecode_models()
    if name in known:
        factory: Factory = getattr(models, name)
        return factory
    offered = offered_models()
    if name not in offered:
        raise UnknownNameError("model", name, [*known, *offered])
    try:
        loaded: Factory = offered[name].load()
    except Exception as error:
        raise ModelError(
            f"model {name!r} is offered as {offered[name].value!r}, which cannot be imported: "
            f"{error}; repair or remove the package that offers it"
        ) from error
    return loaded


def _import_file(path: Path) -> object:
    """Run a file as a module of its own, without leaving it where another could be mistaken."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{str(path)!r} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _check_output(name: str, model: nn.Module, n_chans: int, n_times: int) -> None:
    import torch

    was_training = model.training
    try:
        with torch.no_grad():
            output = model.eval()(torch.zeros(2, n_chans, n_times))
    except Exception as error:
        raise ModelError(
            f"model {name!r} fails on a batch of shape (2, {n_chans}, {n_times}): {error}"
        ) from error
    finally:
        model.train(was_training)
    shape = tuple(output.shape) if isinstance(output, torch.Tensor) else type(output).__name__
    if shape not in {(2,), (2, 1)}:
        raise ModelError(
            f"model {name!r} turns (2, {n_chans}, {n_times}) into {shape}: expected (2, 1), one "
            f"target per window"
        )
