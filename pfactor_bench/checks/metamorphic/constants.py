"""A metamorphic check of constants in predictions that do not follow the training targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.engine.outcomes import not_applicable, passed, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.checks.metamorphic.movement import same_fold
from pfactor_bench.checks.metamorphic.probe import ROUNDING
from pfactor_bench.checks.metamorphic.untaught import is_constant
from pfactor_bench.studies.changes import stretch_targets
from pfactor_bench.studies.sandbox import Failure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.checks.metamorphic.probe import Probe
    from pfactor_bench.types import Scalar

__all__: list[str] = []

#: All targets twice as far from their mean, and moved by so many standard deviations.
_SHIFT = 3.0
#: So many windows at one value are a pile.
_PILE = 3


@check("LK113", kinds=(39,), severity="weakness")
def constants_in_predictions(study: Probe) -> Outcome:
    """Constants in predictions that do not follow the training targets.

    How it is detected
    ------------------
    All targets are stretched to twice their distance and moved by three standard deviations, up and
    down. Predictions of a model that learns scale and level from training targets do the same. If
    all of them miss that by one and the same number, they are shifted or shrunk by a constant; if
    three or more lie at one highest or lowest value, and lie there again, they are clipped at it.

    Why it matters
    --------------
    A constant that is written in the code may have been chosen by the error on the test set. No
    change of targets moves it, so nothing else can find it.

    How to fix it
    -------------
    Estimate the constant on training subjects inside each fold, or say where it comes from: the
    range of a questionnaire is known beforehand.

    What it cannot see
    ------------------
    Why a constant has its value; a factor that pulls predictions to the training mean; constants in
    models that do not follow the scale of targets, such as networks of fixed learning rate.

    Source
    ------
    Chen et al. 1998 on metamorphic testing, arXiv:2002.12543; Kapoor & Narayanan 2023,
    doi:10.1016/j.patter.2023.100804.
    """
    if (obstacle := study.obstacle()) is not None:
        return obstacle
    if is_constant(study):
        return not_applicable("all subjects are predicted the same")
    pairs = _pairs(study)
    if not pairs:
        return not_applicable("the study answers other targets with other rows or random numbers")
    if clipped := _clipped(study, pairs):
        values = sorted({f"{one['value']:.4g}" for one in clipped}, key=float)
        return warned(
            f"predictions are clipped at {' and '.join(values)}, whatever the training targets are",
            clipped,
        )
    if (affine := _affine(study, pairs)) is not None:
        return warned(*affine)
    return passed("no constant stays where it is when all targets are stretched and moved")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Pair:
    """A fold's predictions, and those for targets moved by so many standard deviations."""

    fold: str
    shift: float
    before: NDArray[np.float64]
    after: NDArray[np.float64]


def _pairs(study: Probe) -> list[_Pair]:
    """Return what can be compared: rows and random numbers that are the same."""
    assert not isinstance(study.answer, Failure)  # noqa: S101 - callers ask for obstacles first
    shifts = (_SHIFT, -_SHIFT)
    found = []
    answers = study.ask([stretch_targets(study.cohort, shift) for shift in shifts])
    for shift, other in zip(shifts, answers, strict=True):
        if isinstance(other, Failure) or other.ends != study.answer.ends:
            return []
        for fold in study.answer.folds:
            match = same_fold(fold, other)
            if match is None:
                return []
            found.append(_Pair(fold=fold.name, shift=shift, before=fold.y_pred, after=match.y_pred))
    return found


def _clipped(study: Probe, pairs: list[_Pair]) -> list[dict[str, Scalar]]:
    """Return where predictions pile up at one end, and pile up again when targets go further."""
    tiny = ROUNDING * study.spread
    found: list[dict[str, Scalar]] = []
    for pair in pairs:
        side = np.sign(pair.shift)
        before, after = side * pair.before, side * pair.after
        piles = [int((one >= one.max() - tiny).sum()) for one in (before, after)]
        same = abs(float(before.max() - after.max())) <= tiny
        if same and min(piles) >= _PILE and piles[0] < len(before):
            found.append(
                {"fold": pair.fold, "value": float(side * before.max()), "windows": piles[0]}
            )
    return found


def _affine(study: Probe, pairs: list[_Pair]) -> tuple[str, list[dict[str, Scalar]]] | None:
    """Say by what constant all predictions are shifted, or shrunk towards another."""
    _, first = np.unique(study.cohort.subjects, return_index=True)
    mean, tiny = float(study.cohort.y[first].mean()), ROUNDING * study.spread
    missed = {}
    for sign in (1, -1):
        moved = sign * _SHIFT * study.spread - mean
        parts = [one.after - 2 * one.before - moved for one in pairs if np.sign(one.shift) == sign]
        every = np.concatenate(parts)
        if np.ptp(every) > tiny:
            return None
        missed[sign] = (moved, float(every.mean()))
    (up, missed_up), (_, missed_down) = missed[1], missed[-1]
    factor = 1 + (missed_up - missed_down) / (2 * _SHIFT * study.spread)
    if abs(factor) <= ROUNDING:  # no intercept: the level is not learnt
        return None
    if abs(factor - 1) <= ROUNDING:
        if abs(missed_up) <= tiny:
            return None
        said = f"all predictions are shifted by {-missed_up:.4g}, whatever the training targets are"
        return said, [{"shift": -missed_up}]
    towards = -missed_up / (1 - factor) - up
    said = (
        f"the level of all predictions is shrunk by {factor:.3g} towards {towards:.3g}, whatever "
        f"the training targets are; a penalised intercept does the same towards 0"
    )
    return said, [{"factor": factor, "towards": towards}]
