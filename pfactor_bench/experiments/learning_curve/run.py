"""Skill by the number of subjects trained on: the same held-out subjects, fewer to learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.errors import ConfigError, UnknownNameError
from pfactor_bench.execution.cases import compute
from pfactor_bench.measurements.held_out import held_out
from pfactor_bench.models.baselines import BASELINES
from pfactor_bench.models.regimes import REGIMES
from pfactor_bench.seeds import seed_for
from pfactor_bench.statistics.metrics import evaluate, subject_means
from pfactor_bench.training.inner_choice import refuse_too_few_to_choose_on
from pfactor_bench.types import Fold, Split

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from pfactor_bench.pipeline.stages import Run
    from pfactor_bench.types import Case, Cohort

#: Numbers of subjects in a curve, where nobody says otherwise.
_N_SIZES = 5

#: With fewer, a mean is all that can be learnt.
_LEAST = 3


def default_sizes(cohort: Cohort, split: Split) -> tuple[int, ...]:
    """Return numbers of training subjects from a fifth of the smallest fold's to all of them."""
    most = _most_subjects(cohort, split)
    sizes = np.geomspace(max(_LEAST, most / 5), most, _N_SIZES).round().astype(int)
    return tuple(int(size) for size in np.unique(sizes))


def fewer_subjects(cohort: Cohort, split: Split, n_subjects: int, *, seed: int) -> Split:
    """Return the same folds with `n_subjects` of each fold's training subjects.

    Raises
    ------
    ConfigError
        If a fold has fewer, or less than one is asked for.
    """
    most = _most_subjects(cohort, split)
    if not 1 <= n_subjects <= most:
        raise ConfigError(
            f"{n_subjects} subjects cannot be trained on: the smallest fold of {split.name!r} has "
            f"{most}; ask for 1 to {most}"
        )
    rng = np.random.default_rng(seed)
    folds = []
    for fold in split.folds:
        subjects = cohort.subjects[fold.train]
        chosen = rng.choice(np.unique(subjects), n_subjects, replace=False)
        folds.append(
            Fold(name=fold.name, train=fold.train[np.isin(subjects, chosen)], test=fold.test)
        )
    return Split(name=f"{split.name}, {n_subjects} subjects", folds=tuple(folds))


def skill_by_subjects(
    run: Run,
    predictor: str,
    sizes: Sequence[int],
    *,
    n_repetitions: int,
    on_run: Callable[[], object] = lambda: None,
) -> NDArray[np.float64]:
    """Train a predictor on fewer subjects, again and again.

    Parameters
    ----------
    run
        The suite; finished runs are kept in its folder, if it has one.
    predictor
        The label of one of the suite's regimes that start from scratch, or a baseline's name.
    sizes
        Numbers of training subjects per fold.
    n_repetitions
        Draws of subjects per size; a regime takes the suite's seeds in turn.
    on_run
        Called after each run, for progress.

    Returns
    -------
    ndarray
        Skill over the held-out subjects against the mean of *all* training subjects, which stays
        the same along the curve; shape ``(n_sizes, n_repetitions)``.

    Raises
    ------
    ConfigError
        If the predictor or a size cannot be had, or the train mean makes no error.
    """
    cohort, split = run.cohort, run.split
    cases = _cases(run, predictor)
    # All drawn before anything is trained: a size that cannot be had costs nobody an hour.
    drawn = [
        [_drawn(cohort, split, n_subjects, repetition) for repetition in range(n_repetitions)]
        for n_subjects in sizes
    ]
    if cases:
        for fewer in (one for row in drawn for one in row):
            refuse_too_few_to_choose_on(cohort, fewer, run.suite.budget)
    skills = np.empty((len(sizes), n_repetitions))
    for (row, repetition), _ in np.ndenumerate(skills):
        fewer = drawn[row][repetition]
        if cases:
            table = compute(run.but(split=fewer), cases[repetition % len(cases)]).predictions
            y_pred = table.loc[table["role"] == "test", "y_pred"].to_numpy()
        else:
            y_pred = np.concatenate([BASELINES[predictor](cohort, f) for f in fewer.folds])
        skills[row, repetition] = _skill(cohort, split, y_pred)
        on_run()
    return skills


def _drawn(cohort: Cohort, split: Split, n_subjects: int, repetition: int) -> Split:
    seed = seed_for("learning-curve", split.name, n_subjects, repetition)
    return fewer_subjects(cohort, split, n_subjects, seed=seed)


def _most_subjects(cohort: Cohort, split: Split) -> int:
    return min(len(np.unique(cohort.subjects[fold.train])) for fold in split.folds)


def _cases(run: Run, predictor: str) -> list[Case]:
    """Return a regime's cases, none for a baseline."""
    cases = [case for case in run.suite.cases if case.regime == predictor]
    if not cases and predictor not in BASELINES:
        labels = dict.fromkeys(case.regime for case in run.suite.cases)
        raise UnknownNameError("predictor", predictor, [*labels, *BASELINES])
    if cases and REGIMES[cases[0].start].pretrained:
        raise ConfigError(
            f"regime {predictor!r} starts from an encoder that has seen other subjects: how many "
            f"it learnt from cannot be varied; choose a regime from scratch or a baseline"
        )
    return cases


def _skill(cohort: Cohort, split: Split, y_pred: NDArray[np.float64]) -> float:
    rows = held_out(cohort, split)
    y_true, predicted, base = (
        subject_means(rows.subjects, values)[1] for values in (rows.y_true, y_pred, rows.y_base)
    )
    skill = evaluate(y_true, predicted, base)["skill"]
    if skill.value is None or not np.isfinite(skill.value):
        raise ConfigError(
            f"there is no skill to plot: {skill.missing_because or 'it is not finite'}"
        )
    return skill.value
