"""Static checks of a split: who and what stands in train and test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, not_applicable, passed, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.checks.reported.recompute import by_case
from pfactor_bench.checks.static.rows import RECORDING, in_folds, row_keys

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.types import Cohort, Scalar, Split

__all__: list[str] = []


@check("LK001", kinds=(1,))
def no_held_out_set(split: Split) -> Outcome:
    """Find folds in which nothing is held out.

    How it is detected
    ------------------
    Each fold must have training windows, and at least one test window that is not among them.

    Why it matters
    --------------
    A result on the data that a model was trained on measures memory. It says nothing about new
    subjects, and is high for any model that is large enough.

    How to fix it
    -------------
    Put whole subjects aside before anything is fitted, and predict only them.

    What it cannot see
    ------------------
    A study that trains on more windows than it states. The relation LK101 sees that.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L1.1.
    """
    if not split.folds:
        return failed(f"the split {split.name!r} has no folds: nothing is held out")
    evidence: list[dict[str, Scalar]] = [
        {"fold": fold.name, "n_train": len(fold.train), "n_test": len(fold.test)}
        for fold in split.folds
        if not len(fold.train) or not len(np.setdiff1d(fold.test, fold.train))
    ]
    if evidence:
        return failed(
            f"{len(evidence)} of {len(split.folds)} folds hold nothing out that was not trained on",
            evidence,
        )
    return passed(f"windows are held out in {in_folds(split)}")


@check("LK002", kinds=(2,))
def row_overlap(cohort: Cohort, split: Split) -> Outcome:
    """Find windows that are both trained on and held out.

    How it is detected
    ------------------
    The positions of training and test windows of each fold are intersected.

    Why it matters
    --------------
    The model has seen the very window, with its target, on which it is then evaluated.

    How to fix it
    -------------
    Make the folds with a splitter that returns disjoint sets, such as scikit-learn's GroupKFold
    with the subjects as groups.

    What it cannot see
    ------------------
    The same samples under another row; LK006, LK007 and LK008 look for those.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L1.1.
    """
    names = cohort.table["sample_id"].to_numpy()
    evidence: list[dict[str, Scalar]] = [
        {"fold": fold.name, "sample_id": str(names[position])}
        for fold in split.folds
        for position in np.intersect1d(fold.train, fold.test)
    ]
    if evidence:
        return failed(f"{len(evidence)} windows are trained on and held out in one fold", evidence)
    return passed(f"no window is in train and test in {in_folds(split)}")


@check("LK003", kinds=(3, 40))
def subject_overlap(
    cohort: Cohort,
    split: Split | None = None,
    predictions: pd.DataFrame | None = None,
    study: object | None = None,
) -> Outcome:
    """Subject overlap between train and test.

    How it is detected
    ------------------
    The subjects of training and test windows of each fold are intersected. Where no training rows
    are stated, the folds of the predictions are compared: a subject some of whose windows are held
    out in one fold of a k-fold, and others in another, was trained on in both. That fails for saved
    predictions, and is a warning where the study can be run again, since LK101 then decides.

    Why it matters
    --------------
    EEG identifies a subject as a fingerprint does, and every window of a subject carries the same
    target. A model that recognises the subject has the answer without knowing anything about the
    target: Alzheimer classification fell from 99.8 % to 53 % once it was split by subject.

    How to fix it
    -------------
    Split the list of subjects first and take the windows of each side's subjects, for instance with
    GroupKFold and groups=cohort.subjects.

    What it cannot see
    ------------------
    One subject under two names (LK004), and training windows that a study does not state (LK101).

    Source
    ------
    Brookshire et al. 2024, doi:10.3389/fnins.2024.1373515; Del Pup et al. 2025, arXiv:2505.13021.
    """
    if split is None:
        return _spread_over_folds(cohort, predictions, failed if study is None else warned)
    subjects = cohort.subjects
    evidence: list[dict[str, Scalar]] = [
        {
            "fold": fold.name,
            "subject": str(subject),
            "n_train": int((subjects[fold.train] == subject).sum()),
            "n_test": int((subjects[fold.test] == subject).sum()),
        }
        for fold in split.folds
        for subject in np.intersect1d(subjects[fold.train], subjects[fold.test])
    ]
    if evidence:
        both = sorted({str(row["subject"]) for row in evidence})
        return failed(
            f"{len(both)} subjects are trained on and held out in the same fold, among them "
            f"{both[0]!r}",
            evidence,
        )
    return passed(f"no subject is in train and test in {in_folds(split)}")


@check("LK005", kinds=(5,))
def recording_overlap(cohort: Cohort, split: Split) -> Outcome:
    """Find sessions and recordings that are cut by the split.

    How it is detected
    ------------------
    The keys (subject, session) and (subject, session, run, task) of training and test windows of
    each fold are intersected.

    Why it matters
    --------------
    Windows of one sitting share cap position, impedances, drowsiness and noise. Even a study that
    wants to generalise to new sessions of known subjects must not share a session.

    How to fix it
    -------------
    Split by subject; where subjects are meant to be known, split by whole sessions.

    What it cannot see
    ------------------
    A session whose name changes in the middle.

    Source
    ------
    Del Pup et al. 2025, arXiv:2505.13021.
    """
    evidence: list[dict[str, Scalar]] = []
    for level, columns in (("session", RECORDING[:2]), ("recording", RECORDING)):
        keys, names = row_keys(cohort.table, columns)
        evidence += [
            {"fold": fold.name, "level": level, "name": names[key]}
            for fold in split.folds
            for key in np.intersect1d(keys[fold.train], keys[fold.test])
        ]
    if evidence:
        n_recordings = sum(row["level"] == "recording" for row in evidence)
        n_sessions = len(evidence) - n_recordings
        return failed(
            f"{n_sessions} sessions and {n_recordings} recordings are cut by the split", evidence
        )
    return passed(f"no session or recording is in train and test in {in_folds(split)}")


def _spread_over_folds(
    cohort: Cohort, predictions: pd.DataFrame | None, found: Callable[..., Outcome]
) -> Outcome:
    """Find subjects whose windows are spread over the folds of one k-fold."""
    if predictions is None or "fold" not in predictions:
        return not_applicable(
            "neither training rows nor folds are stated: add a column 'fold', or rows with "
            "role 'train'"
        )
    evidence: list[dict[str, Scalar]] = []
    n_subjects = 0
    subject_of = dict(zip(cohort.table["sample_id"].astype(str), cohort.subjects, strict=True))
    for case, table in by_case(predictions):
        rows = table if "role" not in table else table[table["role"] == "test"]
        if rows["sample_id"].duplicated().any():
            continue  # repeated cross-validation holds every subject out several times
        folds = rows["fold"].groupby(rows["sample_id"].astype(str).map(subject_of)).nunique()
        n_subjects = max(n_subjects, len(folds))
        evidence += [
            {"case": case, "subject": str(name), "n_folds": int(number)}
            for name, number in folds.items()
            if number > 1
        ]
    if not n_subjects:
        return not_applicable("every window is predicted several times: folds cannot be compared")
    if evidence:
        names = {str(row["subject"]) for row in evidence}
        return found(
            f"{len(names)} of {n_subjects} subjects are in train and test: their windows are "
            f"spread over several folds, among them {min(names)!r}",
            evidence,
        )
    return passed(f"all windows of each of {n_subjects} subjects are held out in one fold")
