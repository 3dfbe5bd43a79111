"""Checks of a network by itself: one window must not know of another, nor of anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pfactor_bench.checks.engine.outcomes import failed, not_applicable, passed, undecided, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.studies.network import relative_difference
from pfactor_bench.studies.sandbox import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pfactor_bench.checks.engine.outcomes import Outcome

__all__: list[str] = []

#: Differences of float32 sums taken in another order, relative to the outputs' size.
_ROUNDING = 1e-4
#: So many standard errors beyond guessing are no guessing.
_CLEARLY = 3.0


@check("LK201", kinds=(24,))
def one_window_or_many(model: Mapping[str, Any] | Failure) -> Outcome:
    """Compare a batch of one with a batch of many: outputs must be the same.

    How it is detected
    ------------------
    In eval mode, eight windows go through the network together and one by one. Modules that stay in
    train mode after ``model.eval()`` are named.

    Why it matters
    --------------
    BatchNorm in train mode and the like normalise a subject by whoever else is in the batch:
    held-out subjects inform each other's predictions, and results depend on the batch size.

    How to fix it
    -------------
    Call model.eval() before predicting, let ``train(mode)`` reach every module, and use no
    statistics over the batch axis at prediction.

    What it cannot see
    ------------------
    Batch statistics that differ by less than rounding.

    Source
    ------
    Ioffe & Szegedy 2015, arXiv:1502.03167.
    """
    if isinstance(model, Failure):
        return undecided("the network could not be run: see LK200")
    deaf = [{"module": name or "the network itself"} for name in model["deaf"]]
    difference = relative_difference(model["together"], model["alone"])
    if difference > _ROUNDING:
        return failed(
            f"a window's output depends on the others in its batch (by {difference:.2g} of the "
            f"outputs' size)",
            deaf,
        )
    if deaf:
        return failed(f"{len(deaf)} modules stay in train mode after model.eval()", deaf)
    return passed("a window's output is the same alone and in a batch")


@check("LK202", kinds=(25,))
def keeps_no_state(model: Mapping[str, Any] | Failure) -> Outcome:
    """Reorder and repeat windows: outputs must not depend on what came before.

    How it is detected
    ------------------
    In eval mode the same windows are run in reverse order and again after other windows; the
    network's stored state is compared before and after.

    Why it matters
    --------------
    A state that predictions change carries one held-out subject into the next one's prediction.

    How to fix it
    -------------
    Update buffers in train mode only, and reset recurrent states at each call.

    What it cannot see
    ------------------
    State kept outside the network and its parameters that needs more than a few calls to matter.

    Source
    ------
    Chen et al. 1998 on metamorphic testing, arXiv:2002.12543.
    """
    if isinstance(model, Failure):
        return undecided("the network could not be run: see LK200")
    problems: list[dict[str, str | float]] = [
        {"state": name, "changed_by": 0.0} for name in model["changed"]
    ]
    for kind in ("reordered", "repeated"):
        difference = relative_difference(model["together"], model[kind])
        if difference > _ROUNDING:
            problems.append({"state": f"outputs of {kind} windows", "changed_by": difference})
    if problems:
        return failed("predicting changes what the network answers next", problems)
    return passed("outputs do not depend on the order or number of calls")


@check("LK203", kinds=(23, 25))
def instances_are_independent(model: Mapping[str, Any] | Failure) -> Outcome:
    """Train one instance: another one's outputs must not change.

    How it is detected
    ------------------
    Two networks are built; one takes a training step; the other's outputs are compared.

    Why it matters
    --------------
    Instances that share weights or globals carry what one fold or seed has learnt into the next,
    and the next fold's held-out subjects were the last one's training subjects.

    How to fix it
    -------------
    Create parameters and buffers in ``__init__``, not at module or class level.

    What it cannot see
    ------------------
    A checkpoint written by one run and read by the next; LK208 sees files that are read.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L1.
    """
    if isinstance(model, Failure):
        return undecided("the network could not be run: see LK200")
    difference = relative_difference(*model["another"])
    if difference > _ROUNDING:
        return failed(f"training one instance changed another one's outputs by {difference:.2g}")
    return passed("instances do not share what they learn")


@check("LK206", kinds=(3,), severity="weakness")
def identity_in_embeddings(model: Mapping[str, Any] | Failure) -> Outcome:
    """Probe what reaches the head: training must not make subjects recognisable.

    How it is detected
    ------------------
    A linear probe learns from half of each training subject's windows who they are, and is tried on
    the other half, before and after four epochs of training. A share of recognised windows that is
    3 standard errors above both chance and the untrained network's is a warning.

    Why it matters
    --------------
    A network that recognises subjects can store their targets. That is no leak while whole subjects
    are held out; it is all of the skill as soon as one subject stands in train and test.

    How to fix it
    -------------
    Keep whole subjects on one side, and let fewer parameters, more subjects or an adversarial loss
    make recognising them harder.

    What it cannot see
    ------------------
    Identity that is not linear in the embeddings, or that a longer training would add.

    Source
    ------
    Alain & Bengio 2016, arXiv:1610.01644; Chaibub Neto et al. 2019,
    doi:10.1038/s41746-019-0178-x.
    """
    if isinstance(model, Failure):
        return undecided("the network could not be run: see LK200")
    found = model["identity"]
    if "missing" in found:
        return not_applicable(f"there are no embeddings to probe: {found['missing']}")
    said = (
        f"{found['trained']:.0%} of windows give away whose they are, {found['untrained']:.0%} "
        f"before training, {found['chance']:.0%} by chance"
    )
    reference = max(found["chance"], found["untrained"])
    error = (reference * (1 - reference) / found["n_windows"]) ** 0.5
    if found["trained"] > reference + _CLEARLY * error:
        return warned(f"training makes subjects recognisable: {said}", [found])
    return passed(f"training does not make subjects recognisable: {said}", [found])


@check("LK208", kinds=(15, 28))
def opens_nothing(model: Mapping[str, Any] | Failure) -> Outcome:
    """Watch the network predict: it must open no file and no connection.

    How it is detected
    ------------------
    A hook of the Python interpreter records every file, connection and program opened while windows
    are predicted, except for code that is imported.

    Why it matters
    --------------
    What is read during prediction may be the answer, or a stale intermediate of another split.

    How to fix it
    -------------
    Load weights when the network is built, and pass everything else as input.

    What it cannot see
    ------------------
    What was read before, and reads that bypass the interpreter.

    Source
    ------
    PEP 578, Python runtime audit hooks.
    """
    if isinstance(model, Failure):
        return undecided("the network could not be run: see LK200")
    if model["opened"]:
        return failed(
            f"predicting opens {model['opened'][0]!r}",
            [{"opened": what} for what in model["opened"]],
        )
    return passed("predicting opens no file and no connection")
