"""Which numbers a suite will measure, known before anything is trained.

The names come from measuring itself: stand-ins for the cases' results, on a few made-up people, are
measured as a run's results are, so that there is no second list that could be out of date. A
stand-in lacks nothing: a number that real data may be too few or too poor for has a name as well.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.config import misplaced_claim
from pfactor_bench.errors import did_you_mean
from pfactor_bench.execution.preparation import encoders_of
from pfactor_bench.measurements.suite import measure_suite
from pfactor_bench.models.baselines import train_median
from pfactor_bench.models.regimes import REGIMES
from pfactor_bench.splits.splitters import grouped_k_fold, last_subjects
from pfactor_bench.training.pretraining.checkpoints import Encoder
from pfactor_bench.training.pretraining.sources import StoredEncoder
from pfactor_bench.training.saliency import CIRCULAR_CHOICES
from pfactor_bench.types import CaseResult, Curves, PersonSaliency, Saliency

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pfactor_bench.execution.preparation import Prepared
    from pfactor_bench.types import Case, Cohort, Split

__all__ = ["foreseen_measurements", "refuse_unknown_measurements"]


def refuse_unknown_measurements(prepared: Prepared) -> None:
    """Refuse a claim about a number that the suite will not measure.

    Raises
    ------
    ConfigError
        With file, line, and the name that may be meant.
    """
    if not prepared.suite.claims:
        return
    known = foreseen_measurements(prepared)
    for claim in prepared.suite.claims:
        name = claim.measurement
        if name not in known:
            # A name without a seed is no slip for one with it, and those are many.
            alike = [one for one in known if ("/seed-" in one) == ("/seed-" in name)]
            raise misplaced_claim(
                prepared.suite.path,
                claim.id,
                f"claim {claim.id!r} speaks of measurement {name!r}, which this suite does not "
                f"make{did_you_mean(name, alike)}",
            )


def foreseen_measurements(prepared: Prepared) -> tuple[str, ...]:
    """Return the names of all numbers that a run of the suite can measure.

    They depend on its cases, baselines and saliency maps, on whether there are several folds, on
    whether the cohort has a planted signal, and on what its source teaches.
    """
    suite, real = prepared.suite, prepared.cohort
    cohort = synthetic(n_subjects=12, n_windows=2)
    if real.planted is None:
        cohort = replace(cohort, planted=None)
    splitter = last_subjects() if len(prepared.split.folds) == 1 else grouped_k_fold(n_folds=2)
    split = splitter(cohort.subjects)
    measured = measure_suite(
        suite,
        cohort,
        split,
        {case: _result(cohort, split, suite.saliency) for case in suite.cases},
        {case: _encoders(prepared, case) for case in suite.cases},
        baselines=dict.fromkeys(suite.baselines, train_median),
    )
    return tuple(one.name for one in measured)


def _result(cohort: Cohort, split: Split, saliency: tuple[str, ...]) -> CaseResult:
    """Return what a case could leave behind: a different prediction for everybody."""
    rows = np.concatenate([fold.test for fold in split.folds])
    n_people, (_, n_chans, n_times) = cohort.n_subjects, cohort.X.shape
    epochs = np.ones(1)
    people = PersonSaliency(
        people=np.unique(cohort.subjects),
        channel_share=np.full((n_people, n_chans), 1 / n_chans),
        spectral_share=np.full((n_people, n_times // 2), 2 / n_times),
    )
    return CaseResult(
        predictions=pd.DataFrame({"role": "test", "y_pred": rows.astype(np.float64)}),
        curves=tuple(Curves(train_mse=epochs, val_mse=epochs, val_r=epochs) for _ in split.folds),
        saliency=tuple(
            Saliency(
                chosen_by=way,
                circular=way in CIRCULAR_CHOICES,
                map=np.ones((n_chans, n_times)),
                by_person=people,
            )
            for way in saliency
        ),
        n_parameters=0,
        n_trainable=0,
        n_frozen=0,
        budgets=(),
        timings=(),
    )


def _encoders(prepared: Prepared, case: Case) -> Mapping[str, Encoder]:
    """Return what a case will start from; where it is still to be made, what it will be known by.

    Only people whom an encoder has not seen are measured, and whether there are any is known when
    it is made.
    """
    source = prepared.suite.source
    if source is None or not REGIMES[case.start].pretrained:
        return {}
    if isinstance(source, StoredEncoder):
        return encoders_of(prepared, case)
    is_contrast = prepared.source is not None and prepared.source.label == "task"
    facts = {"held_out_auc": {"somebody": 1.0}} if is_contrast else {}
    return {"fold-0": Encoder(tensors={}, manifest=facts, path=Path())}
