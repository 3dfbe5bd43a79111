"""Checks of a network's numbers: finite, trainable, and the same in any precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, not_applicable, passed, undecided, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.studies.network import relative_difference
from pfactor_bench.studies.sandbox import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pfactor_bench.checks.engine.outcomes import Outcome

__all__: list[str] = []

#: Differences between single and double precision that no longer are rounding.
_PRECISION = 1e-2


@check("LK200", kinds=())
def network_answers(model: Mapping[str, Any] | Failure) -> Outcome:
    """Build the network and run it, and see that its outputs are numbers.

    How it is detected
    ------------------
    It is built for the cohort's windows and run in eval mode on windows of the cohort, on zeros and
    on windows 10,000 times as loud; every output must be finite.

    Why it matters
    --------------
    A network that returns NaN for a flat or clipped window spoils the mean over a subject.

    How to fix it
    -------------
    Add a small constant before dividing by a deviation or taking a logarithm.

    What it cannot see
    ------------------
    Inputs that it does not try.

    Source
    ------
    Breck et al. 2017, doi:10.1109/BigData.2017.8258038.
    """
    if isinstance(model, Failure):
        return undecided(
            f"the network could not be run: {model.reason}",
            fix="Call the factory with n_chans, n_outputs, n_times and sfreq by keyword and run "
            "the network on a batch of shape (8, n_chans, n_times).",
        )
    wrong = [kind for kind in ("together", "constant", "loud") if not _finite(model[kind])]
    if wrong:
        return failed(
            f"outputs are not finite for {', '.join(wrong)} windows",
            [{"windows": kind} for kind in wrong],
        )
    return passed("outputs are finite for real, constant and very loud windows")


@check("LK204", kinds=(), severity="weakness")
def gradients_arrive(model: Mapping[str, Any] | Failure) -> Outcome:
    """Run a backward pass: every trainable parameter must get a gradient.

    How it is detected
    ------------------
    In train mode the squared outputs of eight windows are propagated back; parameters that require
    a gradient and get none, or only zeros, are named.

    Why it matters
    --------------
    Weights that are counted and never trained make a comparison of models or regimes unfair.

    How to fix it
    -------------
    Remove the parameter, use it, or set requires_grad to False.

    What it cannot see
    ------------------
    Gradients that arrive and are thrown away by the optimiser.

    Source
    ------
    Breck et al. 2017, doi:10.1109/BigData.2017.8258038.
    """
    if isinstance(model, Failure):
        return undecided("the network could not be run: see LK200")
    names = model["without_gradient"]
    if names:
        return warned(
            f"{len(names)} trainable parameters get no gradient", [{"parameter": n} for n in names]
        )
    return passed("every trainable parameter gets a gradient")


@check("LK205", kinds=(), severity="weakness")
def precision_does_not_matter(model: Mapping[str, Any] | Failure) -> Outcome:
    """Compare single and double precision: outputs must agree to a percent.

    How it is detected
    ------------------
    The network and its windows are converted to float64 and run again.

    Why it matters
    --------------
    A result that depends on rounding differs between machines and devices.

    How to fix it
    -------------
    Scale inputs to order one, such as µV, and avoid differences of large numbers.

    What it cannot see
    ------------------
    Instability during training.

    Source
    ------
    Goldberg 1991, doi:10.1145/103162.103163.
    """
    if isinstance(model, Failure):
        return undecided("the network could not be run: see LK200")
    if "missing" in (double := model["double"]):
        return not_applicable(f"it does not run in double precision: {double['missing']}")
    difference = relative_difference(model["together"], double)
    if difference > _PRECISION:
        return warned(f"outputs in single and double precision differ by {difference:.2g}")
    return passed("outputs agree in single and double precision")


@check("LK207", kinds=(), severity="weakness")
def device_does_not_matter(model: Mapping[str, Any] | Failure) -> Outcome:
    """Compare CPU and GPU: outputs must agree to a percent.

    How it is detected
    ------------------
    Where torch finds a CUDA device, one network with the same weights runs on both, in eval mode.

    Why it matters
    --------------
    A result that only one kind of device gives cannot be repeated by most readers.

    How to fix it
    -------------
    Create every tensor on the device of the inputs, and keep sums of large numbers out of float16.

    What it cannot see
    ------------------
    Differences that build up during training.

    Source
    ------
    Bouthillier et al. 2021, arXiv:2103.03098.
    """
    if isinstance(model, Failure):
        return undecided("the network could not be run: see LK200")
    answers = model["cuda"]
    if "missing" in answers:
        return not_applicable(answers["missing"])
    difference = relative_difference(answers["cpu"], answers["cuda"])
    if difference > _PRECISION:
        return warned(f"outputs on the CPU and on a GPU differ by {difference:.2g}")
    return passed("outputs agree on the CPU and on a GPU")


def _finite(outputs: list[float]) -> bool:
    return bool(np.isfinite(outputs).all())
