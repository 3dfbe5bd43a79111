"""A metamorphic check of the order of rows: a prediction must stay with its window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, passed, undecided, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.checks.metamorphic.movement import movement
from pfactor_bench.studies.changes import in_order
from pfactor_bench.studies.sandbox import Failure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.checks.metamorphic.folds import ProbedFold
    from pfactor_bench.checks.metamorphic.probe import Probe
    from pfactor_bench.types import Scalar

__all__: list[str] = []

#: Random orders of subjects besides the reversed one.
_RANDOM_ORDERS = 3
#: Movement that follows displacement this closely, this surely: the position is read.
_CLOSELY, _SURELY = 0.5, 0.01
#: So surely, where another seed moves predictions too, or changes who is held out.
_BEYOND_CHANCE = 0.001
#: Another seed moves predictions by less than this share of what the order does: nothing random.
_BARELY = 0.1
_FEWEST_POINTS = 6


@check("LK104", kinds=(16, 25, 38))
def blind_to_row_order(study: Probe) -> Outcome:
    """Row order: each prediction must stay with its window.

    How it is detected
    ------------------
    The subjects of a fold swap places in the table, each with the windows in their own order. If
    predictions move along with the windows, the order does not matter. If not, the movement is
    compared with how far each subject was displaced, and with what another seed does. Movement that
    follows displacement fails: the position is an input; more surely has it to where another seed
    moves predictions as well. Random draws at test time follow no displacement.

    Why it matters
    --------------
    Files are often sorted by group, site or date. A model that knows the row knows the group.

    How to fix it
    -------------
    Make no feature from an index, and predict each window as if it came alone. Seed random
    augmentation anew for each window, so that the order of calls does not matter.

    What it cannot see
    ------------------
    Use of the order of training rows.

    Source
    ------
    Chen et al. 1998 on metamorphic testing, arXiv:2002.12543.
    """
    if (obstacle := study.obstacle()) is not None:
        return obstacle
    fold = max(study.folds, key=lambda one: len(one.held_out))
    found = [_moved(study, fold, order) for order in _orders(study, fold)]
    failures = [one for one in found if isinstance(one, Failure)]
    if failures:
        return undecided(f"the study fails when rows are reordered: {failures[0].reason}")
    points = [one for one in found if isinstance(one, tuple)]
    if not points:
        return warned("who is held out depends on the order of rows: nothing was compared")
    sizes, displaced = (np.concatenate(one) for one in zip(*points, strict=True))
    if sizes.max() <= study.threshold:
        return passed("predictions move along with their windows")
    return _read_position(study, fold, sizes, displaced)


def _orders(study: Probe, fold: ProbedFold) -> list[NDArray[np.int64]]:
    """Return orders of a fold's rows: its subjects the other way round, then permuted.

    The windows of a subject that is held out alone are turned round and permuted themselves.
    """
    subjects, rows = study.cohort.subjects, fold.answered.positions
    rows = rows[np.isin(subjects[rows], fold.held_out)]
    blocks = [rows[subjects[rows] == name] for name in dict.fromkeys(subjects[rows].tolist())]
    if len(blocks) == 1:
        blocks = [rows[at : at + 1] for at in range(len(rows))]
    rng = study.rng("order")
    permuted = [rng.permutation(len(blocks)) for _ in range(_RANDOM_ORDERS)]
    return [
        np.concatenate([blocks[number] for number in order])
        for order in (np.arange(len(blocks))[::-1], *permuted)
    ]


def _moved(
    study: Probe, fold: ProbedFold, new_order: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | Failure | None:
    """Return how far each subject's predictions moved and how far the subject was displaced.

    Each window's, where a subject is held out alone.
    """
    rows = np.sort(new_order)
    reordered, order = in_order(study.cohort, rows, new_order)
    (answer,) = study.ask([reordered])
    if isinstance(answer, Failure):
        return answer
    found = movement(fold, answer.moved_back(order), study.cohort.subjects)
    if found is None:
        return None
    places = np.empty(len(order))
    places[order] = np.arange(len(order))
    displaced = np.abs(places - np.arange(len(order)))[found.positions]
    if len(fold.held_out) == 1:
        return found.sizes, displaced
    _, whose = np.unique(found.subjects, return_inverse=True)
    n_windows = np.bincount(whose)
    return (
        np.bincount(whose, weights=found.sizes) / n_windows,
        np.bincount(whose, weights=displaced) / n_windows,
    )


def _read_position(
    study: Probe, fold: ProbedFold, sizes: NDArray[np.float64], displaced: NDArray[np.float64]
) -> Outcome:
    from scipy import stats

    rho, p = 0.0, 1.0
    if len(sizes) >= _FEWEST_POINTS and np.ptp(sizes) and np.ptp(displaced):
        rho, p = stats.spearmanr(sizes, displaced)
    by_seed = _moved_by_another_seed(study, fold)
    evidence: list[dict[str, Scalar]] = [
        {
            "fold": fold.name,
            "moved_by": float(sizes.max()),
            "threshold": study.threshold,
            "rank_r_with_displacement": round(float(rho), 3),
            "p": float(p),
            "moved_by_another_seed": by_seed,
        }
    ]
    nothing_random = by_seed is not None and by_seed < _BARELY * float(np.median(sizes))
    if rho > _CLOSELY and p < (_SURELY if nothing_random else _BEYOND_CHANCE):
        return failed(
            f"predictions follow the position in the table: the farther a subject is moved there, "
            f"the more they change (rank correlation {rho:.2f}, p = {p:.2g})",
            evidence,
        )
    return warned(
        f"predictions change by up to {sizes.max():.3g} when held-out subjects swap places in the "
        f"table, as random draws at test time do",
        evidence,
    )


def _moved_by_another_seed(study: Probe, fold: ProbedFold) -> float | None:
    """Return the median movement of the unchanged study under another seed; None if it has none."""
    (answer,) = study.ask([study.cohort], salts=[1])
    found = None if isinstance(answer, Failure) else movement(fold, answer, study.cohort.subjects)
    return None if found is None else float(np.median(found.sizes))
