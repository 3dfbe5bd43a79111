"""Measurements that set one start beside another on the same people, and what a source taught."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from pfactor_bench.statistics.comparisons import corrected_resampled_t, paired_differences
from pfactor_bench.types import Interval, Measurement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from pfactor_bench.types import Case, Split

__all__ = ["REFERENCE", "compare_starts"]

#: What every other start of the same model is compared with.
REFERENCE = "from-scratch"

_LEVEL = 0.95


def compare_starts(
    cases: Iterable[Case],
    arrays: Mapping[str, NDArray[Any]],
    *,
    split: Split,
    subjects: NDArray[np.str_],
) -> tuple[Measurement, ...]:
    """Return how much skill each start adds to training from scratch, person by person.

    Parameters
    ----------
    cases
        All of a suite's.
    arrays
        As `pfactor_bench.measurements.cases.pooled_arrays` returns them.
    split, subjects
        The folds, and the cohort's subject of each window.

    Returns
    -------
    tuple of Measurement
        For each label but the reference of its model: ``<label>-vs-<reference>/skill_difference``
        with an interval over people, ``…/seed_skill_difference`` with one over seeds,
        ``…/fold_skill_difference`` with one over folds where there are several, and one value per
        seed. Skill is the share of the train mean's squared error that is gone; that error is taken
        as given, so the interval is that of the paired difference of squared errors.
    """
    by_label = {case.regime: case for case in cases}
    found: list[Measurement] = []
    for label, case in by_label.items():
        references = (
            one.regime
            for one in by_label.values()
            if one.start == REFERENCE and one.model == case.model
        )
        reference = next(references, label)
        if label != reference:
            found += _difference(label, reference, arrays)
            if len(split.folds) > 1:
                found.append(_over_folds(label, reference, arrays, split, subjects))
    return tuple(found)


def _name(label: str, reference: str) -> str:
    return f"{label}-vs-{reference.rpartition('/')[2]}"


def _difference(
    label: str, reference: str, arrays: Mapping[str, NDArray[Any]]
) -> list[Measurement]:
    case = _name(label, reference)
    y_true, seeds = arrays["y_true"], arrays[f"{label}/seeds"].tolist()
    y_pred, y_reference = arrays[f"{label}/y_pred"], arrays[f"{reference}/y_pred"]
    base = float(((y_true - arrays["y_base"]) ** 2).mean())
    n = len(y_true)
    paired = paired_differences(y_true, y_pred, {reference: y_reference})
    mean, interval = paired[reference]
    if mean is None or base == 0:
        why = interval if isinstance(interval, str) else "the train mean makes no error to save"
        return [_missing(f"{case}/skill_difference", case, n, why)]
    by_seed = ((y_true - y_reference) ** 2 - (y_true - y_pred) ** 2).mean(axis=1) / base
    return [
        Measurement(
            name=f"{case}/skill_difference",
            case=case,
            value=mean / base,
            ci=_scaled(interval, base) if isinstance(interval, Interval) else None,
            n_subjects=n,
            note=interval if isinstance(interval, str) else None,
        ),
        Measurement(
            name=f"{case}/seed_skill_difference",
            case=case,
            value=float(by_seed.mean()),
            ci=_over_seeds(by_seed),
            n_subjects=n,
            note=f"the interval is over {len(seeds)} seeds, for these people",
        ),
        *(
            Measurement(
                name=f"{case}/seed-{seed}/skill_difference",
                case=f"{case}/seed-{seed}",
                value=float(value),
                n_subjects=n,
            )
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
    case = _name(label, reference)
    name, n = f"{case}/fold_skill_difference", len(arrays["subjects"])
    held_out = [np.unique(subjects[fold.test]) for fold in split.folds]
    if sum(map(len, held_out)) != n:
        # A person's predictions are kept as their mean, not fold by fold.
        return _missing(name, case, n, "somebody is held out in more than one fold")
    error, reference_error = (
        ((arrays["y_true"] - arrays[f"{one}/y_pred"]) ** 2).mean(axis=0)
        for one in (label, reference)
    )
    if not np.isfinite([error, reference_error]).all():
        return _missing(name, case, n, "not every person has a finite prediction")
    base = float(((arrays["y_true"] - arrays["y_base"]) ** 2).mean())
    if base == 0:
        return _missing(name, case, n, "the train mean makes no error to save")
    by_fold = np.array(
        [
            (reference_error - error)[np.isin(arrays["subjects"], people)].mean() / base
            for people in held_out
        ]
    )
    tested = corrected_resampled_t(
        by_fold,
        n_train=float(np.mean([len(np.unique(subjects[fold.train])) for fold in split.folds])),
        n_test=float(np.mean([len(people) for people in held_out])),
    )
    about = f"the interval is over {len(by_fold)} folds, which share training people"
    return Measurement(
        name=name,
        case=case,
        value=float(by_fold.mean()),
        ci=None if isinstance(tested, str) else tested[1],
        n_subjects=n,
        note=tested if isinstance(tested, str) else f"p = {tested[0]:.3g}; {about}",
    )


def _missing(name: str, case: str, n_subjects: int, why: str) -> Measurement:
    return Measurement(name=name, case=case, value=None, n_subjects=n_subjects, missing_because=why)


def _scaled(interval: Interval, by: float) -> Interval:
    return Interval(
        low=interval.low / by,
        high=interval.high / by,
        level=interval.level,
        method=interval.method,
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
        low=mean - half, high=mean + half, level=_LEVEL, method="Student's t over seeds"
    )
