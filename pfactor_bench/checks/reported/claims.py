"""Checks of numbers that are claimed beside a table of predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.checks.engine.outcomes import failed, not_applicable, passed, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.checks.reported import claim_sources as _claimed

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.checks.reported.claim_sources import ClaimSource
    from pfactor_bench.types import Cohort, Scalar, Split

__all__: list[str] = []

_SUBJECTS = frozenset({"n", "n_subjects", "n_participants"})
_WINDOWS = frozenset({"n_windows", "n_samples", "n_trials"})
_FOLLOWS = "the value that follows from the predictions"
_OVER_WINDOWS = "the value over windows, not over subjects"


@check("LK036", kinds=(19, 26, 31))
def claimed_numbers(
    predictions: pd.DataFrame,
    cohort: Cohort,
    claimed: Mapping[str, Scalar],
    split: Split | None = None,
) -> Outcome:
    """Compute claimed numbers again: they must follow from the predictions.

    How it is detected
    ------------------
    Every claimed metric is computed from the predictions and the cohort's own targets, over
    subjects, with folds pooled or averaged, and averaged over all seeds of the table. A claim that
    differs by more than its rounding fails, with both values. If it is instead the value of one
    seed alone, of windows instead of subjects, or against a baseline that knows the held-out
    targets, the finding says so. A claimed n is compared with the number of subjects.

    Why it matters
    --------------
    A number that cannot be had from its own predictions belongs to another table, another seed or
    another way of counting; none of these is what a reader takes it for.

    How to fix it
    -------------
    Compute the number from the table that is published with it: average each subject's windows,
    then target, then average over all seeds.

    What it cannot see
    ------------------
    Metrics it has no formula for, which it names, and predictions that are themselves not real.

    Source
    ------
    Nuijten et al. 2016, doi:10.3758/s13428-015-0664-2, whose statcheck is the same idea.
    """
    n_subjects, n_windows = _claimed.subjects_and_windows(predictions, cohort)
    rows: list[dict[str, Scalar]] = []
    unknown = []
    for name, text in claimed.items():
        value, rounding = _claimed.read_number(name, text)
        metric = _claimed.standard_name(name.rpartition("/")[2])
        if metric in _SUBJECTS | _WINDOWS:
            rows.append(_counted(name, value, n_subjects, n_windows, subjects=metric in _SUBJECTS))
        elif found := _claimed.claim_sources(name, predictions, cohort, split):
            rows.append(_traced(name, value, rounding, found))
        else:
            unknown.append(name)
    left = f"; not computed again: {', '.join(unknown)}" if unknown else ""
    if not rows:
        return not_applicable(f"no claimed number can be computed from the table{left}")
    wrong = [row for row in rows if row["it_is"] != _FOLLOWS]
    if not wrong:
        return passed(f"{len(rows)} claimed numbers follow from the predictions{left}")
    first = wrong[0]
    said = (
        f"{len(wrong)} of {len(rows)} claimed numbers are not what they are called: "
        f"{first['claim']} is claimed as {first['claimed']} and comes out as "
        f"{first['recomputed']}: it is {first['it_is']}{left}"
    )
    only_windows = all(row["it_is"] == _OVER_WINDOWS for row in wrong)
    return warned(said, wrong) if only_windows else failed(said, wrong)


def _traced(
    name: str, value: float, rounding: float, claim_sources: list[ClaimSource]
) -> dict[str, Scalar]:
    """Return a claimed metric beside the recomputed one, and where it comes from."""
    fitting = (
        source
        for source in claim_sources
        if any(abs(value - other) <= rounding for other in source.numbers)
    )
    source = next(fitting, None)
    return {
        "claim": name,
        "claimed": value,
        "recomputed": float(f"{claim_sources[0].numbers[0]:.6g}"),
        "it_is": f"the value {source.words}" if source else "no value of these predictions",
    }


def _counted(
    name: str, value: float, n_subjects: int, n_windows: int, *, subjects: bool
) -> dict[str, Scalar]:
    """Return a claimed count beside the right one."""
    right = n_subjects if subjects else n_windows
    what = _FOLLOWS if value == right else "no count of these predictions"
    if subjects and value == n_windows != n_subjects:
        what = f"the number of windows, of {n_subjects} subjects"
    return {"claim": name, "claimed": value, "recomputed": right, "it_is": what}
