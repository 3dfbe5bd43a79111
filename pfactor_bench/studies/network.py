"""Questions to a network in a process of its own; the answers are compared elsewhere."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.studies.adapters import build_network
from pfactor_bench.studies.embeddings import probe_identity
from pfactor_bench.studies.harness import to_json
from pfactor_bench.studies.sandbox import Failure, run_jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import torch
    from torch import nn

    from pfactor_bench.studies.sandbox import Limits
    from pfactor_bench.types import Cohort

__all__ = ["question_network", "relative_difference"]

_N_WINDOWS = 8
_N_REPEATS = 10
_ADDRESSES = 1 << 44
_TOUCHING = frozenset({"open", "socket.connect", "socket.getaddrinfo", "subprocess.Popen"})
#: Imports made on first use are no secret input.
_CODE = (".py", ".pyc", ".so", ".pyd", ".dll")


def question_network(
    load: Callable[[], Callable[..., nn.Module]], cohort: Cohort, limits: Limits
) -> dict[str, Any] | Failure:
    """Run a fresh network in many ways and return what it answered.

    Parameters
    ----------
    load
        Returns the factory, ``factory(n_chans, n_outputs, n_times, sfreq)``.
    cohort
        Gives the windows.
    limits
        On the process.

    Returns
    -------
    dict
        Outputs for the same windows ``together``, ``alone``, ``reordered``, ``repeated``, in
        ``double`` precision, and after ``another`` instance was trained; outputs for ``constant``
        and ``loud`` windows; names of ``deaf`` modules, that stay in train mode, of ``changed``
        state and of parameters ``without_gradient``; what was ``opened`` meanwhile; what tells
        its subjects apart as ``identity``; and its outputs on a GPU as ``cuda``. These two and
        ``double`` are ``{"missing": reason}`` where there is nothing to tell.
    """
    (reply,) = run_jobs([partial(_session, load, cohort)], limits)
    if isinstance(reply, Failure):
        return reply
    answers: dict[str, Any] = json.loads(reply)
    # A GPU's driver maps far more addresses than it uses memory.
    unlimited = replace(limits, memory=_ADDRESSES)
    (identity,) = run_jobs([partial(probe_identity, load, cohort)], limits)
    (cuda,) = run_jobs([partial(_on_cuda, load, cohort)], unlimited)
    return {**answers, "identity": _or_missing(identity), "cuda": _or_missing(cuda)}


def _or_missing(reply: bytes | Failure) -> Any:  # noqa: ANN401 - as it was answered
    return {"missing": reply.reason} if isinstance(reply, Failure) else json.loads(reply)


def relative_difference(one: list[float], other: list[float]) -> float:
    """Return the largest difference, relative to the outputs' size; infinite for NaN."""
    a, b = np.array(one), np.array(other)
    if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("inf")
    return float(np.abs(a - b).max() / max(np.abs(a).max(), 1e-6))


def _session(load: Callable[[], Callable[..., nn.Module]], cohort: Cohort) -> bytes:
    import torch

    factory, X = load(), _some_windows(cohort)
    torch.manual_seed(0)
    model = build_network(factory, cohort).eval()
    answers: dict[str, Any] = {
        "deaf": [name for name, module in model.named_modules() if module.training],
    }
    answers["double"] = _in_double_precision(model, X)
    with _watched() as opened:
        answers |= _forward_answers(model, X)
    answers["opened"] = sorted(set(opened))
    answers["without_gradient"] = _without_gradient(model, X)
    answers["another"] = _after_another(factory, cohort, X)
    return to_json(answers)


def _on_cuda(load: Callable[[], Callable[..., nn.Module]], cohort: Cohort) -> bytes:
    """Run one network on the CPU and on a GPU, and return both outputs."""
    import torch

    if not torch.cuda.is_available():
        return to_json({"missing": "torch finds no CUDA device on this machine"})
    if torch.cuda._is_in_bad_fork():  # noqa: SLF001 - torch has no public name for it
        return to_json({"missing": "this process uses the GPU itself, and cannot share it"})
    X = _some_windows(cohort)
    torch.manual_seed(0)
    model = build_network(load(), cohort).eval()
    answers = {"cpu": _outputs(model, X), "cuda": _outputs(model.cuda(), X.cuda())}
    return to_json(answers)


def _some_windows(cohort: Cohort) -> torch.Tensor:
    """Return a few windows, spread over the cohort."""
    import torch

    rows = np.linspace(0, len(cohort.X) - 1, _N_WINDOWS).astype(int)
    return torch.tensor(cohort.X[rows])


def _forward_answers(model: nn.Module, X: torch.Tensor) -> dict[str, Any]:
    """Ask about batches, order and state, in eval mode."""
    import torch

    before = {name: value.clone() for name, value in model.state_dict().items()}
    order = torch.arange(len(X)).flip(0)
    together = _outputs(model, X)
    answers: dict[str, Any] = {
        "together": together,
        "alone": [value for one in X for value in _outputs(model, one[None])],
        "reordered": _outputs(model, X[order])[::-1],
        "constant": _outputs(model, torch.zeros_like(X)),
        "loud": _outputs(model, 1e4 * X),
    }
    # A state that averages is only moved by windows that all lie on one side.
    highest = X[int(np.argmax(together))][None].expand_as(X)
    for _ in range(_N_REPEATS):
        _outputs(model, highest)
    answers["repeated"] = _outputs(model, X)
    answers["changed"] = [
        name for name, value in model.state_dict().items() if not torch.equal(value, before[name])
    ]
    return answers


def _outputs(model: nn.Module, X: torch.Tensor) -> list[float]:
    import torch

    with torch.no_grad():
        outputs: list[float] = model(X).reshape(-1).double().tolist()
    return outputs


def _in_double_precision(model: nn.Module, X: torch.Tensor) -> list[float] | dict[str, str]:
    """Return a copy's outputs in float64, or why there are none: some fix their buffers' kind."""
    try:
        return _outputs(deepcopy(model).double(), X.double())
    except Exception as error:  # noqa: BLE001 - whatever stops the copy, the network itself runs
        return {"missing": f"{type(error).__name__}: {error}"}


def _without_gradient(model: nn.Module, X: torch.Tensor) -> list[str]:
    """Return the trainable parameters that a backward pass in train mode does not reach."""
    model.train()
    model.zero_grad()
    model(X).pow(2).sum().backward()
    return [
        name
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and (parameter.grad is None or not parameter.grad.abs().any())
    ]


def _after_another(factory: Callable[..., nn.Module], cohort: Cohort, X: torch.Tensor) -> list[Any]:
    """Return a fresh model's outputs before and after another instance takes a training step."""
    import torch

    torch.manual_seed(1)
    first, second = build_network(factory, cohort).eval(), build_network(factory, cohort)
    before = _outputs(first, X)
    optimizer = torch.optim.SGD(second.parameters(), lr=0.1)
    second.train()(X).pow(2).sum().backward()
    optimizer.step()
    return [before, _outputs(first, X)]


@contextmanager
def _watched() -> Iterator[list[str]]:
    """Record files, connections and programs that are opened. The hook stays; the process ends."""
    opened: list[str] = []
    watching = True

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if not watching or event not in _TOUCHING:
            return
        what = str(arguments[0])
        if not what.endswith(_CODE) and not what.startswith((sys.prefix, "/proc", "/dev", "/sys")):
            opened.append(f"{event} {what}")

    sys.addaudithook(hook)
    try:
        yield opened
    finally:
        watching = False
