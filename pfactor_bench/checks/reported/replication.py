"""Static checks of how many subjects a claim rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, passed, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.checks.reported import recompute as _recompute

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.types import Claim, Cohort, Measurement, Scalar, Split

__all__: list[str] = []

#: Below so many held-out subjects an interval is too unreliable to carry a claim.
_FEW_SUBJECTS = 8


@check("LK026", kinds=(26,), severity="weakness")
def pseudo_replication(
    split: Split, cohort: Cohort, measurements: Sequence[Measurement], claims: Sequence[Claim] = ()
) -> Outcome:
    """Find claims and intervals that count windows as if they were subjects.

    How it is detected
    ------------------
    The held-out subjects of the split are counted. No measurement may rest on more subjects than
    there are; none may carry an interval without saying on how many subjects it rests; and no claim
    of the form "above" or "below" may speak of a number over windows (`val_…`, `window_…`).

    Why it matters
    --------------
    Twenty-four windows of one subject are one answer given twenty-four times. Counting them as
    independent makes intervals about five times too narrow, and noise significant.

    How to fix it
    -------------
    Average each subject's predictions first, compute the metric over subjects, and resample
    subjects for the interval. Show window-level numbers beside it, never instead.

    What it cannot see
    ------------------
    Subjects who depend on each other, such as siblings (LK009).

    Source
    ------
    Hurlbert 1984, doi:10.2307/1942661; Saeb et al. 2017, doi:10.1093/gigascience/gix019.
    """
    held_out = np.concatenate([fold.test for fold in split.folds])
    n_subjects = len(np.unique(cohort.subjects[held_out]))
    evidence: list[dict[str, Scalar]] = []
    for measured in measurements:
        if measured.n_subjects is not None and measured.n_subjects > n_subjects:
            said = f"rests on {measured.n_subjects} subjects, {n_subjects} are held out"
            evidence.append({"measurement": measured.name, "problem": said})
        elif measured.ci is not None and measured.n_subjects is None:
            said = "carries an interval without saying on how many subjects"
            evidence.append({"measurement": measured.name, "problem": said})
    for claim in claims:
        infers = claim.requirement.equals is None
        if infers and _recompute.is_window_level(claim.measurement):
            said = f"claim {claim.id!r} infers from windows"
            evidence.append({"measurement": claim.measurement, "problem": said})
    if evidence:
        return failed(
            f"{len(evidence)} statements count windows as subjects; the effective n is "
            f"{n_subjects}, not {len(held_out)}",
            evidence,
        )
    return passed(f"everything rests on {n_subjects} held-out subjects, not on their windows")


@check("LK035", kinds=(26,), severity="weakness")
def few_subjects(predictions: pd.DataFrame, cohort: Cohort) -> Outcome:
    """Count the held-out subjects, whom every claim rests on.

    How it is detected
    ------------------
    The distinct subjects among all predicted windows are counted; fewer than 8 are a warning.

    Why it matters
    --------------
    With 4 subjects the correlation of pure noise is uniform between -1 and 1: one in four exceeds
    0.5. At the size of effects seen in EEG, r = 0.14, hundreds of subjects are needed.

    How to fix it
    -------------
    Hold out more subjects, or cross-validate so that every subject is held out once.

    What it cannot see
    ------------------
    How variable the subjects are.

    Source
    ------
    Button et al. 2013, doi:10.1038/nrn3475; Marek et al. 2022, doi:10.1038/s41586-022-04492-9.
    """
    if "role" in predictions.columns:
        predictions = predictions[predictions["role"] == "test"]
    predicted = cohort.table["sample_id"].isin(predictions["sample_id"]).to_numpy()
    held_out = np.unique(cohort.subjects[predicted])
    if len(held_out) < _FEW_SUBJECTS:
        return warned(
            f"only {len(held_out)} subjects are held out: too few to tell any effect from chance",
            [{"subject": str(subject)} for subject in held_out],
        )
    return passed(f"{len(held_out)} subjects are held out")
