"""Checks of what was fitted on what: transformations and inner splits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, passed, undecided, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.studies.sandbox import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.types import Cohort, Scalar

__all__: list[str] = []


@check("LK010", kinds=(10, 11, 12, 14), severity="weakness")
def fitted_on_all_subjects(cohort: Cohort, fits: Sequence[Mapping[str, Any]]) -> Outcome:
    """Transformations fitted on all subjects, held-out ones among them.

    How it is detected
    ------------------
    While a study runs, every fit of a scikit-learn transformation that learns something is
    recorded (scalers, decompositions, selections, imputers, and classes derived from
    TransformerMixin elsewhere). The study is run for that with one window of each subject repeated,
    so that equal rows are one subject whatever features it makes, and subjects are counted. It
    warns: that a fit saw all subjects is certain, that a prediction uses it is for LK102 to say.

    Why it matters
    --------------
    A scaler, decomposition, selection or alignment that has seen the held-out subjects shapes the
    inputs by them, and a target scaler by their targets.

    How to fix it
    -------------
    Fit inside the fold on training rows only; a scikit-learn Pipeline does so by itself.

    What it cannot see
    ------------------
    Transformations written by hand and fits on some of the held-out subjects; LK102 sees the effect
    of both.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L1.2 and L1.3.
    """
    everywhere = [entry for entry in fits if entry["n_subjects"] == cohort.n_subjects]
    if not everywhere:
        return passed(f"none of {len(fits)} fits of transformations saw all subjects")
    names = dict.fromkeys(str(entry["what"]) for entry in everywhere)
    return warned(
        f"{', '.join(names)} saw all {cohort.n_subjects} subjects, held-out ones among them",
        [{"what": name} for name in names],
    )


@check("LK020", kinds=(20, 17, 18), severity="weakness")
def inner_subject_overlap(
    cohort: Cohort, inner_splits: Sequence[Mapping[str, Any]] | Failure
) -> Outcome:
    """Find inner validation splits that put one subject in train and validation.

    How it is detected
    ------------------
    While an estimator is fitted on a fold's training windows, or a study runs, every split that a
    scikit-learn splitter makes of training windows is recorded (skorch, and so braindecode, uses
    those), and the subjects of its two sides are intersected. A study is run for that with one
    window of each subject repeated, so that equal rows are one subject whatever features it makes.
    For an estimator it warns: the audit splits, and held-out subjects take no part. A study fails:
    its choices are part of the procedure that it reports.

    Why it matters
    --------------
    Settings and epochs chosen where subjects are known are chosen for recognising subjects. The
    outer result stays honest, but it is that of a model tuned for the wrong task, and a validation
    curve that looks good means nothing.

    How to fix it
    -------------
    Pass a grouped splitter and the groups: GridSearchCV(cv=GroupKFold()).fit(X, y, groups=subjects)
    or EEGRegressor(train_split=predefined_split(valid_subjects)).

    What it cannot see
    ------------------
    Closed-form leave-one-out, such as RidgeCV without cv, splits made by hand, and whether the
    inner validation target is what is reported.

    Source
    ------
    Del Pup et al. 2025, arXiv:2505.13021; Cawley & Talbot 2010, jmlr.org/papers/v11/cawley10a.html.
    """
    if isinstance(inner_splits, Failure):
        return undecided(f"the estimator could not be fitted: {inner_splits.reason}")
    subjects = cohort.subjects
    evidence: list[dict[str, Scalar]] = []
    for number, split in enumerate(inner_splits):
        shared = split.get("shared")
        if shared is None:
            shared = np.intersect1d(subjects[split["train"]], subjects[split["valid"]])
        if len(shared):
            row: dict[str, Scalar] = {"split": number, "by": str(split["by"])}
            evidence.append({**row, "n_subjects": len(shared), "first": str(shared[0])})
    if not evidence:
        return passed(f"{len(inner_splits)} inner splits keep each subject on one side")
    decides = any(split.get("decides", True) for split in inner_splits)
    # Only what a study makes itself is matched by content.
    found = failed if any("shared" in split for split in inner_splits) else warned
    return found(
        f"{len(evidence)} of {len(inner_splits)} inner splits ({evidence[0]['by']}) have the same "
        f"subjects in train and validation"
        + ("" if decides else "; nothing is decided by them here"),
        evidence,
    )
