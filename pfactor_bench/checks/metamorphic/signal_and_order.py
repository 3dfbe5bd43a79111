"""Metamorphic checks of where skill comes from: the order of rows, and a cohort without signal."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, not_applicable, passed, undecided, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.studies import changes
from pfactor_bench.studies.sandbox import Failure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.checks.metamorphic.probe import Probe
    from pfactor_bench.studies.contract import Answer
    from pfactor_bench.types import Cohort, Scalar

__all__ = ["subject_correlation"]

#: All draws of noise together may look like skill by chance this often.
_ALPHA = 0.001
#: Draws of noise that confirm what the first ones seem to show.
_CONFIRMING = 15
_MAX_EXACT = 6
_PERMUTATIONS = 10_000


@check("LK104", kinds=(16, 25))
def blind_to_row_order(study: Probe) -> Outcome:
    """Reorder held-out windows: each prediction must stay with its window.

    How it is detected
    ------------------
    The rows of one fold's held-out windows are shuffled among their own positions. If predictions
    stay at their positions instead of moving along with the windows, the position is an input, and
    the check fails. If they merely change a little it warns: random augmentation of test windows
    does that as well, and LK102 sees a state that carries one person's signal to the next.

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
    fold = study.folds[0]
    rows = fold.answered.positions
    rows = rows[np.isin(study.cohort.subjects[rows], fold.held_out)]
    for by_person in (False, True):
        shuffled, order = changes.reorder_rows(
            study.cohort, rows, study.rng("order", by_person), by_person=by_person
        )
        (answer,) = study.ask([shuffled])
        if isinstance(answer, Failure):
            return undecided(f"the study fails when rows are reordered: {answer.reason}")
        along = study.movement(fold, answer.moved_back(order))
        if along is None:
            continue
        if along.largest <= study.threshold:
            return passed("predictions move along with their windows")
        stayed = study.movement(fold, answer)
        evidence: list[dict[str, Scalar]] = [
            {"fold": fold.name, "moved_by": along.largest, "threshold": study.threshold}
        ]
        if stayed is not None and stayed.largest < along.largest / 2:
            return failed("predictions belong to positions in the table, not to windows", evidence)
        return warned(
            f"predictions change by up to {along.largest:.3g} when held-out windows are reordered",
            evidence,
        )
    return warned("who is held out depends on the order of rows, so there was nothing to compare")


@check("LK105", kinds=(15, 16))
def skill_needs_signal(study: Probe) -> Outcome:
    """Replace all signal by noise: skill must go.

    How it is detected
    ------------------
    Every window becomes noise; scores and tables stay. Over people, the correlation of predictions
    and scores is compared with all its permutations, in several draws of noise. Only if every draw
    beats chance, together at p < 0.001, does the check fail.

    Why it matters
    --------------
    Skill that survives without any brain signal comes from somewhere else: the score or one of its
    siblings among the inputs, age or sex, the number of windows, the order of files.

    How to fix it
    -------------
    Give the model nothing but the signal; report a confound model beside it.

    What it cannot see
    ------------------
    Confounds that act through the signal, such as age; and little skill in few people.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L2; Spisak 2022,
    doi:10.1093/gigascience/giac082.
    """
    if (obstacle := study.obstacle()) is not None:
        return obstacle
    n_draws = study.effort.noise_draws
    results = []
    for answer in study.ask(study.noise()):
        if isinstance(answer, Failure):
            return undecided(f"the study fails on noise: {answer.reason}")
        results.append(subject_correlation(answer, study.cohort))
    level = _ALPHA ** (1 / n_draws)
    evidence = [{"draw": row, "r": r, "p": p} for row, (r, p, _) in enumerate(results)]
    if min(least for _, _, least in results) > level:
        return not_applicable(
            "too few people are predicted for skill to be told from chance in noise"
        )
    if max(p for _, p, _ in results) > level:
        return passed(f"no skill survives in noise ({n_draws} draws)")
    more = _fresh_correlations(study)
    if not _above_zero(more):
        return passed(
            f"no skill survives in noise: {n_draws} draws looked like it, {len(more)} more have a "
            f"mean r of {np.mean(more):.2f}"
        )
    return failed(
        f"the study predicts the scores of people whose signal is pure noise: r = "
        f"{min(r for r, _, _ in results):.2f} or more in each of {n_draws} draws, "
        f"{np.mean(more):.2f} on average in {len(more)} more",
        evidence,
    )


def _fresh_correlations(study: Probe) -> list[float]:
    """Return r over people in new draws of noise."""
    noise = [
        changes.replace_all_signal(study.cohort, study.rng("more noise", draw))
        for draw in range(_CONFIRMING)
    ]
    return [
        subject_correlation(answer, study.cohort)[0]
        for answer in study.ask(noise)
        if not isinstance(answer, Failure)
    ]


def _above_zero(found: list[float]) -> bool:
    """Say whether draws are above 0 on average, by a one-sided t-test."""
    from scipy import stats

    values = np.array(found)
    if len(values) < 2 or values.mean() <= 0:  # noqa: PLR2004 - a spread needs two
        return False
    error = float(values.std(ddof=1)) / np.sqrt(len(values))
    return error < 1e-12 or float(stats.t.sf(values.mean() / error, len(values) - 1)) < _ALPHA  # noqa: PLR2004


def subject_correlation(answer: Answer, cohort: Cohort) -> tuple[float, float, float]:
    """Return r over people, its one-sided permutation p, and the least p that could come out."""
    positions = np.concatenate([fold.positions for fold in answer.folds])
    predictions = np.concatenate([fold.y_pred for fold in answer.folds])
    _, people, counts = np.unique(
        cohort.subjects[positions], return_inverse=True, return_counts=True
    )
    predicted = np.bincount(people, weights=predictions) / counts
    truth = np.bincount(people, weights=cohort.y[positions]) / counts
    if predicted.std() < 1e-12 or truth.std() < 1e-12:  # noqa: PLR2004 - constant but for rounding
        return 0.0, 1.0, 0.0
    predicted = (predicted - predicted.mean()) / predicted.std() / len(predicted)
    truth = (truth - truth.mean()) / truth.std()
    r = float(predicted @ truth)
    null = _orders(len(truth), np.random.default_rng(0))
    p = float(np.mean(truth[null] @ predicted >= r - 1e-12))
    return r, p, 1 / len(null)


def _orders(n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return all orders of a few people, or many random ones after the original."""
    if n <= _MAX_EXACT:
        return np.array(list(permutations(range(n))))
    drawn = rng.permuted(np.tile(np.arange(n), (_PERMUTATIONS, 1)), axis=1)
    return np.vstack([np.arange(n), drawn])
