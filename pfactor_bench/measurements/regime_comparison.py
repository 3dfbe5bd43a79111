"""Measurements that set one start beside another on the same subjects, and what a source taught."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from pfactor_bench.measurements.family import Family, Number, Place
from pfactor_bench.measurements.held_out import sample_of
from pfactor_bench.statistics.comparisons import corrected_resampled_t, paired_differences
from pfactor_bench.types import Interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from pfactor_bench.measurements.family import Outcome, Plan
    from pfactor_bench.measurements.held_out import Sample
    from pfactor_bench.types import Case, Measurement, Split

__all__ = ["FAMILY", "REFERENCE", "measure"]

#: What every other start of the same model is compared with.
REFERENCE = "from-scratch"

_LEVEL = 0.95


def _compared(cases: Iterable[Case]) -> Iterator[tuple[str, str]]:
    """Yield each label and the reference of its model, which is not compared with itself."""
    by_label = {case.regime: case for case in cases}
    for label, case in by_label.items():
        references = (
            one.regime
            for one in by_label.values()
            if one.start == REFERENCE and one.model == case.model
        )
        reference = next(references, label)
        if label != reference:
            yield label, reference


def _name(label: str, reference: str) -> str:
    return f"{label}-vs-{reference.rpartition('/')[2]}"


def _names(plan: Plan) -> list[str]:
    return [_name(*pair) for pair in _compared(plan.cases)]


def _seeds_of_comparisons(plan: Plan) -> Iterator[str]:
    for label, reference in _compared(plan.cases):
        for case in plan.cases:
            if case.regime == label:
                yield f"{_name(label, reference)}/seed-{case.seed}"


_COMPARISON = {
    "comparison": Place(
        words=f"`<regime>-vs-<reference>`, the reference being {REFERENCE} of the same model",
        values=_names,
    )
}
_OVER_SUBJECTS = Number(
    name="{comparison}/skill_difference",
    words="skill that a start adds, subject by subject, averaged over seeds",
    interval="subjects",
    places=_COMPARISON,
)
_OVER_SEEDS = Number(
    name="{comparison}/seed_skill_difference",
    words="the same, seed by seed",
    interval="seeds",
    places=_COMPARISON,
)
_OF_SEED = Number(
    name="{seed_of_comparison}/skill_difference",
    words="the same of one seed",
    places={
        "seed_of_comparison": Place(
            words="`<comparison>/seed-<seed>`", values=_seeds_of_comparisons
        )
    },
)
_OVER_FOLDS = Number(
    name="{comparison_over_folds}/fold_skill_difference",
    words="the same, fold by fold, by the corrected resampled t-test",
    interval="folds",
    places={
        "comparison_over_folds": Place(
            words="`<comparison>`, where there are several folds",
            values=lambda plan: _names(plan) if plan.n_folds > 1 else (),
        )
    },
)


def measure(run: Outcome) -> Iterator[Measurement]:
    """Yield how much skill each start adds to training from scratch, subject by subject.

    Skill is 1 − MSE / MSE of the training mean; that error is taken as given,
    so an interval is that of the paired difference of squared errors.
    """
    pairs = list(_compared(case for case in run.results if case.regime in run.regimes))
    if not pairs:
        return
    sample = sample_of(run.cohort, run.split, run.arrays["subjects"])
    for label, reference in pairs:
        yield from _difference(label, reference, run.arrays, sample)
        if len(run.split.folds) > 1:
            yield _over_folds(label, reference, run.arrays, run.split, run.cohort.subjects)


def _difference(
    label: str, reference: str, arrays: Mapping[str, NDArray[Any]], sample: Sample
) -> list[Measurement]:
    case = _name(label, reference)
    y_true, seeds = arrays["y_true"], arrays[f"{label}/seeds"].tolist()
    y_pred, y_reference = arrays[f"{label}/y_pred"], arrays[f"{reference}/y_pred"]
    base = float(((y_true - arrays["y_base"]) ** 2).mean())
    n = len(y_true)
    paired = paired_differences(
        y_true,
        y_pred,
        {reference: y_reference},
        evaluation=sample.evaluation,
        clusters=sample.clusters,
    )
    mean, interval = paired[reference]
    if mean is None or base == 0:
        why = interval if isinstance(interval, str) else "the train mean makes no error to save"
        return [_OVER_SUBJECTS.measured(None, n_subjects=n, missing_because=why, comparison=case)]
    by_seed = ((y_true - y_reference) ** 2 - (y_true - y_pred) ** 2).mean(axis=1) / base
    return [
        _OVER_SUBJECTS.measured(
            mean / base,
            ci=_scaled(interval, base) if isinstance(interval, Interval) else None,
            n_subjects=n,
            note=interval if isinstance(interval, str) else None,
            comparison=case,
        ),
        _OVER_SEEDS.measured(
            float(by_seed.mean()),
            ci=_over_seeds(by_seed),
            n_subjects=n,
            note=f"the interval is over {len(seeds)} seeds, for these subjects",
            comparison=case,
        ),
        *(
            _OF_SEED.measured(float(value), n_subjects=n, seed_of_comparison=f"{case}/seed-{seed}")
            for seed, value in zip(seeds, by_seed, strict=True)
        ),
    ]


def _over_folds(
    label: str,
    reference: str,
    arrays: Mapping[str, NDArray[Any]],
    split: Split,
    subjects: NDArray[np.str_],
) -> Measurement:
    """Return the mean over folds of the skill that a start adds, by the corrected t-test."""
    case, n = _name(label, reference), len(arrays["subjects"])
    held_out = [np.unique(subjects[fold.test]) for fold in split.folds]
    if sum(map(len, held_out)) != n:
        # A subject's predictions are kept as their mean, not fold by fold.
        return _no_folds(case, n, "a subject is held out in more than one fold")
    error, reference_error = (
        ((arrays["y_true"] - arrays[f"{one}/y_pred"]) ** 2).mean(axis=0)
        for one in (label, reference)
    )
    if not np.isfinite([error, reference_error]).all():
        return _no_folds(case, n, "not every subject has a finite prediction")
    base = float(((arrays["y_true"] - arrays["y_base"]) ** 2).mean())
    if base == 0:
        return _no_folds(case, n, "the train mean makes no error to save")
    by_fold = np.array(
        [
            (reference_error - error)[np.isin(arrays["subjects"], fold_subjects)].mean() / base
            for fold_subjects in held_out
        ]
    )
    tested = corrected_resampled_t(
        by_fold,
        n_train=float(np.mean([len(np.unique(subjects[fold.train])) for fold in split.folds])),
        n_test=float(np.mean([len(fold_subjects) for fold_subjects in held_out])),
    )
    about = f"the interval is over {len(by_fold)} folds, which share training subjects"
    return _OVER_FOLDS.measured(
        float(by_fold.mean()),
        ci=None if isinstance(tested, str) else tested[1],
        n_subjects=n,
        note=tested if isinstance(tested, str) else f"p = {tested[0]:.3g}; {about}",
        comparison_over_folds=case,
    )


def _no_folds(case: str, n_subjects: int, why: str) -> Measurement:
    return _OVER_FOLDS.measured(
        None, n_subjects=n_subjects, missing_because=why, comparison_over_folds=case
    )


def _scaled(interval: Interval, by: float) -> Interval:
    return replace(
        interval,
        low=interval.low / by,
        high=interval.high / by,
        se=None if interval.se is None else interval.se / by,
    )


def _over_seeds(values: NDArray[np.float64]) -> Interval | None:
    """Return Student's t interval of a mean over seeds; None for one seed or without any spread."""
    n = len(values)
    if n < 2 or np.ptp(values) == 0:  # noqa: PLR2004 - a spread needs two
        return None
    half = float(stats.t.ppf((1 + _LEVEL) / 2, n - 1) * values.std(ddof=1) / np.sqrt(n))
    mean = float(values.mean())
    return Interval(
        low=mean - half,
        high=mean + half,
        level=_LEVEL,
        method="Student's t over seeds",
        estimand="seeds",
        df=n - 1,
    )


FAMILY = Family(
    order=60,
    title="Regime comparison",
    numbers=(_OVER_SUBJECTS, _OVER_SEEDS, _OF_SEED, _OVER_FOLDS),
    measure=measure,
)
