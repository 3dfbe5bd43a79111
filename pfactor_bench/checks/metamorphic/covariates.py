"""What declared covariates achieve without any signal, on a study's own folds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.statistics.metrics import subject_means

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from pfactor_bench.checks.metamorphic.folds import ProbedFold
    from pfactor_bench.types import Cohort

__all__ = ["covariates_alone"]

_PENALTIES = np.logspace(-2, 3, 11)


def covariates_alone(
    cohort: Cohort, folds: Sequence[ProbedFold], columns: Sequence[str]
) -> tuple[float, float] | None:
    """Return the skill of a ridge on some columns, and of the study, over subjects.

    Skill is ``1 - MSE / MSE of the training mean``, over all folds that have subjects to train on.

    Parameters
    ----------
    cohort, folds
        What was audited, and who is held out together.
    columns
        Of the cohort's table; the first row of each subject counts.

    Returns
    -------
    tuple of float, or None
        None where no fold can be trained, or no column has a value.
    """
    table = cohort.table.drop_duplicates("subject").set_index("subject").sort_index()
    y = dict(zip(*subject_means(cohort.subjects, cohort.y), strict=True))
    rows = [_of_fold(cohort, table, y, fold, columns) for fold in folds if len(fold.train) > 1]
    known = [one for one in rows if one is not None]
    if not known:
        return None
    truth, alone, study, mean = np.concatenate(known, axis=1)
    base = float(((truth - mean) ** 2).mean())
    if not base:
        return None
    return (
        1 - float(((truth - alone) ** 2).mean()) / base,
        1 - float(((truth - study) ** 2).mean()) / base,
    )


def _of_fold(
    cohort: Cohort,
    table: pd.DataFrame,
    y: dict[str, float],
    fold: ProbedFold,
    columns: Sequence[str],
) -> NDArray[np.float64] | None:
    """Return targets, ridge, study and training mean of a fold's subjects, a column each."""
    from pandas.api.types import is_numeric_dtype
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from pfactor_bench.models.baselines import BaselineUnavailableError, covariate_design

    mine = np.isin(cohort.subjects[fold.answered.positions], fold.held_out)
    names, study = subject_means(
        cohort.subjects[fold.answered.positions][mine], fold.answered.y_pred[mine]
    )
    train, test = table.loc[list(fold.train)], table.loc[names.tolist()]
    words = tuple(name for name in columns if not is_numeric_dtype(table[name]))
    numeric = tuple(name for name in columns if name not in words)
    try:
        design, new = covariate_design(train, test, numeric=numeric, words=words)
    except BaselineUnavailableError:
        return None
    targets = np.array([y[name] for name in fold.train])
    model = make_pipeline(StandardScaler(), RidgeCV(alphas=_PENALTIES)).fit(design, targets)
    truth = np.array([y[name] for name in names])
    return np.stack([truth, model.predict(new), study, np.full(len(truth), targets.mean())])
