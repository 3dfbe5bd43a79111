"""Checks of what was fitted on what: inner splits, fitted transformations, weights at the start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, passed, undecided, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.studies.sandbox import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.types import Cohort, Scalar, Split

__all__: list[str] = []


@check("LK010", kinds=(10, 11, 12, 14))
def fitted_on_held_out(
    cohort: Cohort, split: Split, fit_log: Sequence[Mapping[str, Any]]
) -> Outcome:
    """Find transformations that were fitted on held-out subjects.

    How it is detected
    ------------------
    A log of fits, each ``{"what": name, "fold": name, "rows": positions}``, is compared with the
    subjects held out in the same fold.

    Why it matters
    --------------
    A scaler, decomposition, selection or alignment that has seen the held-out subjects shapes the
    inputs by them, and a target scaler by their targets.

    How to fix it
    -------------
    Fit inside the fold on training rows only; a scikit-learn Pipeline does so by itself.

    What it cannot see
    ------------------
    Fits that were not logged; LK102 needs no log.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L1.2 and L1.3.
    """
    subjects = cohort.subjects
    held_out = {fold.name: np.unique(subjects[fold.test]) for fold in split.folds}
    evidence: list[dict[str, Scalar]] = []
    for entry in fit_log:
        rows = np.asarray(entry["rows"], dtype=np.int64)
        shared = np.intersect1d(subjects[rows], held_out[entry["fold"]])
        if len(shared):
            row = {"what": str(entry["what"]), "fold": str(entry["fold"])}
            evidence.append({**row, "n_subjects": len(shared), "first": str(shared[0])})
    if evidence:
        return failed(
            f"{len(evidence)} of {len(fit_log)} fits saw held-out subjects, among them "
            f"{evidence[0]['what']}",
            evidence,
        )
    return passed(f"{len(fit_log)} fits saw training subjects only")


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


@check("LK023", kinds=(23,))
def fresh_start(training_states: Sequence[Mapping[str, Any]]) -> Outcome:
    """Find trainings that begin with weights that another training ended with.

    How it is detected
    ------------------
    Each training states hashes of its weights: ``{"name", "seed", "initial", "final"}``. An initial
    hash must be no other training's final one, and trainings from different seeds must differ.

    Why it matters
    --------------
    The next fold's held-out subjects were the last fold's training subjects: weights that are
    carried over remember them.

    How to fix it
    -------------
    Build a new model in every fold, seed and regime, and load pretrained weights from a file whose
    training subjects are known.

    What it cannot see
    ------------------
    Weights that were changed a little before they were used again; LK101 sees their effect.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L1.
    """
    ended = {entry["final"]: entry["name"] for entry in training_states}
    carried: list[dict[str, Scalar]] = [
        {"training": entry["name"], "starts_from": ended[entry["initial"]]}
        for entry in training_states
        if entry["initial"] in ended and entry["initial"] != entry["final"]
    ]
    if carried:
        return failed(f"{len(carried)} trainings start where another one ended", carried)
    seeds: dict[str, set[object]] = {}
    for entry in training_states:
        seeds.setdefault(entry["initial"], set()).add(entry["seed"])
    alike: list[dict[str, Scalar]] = [
        {"initial": initial, "seeds": ", ".join(sorted(map(str, used)))}
        for initial, used in seeds.items()
        if len(used) > 1
    ]
    if alike:
        return warned("different seeds start from the same weights", alike)
    return passed(f"{len(training_states)} trainings start afresh")
