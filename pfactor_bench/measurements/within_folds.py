"""r of cross-validated predictions, judged where a model of nothing has 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.measurements.family import Family, Number, Place
from pfactor_bench.measurements.held_out import sample_of
from pfactor_bench.statistics.correlations import within_fold_r

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pfactor_bench.measurements.family import Outcome
    from pfactor_bench.types import Measurement

__all__ = ["FAMILY", "measure"]

_R = Number(
    name="{cross_validated}/within_fold_r",
    words="Pearson's correlation of prediction and target, both centred within folds, averaged "
    "over seeds: a model of nothing has 0 on average",
    interval="subjects",
    places={
        "cross_validated": Place(
            words="a regime, where there are several folds",
            values=lambda plan: (
                dict.fromkeys(case.regime for case in plan.cases) if plan.n_folds > 1 else ()
            ),
        )
    },
)


def measure(run: Outcome) -> Iterator[Measurement]:
    """Yield each regime's r within folds; nothing where there is one fold."""
    if len(run.split.folds) < 2:  # noqa: PLR2004 - one fold is no cross-validation
        return
    y_true = run.arrays["y_true"]
    sample = sample_of(run.cohort, run.split, run.arrays["subjects"])
    for regime in run.regimes:
        found = (
            within_fold_r(
                y_true, run.arrays[f"{regime}/y_pred"], sample.folds, clusters=sample.clusters
            )
            if sample.once
            else "subjects are held out in several folds, and of their predictions the mean is kept"
        )
        value, interval = (None, None) if isinstance(found, str) else found
        yield _R.measured(
            value,
            ci=interval,
            n_subjects=len(y_true),
            missing_because=found if isinstance(found, str) else None,
            cross_validated=regime,
        )


FAMILY = Family(
    order=45,
    title="Correlation within folds",
    numbers=(_R,),
    measure=measure,
)
