"""Checks of who is predicted, from what, and whether the split can be made again."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, not_applicable, passed, undecided, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.checks.static.rows import in_folds

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.types import Cohort, Scalar, Split

__all__: list[str] = []

#: Makes the split in an interpreter of its own and prints who is held out.
_SPLIT_AGAIN = """
import json, sys
import numpy as np
from pfactor_bench.splits.splitters import SPLITTERS
given = json.load(sys.stdin)
rule = SPLITTERS[given["kind"]](**given["args"])
folds = rule(np.array(given["subjects"])).folds if callable(rule) else None
print(json.dumps(folds and [[fold.train.tolist(), fold.test.tolist()] for fold in folds]))
"""


@check("LK027", kinds=(27,), columns=["parent"])
def augmented_across(cohort: Cohort, split: Split) -> Outcome:
    """Find augmented windows whose originals are on the other side of the split.

    How it is detected
    ------------------
    A column ``parent`` names the windows that a window was made from, separated by semicolons. A
    window and its parents must be on one side.

    Why it matters
    --------------
    A noisy, shifted or mixed copy of a held-out window among the training windows gives it away.

    How to fix it
    -------------
    Split first, and augment training windows from training windows only.

    What it cannot see
    ------------------
    Copies without a parent; LK008 compares signals, LK101 sees mixed targets.

    Source
    ------
    Zhang et al. 2018, arXiv:1710.09412, on mixup.
    """
    names = cohort.table["sample_id"].astype(str).tolist()
    row = {name: position for position, name in enumerate(names)}
    parents = [
        [row[one] for one in str(given).split(";") if one in row]
        for given in cohort.table["parent"]
    ]
    evidence: list[dict[str, Scalar]] = []
    for fold in split.folds:
        train, test = set(fold.train.tolist()), set(fold.test.tolist())
        for here, there in ((train, test), (test, train)):
            evidence += [
                {"fold": fold.name, "sample_id": names[position], "parent": names[parent]}
                for position in sorted(here)
                for parent in parents[position]
                if parent in there
            ]
    if evidence:
        return failed(f"{len(evidence)} windows were made from windows across the split", evidence)
    return passed(f"augmented windows stay with their originals in {in_folds(split)}")


@check("LK030", kinds=(30,))
def all_subjects_is_predicted(
    cohort: Cohort,
    predictions: pd.DataFrame,
    split: Split | None = None,
    study: object | None = None,
) -> Outcome:
    """Find held-out subjects without a prediction, and subjects who are on no side at all.

    How it is detected
    ------------------
    The subjects held out by the split, and every subject in the cohort, are compared with those who
    are predicted or trained on. Subjects who are left out altogether are compared with the others
    by their targets. Of a table that states no split, only the windows of predicted subjects are
    looked at. Where the study can be run again, this is a warning and LK108 decides.

    Why it matters
    --------------
    Leaving out whoever is predicted badly, or hard to record, makes a result about easier subjects.

    How to fix it
    -------------
    Predict every subject held out; where a recording is unusable, say so before targets are looked
    at.

    What it cannot see
    ------------------
    Subjects who never entered the cohort; LK013 looks at those.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L3.3.
    """
    # A re-executable study shows in LK108 whether its targets choose: leaving a subject out
    # for the recording's sake is no leak.
    left_out = failed if study is None else warned
    if "role" in predictions.columns:
        predictions = predictions[predictions["role"] == "test"]
    rows = cohort.table["sample_id"].isin(predictions["sample_id"]).to_numpy()
    subjects = cohort.subjects
    predicted = set(subjects[rows].tolist())
    folds = split.folds if split is not None else ()
    held_out = {name for fold in folds for name in subjects[fold.test].tolist()}
    trained = {name for fold in folds for name in subjects[fold.train].tolist()}
    dropped: list[dict[str, Scalar]] = [{"subject": one} for one in sorted(held_out - predicted)]
    if dropped:
        return left_out(f"{len(dropped)} held-out subjects have no prediction", dropped)
    nowhere = sorted(set(subjects.tolist()) - predicted - trained)
    if nowhere and split is not None:
        inside, outside = (
            cohort.y[~np.isin(subjects, nowhere)],
            cohort.y[np.isin(subjects, nowhere)],
        )
        return left_out(
            f"{len(nowhere)} subjects are neither trained on nor predicted; their mean target is "
            f"{outside.mean():.2f}, the others' {inside.mean():.2f}",
            [{"subject": name} for name in nowhere],
        )
    partly = rows.sum() < np.isin(subjects, list(predicted)).sum()
    if partly:
        return warned("some windows of held-out subjects have no prediction")
    return passed(f"all {len(predicted)} held-out subjects are predicted")


@check("LK032", kinds=(32,))
def split_can_be_made_again(
    cohort: Cohort, split: Split, split_recipe: Mapping[str, Any]
) -> Outcome:
    """Make the split again in another process: it must be the same.

    How it is detected
    ------------------
    The named rule, ``{"kind": name, "args": {...}}``, runs in another interpreter with another hash
    seed, on the same subjects; rows of all folds are compared.

    Why it matters
    --------------
    A split that differs from run to run cannot be checked, reproduced or kept apart from training.

    How to fix it
    -------------
    Seed every permutation, and sort sets before using their order.

    What it cannot see
    ------------------
    Differences between machines and versions of libraries.

    Source
    ------
    Pineau et al. 2021, arXiv:2003.12206.
    """
    given = {**split_recipe, "subjects": cohort.subjects.tolist()}
    done = subprocess.run(  # noqa: S603 - our own program; subjects' names are only data
        [sys.executable, "-c", _SPLIT_AGAIN],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        env={"PYTHONHASHSEED": "271828", "PATH": ""},
        check=False,
    )
    if done.returncode:
        return undecided(f"the split could not be made again: {done.stderr.strip()[-300:]}")
    again = json.loads(done.stdout)
    if again is None:
        return not_applicable("the split follows a column of the table: nothing is drawn")
    here = [[fold.train.tolist(), fold.test.tolist()] for fold in split.folds]
    if again != here:
        different = [
            fold.name
            for fold, now in zip(split.folds, again, strict=False)
            if [fold.train.tolist(), fold.test.tolist()] != now
        ]
        return failed(
            f"another process makes another split of the same subjects ({len(here)} folds here, "
            f"{len(again)} there)",
            [{"fold": name} for name in different],
        )
    return passed("another process makes the same split")
