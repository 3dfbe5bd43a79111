"""Whether predictions follow age, sex, release or recording length beyond the targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.measurements.family import Family, Number, Place
from pfactor_bench.measurements.partial_confound import (
    ConfoundTest,
    no_confound_test,
    partial_confound_test,
)
from pfactor_bench.models.features import recording_seconds
from pfactor_bench.seeds import seed_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from pfactor_bench.measurements.family import Outcome
    from pfactor_bench.types import Cohort, Measurement

__all__ = ["CONFOUNDS", "FAMILY", "confound_tests", "measure"]

#: What is tested where a cohort has it.
CONFOUNDS = ("age", "sex", "release", "recording_seconds")

_P_VALUE = Number(
    name="{regime}/confound/{confound}",
    case="{regime}",
    words="p of the confound test: small where predictions tell something about the "
    "confound that the targets do not",
    places={
        "confound": Place(
            words=f"a confound: {', '.join(f'`{one}`' for one in CONFOUNDS)}",
            values=lambda _plan: CONFOUNDS,
        )
    },
)


def confound_tests(
    cohort: Cohort,
    subjects: NDArray[np.str_],
    y_true: NDArray[np.float64],
    y_pred: NDArray[np.float64],
    *,
    seed: int,
    n_draws: int = 1_000,
) -> tuple[ConfoundTest, ...]:
    """Test predictions against each of `CONFOUNDS`.

    Parameters
    ----------
    cohort
        Whose table may have columns ``age``, ``sex`` and ``release``.
    subjects, y_true, y_pred
        One entry per held-out subject, shape ``(n,)``.
    seed
        Of the random signs.
    n_draws
        Draws of them.

    Returns
    -------
    tuple of ConfoundTest
        One per confound, those that the cohort lacks with the reason.
    """
    by_subject = cohort.table.drop_duplicates("subject").set_index("subject")
    by_subject = by_subject.assign(recording_seconds=recording_seconds(cohort.table, cohort.sfreq))
    return tuple(
        partial_confound_test(
            y_true,
            y_pred,
            by_subject[name].reindex(subjects).to_numpy(),
            name=name,
            seed=seed_for("confound", name, seed),
            n_draws=n_draws,
        )
        if name in by_subject.columns
        else no_confound_test(name, 0, f"cohort {cohort.name!r} has no column {name!r}")
        for name in CONFOUNDS
    )


def measure(run: Outcome) -> Iterator[Measurement]:
    """Yield a p-value for each confound; missing where a cohort has no such column."""
    for regime in run.regimes:
        y_pred = run.arrays[f"{regime}/y_pred"].mean(axis=0)
        by_subject = run.arrays["subjects"], run.arrays["y_true"]
        for test in confound_tests(
            run.cohort, *by_subject, y_pred, seed=seed_for("confound", regime)
        ):
            yield _P_VALUE.measured(
                test.p_value,
                n_subjects=test.n_subjects,
                missing_because=test.missing_because,
                regime=regime,
                confound=test.confound,
            )


FAMILY = Family(
    order=40,
    title="Confounds",
    numbers=(_P_VALUE,),
    measure=measure,
)
