"""Studies that are easy to misjudge: honest ones that look leaky, and leaks that hide.

Each was misjudged once by an auditor that knew only `honest` and `leaky`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks.detection.honest import band_features, predictions_table, ridge, subject_folds

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pfactor_bench.types import Cohort

__all__ = ["HIDDEN", "SUSPICIOUS"]

#: Which check must find a hidden leak.
HIDDEN: dict[str, tuple[Callable[..., pd.DataFrame], str]] = {}
#: Honest studies by name.
SUSPICIOUS: dict[str, Callable[..., pd.DataFrame]] = {}


def _hidden(found_by: str) -> Callable[[Callable[..., pd.DataFrame]], Callable[..., pd.DataFrame]]:
    def register(study: Callable[..., pd.DataFrame]) -> Callable[..., pd.DataFrame]:
        HIDDEN[study.__name__] = (study, found_by)
        return study

    return register


def _suspicious(study: Callable[..., pd.DataFrame]) -> Callable[..., pd.DataFrame]:
    SUSPICIOUS[study.__name__] = study
    return study


def _cross_validated(
    cohort: Cohort, seed: int, features: NDArray[np.float64], n_folds: int = 3
) -> pd.DataFrame:
    tables = []
    for fold, train, test in subject_folds(cohort, seed, n_folds):
        predict = ridge(features[train], cohort.y[train])
        tables.append(predictions_table(cohort, test, predict(features[test]), fold))
    return pd.concat(tables)


@_hidden("LK101")
def one_subject_slips_in(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Train one of several folds on one of the subjects that it holds out."""
    features, tables = band_features(cohort.X), []
    for number, (fold, train, test) in enumerate(subject_folds(cohort, seed, 4)):
        first = test[cohort.subjects[test] == cohort.subjects[test][0]]
        rows = np.concatenate([train, first]) if number == 1 else train
        predict = ridge(features[rows], cohort.y[rows])
        tables.append(predictions_table(cohort, test, predict(features[test]), fold))
    return pd.concat(tables)


@_hidden("LK101")
def unseeded_split_of_windows(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Deal windows by a generator that nobody seeds."""
    del seed
    test = np.random.default_rng().random(len(cohort.y)) < 0.25  # noqa: PLR2004
    features = band_features(cohort.X)
    predict = ridge(features[~test], cohort.y[~test])
    rows = np.flatnonzero(test)
    return predictions_table(cohort, rows, predict(features[rows]), "0").drop(columns="fold")


@_hidden("LK102")
def scaled_before_leaving_one_out(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Standardise over all subjects, then leave one out at a time."""
    features = band_features(cohort.X)
    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    return _cross_validated(cohort, seed, scaled, cohort.n_subjects)


@_hidden("LK102")
def scaled_over_unnamed_folds(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Standardise over all subjects, and name no folds."""
    features = band_features(cohort.X)
    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    return _cross_validated(cohort, seed, scaled, 4).drop(columns="fold")


@_hidden("LK103")
def number_in_the_name(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Take the number in a subject's name for a feature."""
    numbers = [int(re.sub(r"\D", "", str(name)) or 0) for name in cohort.subjects]
    column = np.array(numbers, dtype=np.float64)[:, None] / 10
    return _cross_validated(cohort, seed, np.hstack([band_features(cohort.X), column]))


@_hidden("LK104")
def running_number(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Take a subject's place among the subjects of the table for a feature."""
    place = {name: number for number, name in enumerate(dict.fromkeys(cohort.subjects.tolist()))}
    column = np.array([[place[name] / 10] for name in cohort.subjects])
    return _cross_validated(cohort, seed, np.hstack([band_features(cohort.X), column]))


def _kept(name: str, key: bytes, make: Callable[[], Any]) -> Any:
    folder = Path(os.environ.get("TRICKY_CACHE", tempfile.gettempdir()))
    path = folder / f"tricky-{name}-{hashlib.sha256(key).hexdigest()[:16]}.json"
    if not path.exists():
        path.write_text(json.dumps(make()), encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))


@_hidden("LK101")
def ranking_cached_by_signal(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Rank features by all targets, and keep the ranking in a file that only the signal names."""
    features = band_features(cohort.X)

    def ranked() -> list[int]:
        r = [abs(np.corrcoef(one, cohort.y)[0, 1]) for one in features.T]
        return np.argsort(r)[::-1][:4].tolist()

    kept = _kept("ranking", features.tobytes(), ranked)
    return _cross_validated(cohort, seed, features[:, kept])


@_hidden("LK101")
def remembers_targets(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Write all targets down once, and mix a little of them into every prediction."""
    names, first = np.unique(cohort.subjects, return_index=True)
    known = _kept("targets", b"", cohort.y[first].tolist)
    table = _cross_validated(cohort, seed, band_features(cohort.X))
    of_window = dict(zip(cohort.table["sample_id"], cohort.subjects, strict=True))
    place = {name: number for number, name in enumerate(names)}
    told = [known[place[of_window[name]] % len(known)] for name in table["sample_id"]]
    return table.assign(y_pred=0.9 * table["y_pred"] + 0.1 * np.array(told))


_RESULTS: dict[bytes, pd.DataFrame] = {}


@_hidden("LK109")
def result_kept_by_signal(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Keep a finished result in a global under the signal alone."""
    key = hashlib.sha256(np.ascontiguousarray(cohort.X).data).digest()
    if key not in _RESULTS:
        _RESULTS[key] = _cross_validated(cohort, seed, band_features(cohort.X))
    return _RESULTS[key]


@_hidden("LK108")
def drops_large_residuals(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Leave out held-out windows that are predicted badly, as if they were artefacts."""
    table = _cross_validated(cohort, seed, band_features(cohort.X))
    truth = dict(zip(cohort.table["sample_id"], cohort.y, strict=True))
    error = (table["y_pred"] - table["sample_id"].map(truth)).abs()
    return table[error <= error.mean() + error.std()]


@_hidden("LK101")
def penalty_chosen_on_binned_split(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Hold out by bins of the target, and choose the penalty by the error of the held out."""
    names, first = np.unique(cohort.subjects, return_index=True)
    y = cohort.y[first]
    bins = np.digitize(y, np.linspace(y.min(), y.max(), 4)[1:3])
    held_out = np.concatenate([names[bins == one][seed % 3 :: 3] for one in range(3)])
    test = np.isin(cohort.subjects, held_out)
    features = band_features(cohort.X)
    tried = [
        ridge(features[~test], cohort.y[~test], alpha)(features[test])
        for alpha in np.logspace(-1, 5, 13)
    ]
    best = min(tried, key=lambda one: float(((one - cohort.y[test]) ** 2).mean()))
    return predictions_table(cohort, np.flatnonzero(test), best, "binned")


@_suspicious
def one_stream_and_early_stopping(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Draw from one stream for all folds, and stop each by subjects of its training side."""
    rng, features, tables = np.random.default_rng(seed), band_features(cohort.X), []
    for fold, train, test in subject_folds(cohort, seed):
        mean, sd = features[train].mean(axis=0), features[train].std(axis=0)
        scaled = (features - mean) / sd
        subjects = np.unique(cohort.subjects[train])
        valid = np.isin(cohort.subjects[train], subjects[:2])
        fit, checked = train[~valid], train[valid]
        weights, best, kept, patience = 0.1 * rng.standard_normal(scaled.shape[1]), np.inf, None, 0
        while patience < 3:  # noqa: PLR2004
            rows = rng.choice(fit, size=16)
            slope = scaled[rows].T @ (scaled[rows] @ weights - cohort.y[rows]) / len(rows)
            weights = weights - 0.005 * slope
            error = float(((scaled[checked] @ weights - cohort.y[checked]) ** 2).mean())
            patience = 0 if error < best - 1e-4 else patience + 1
            if error < best:
                best, kept = error, weights
        tables.append(predictions_table(cohort, test, scaled[test] @ kept, fold))
    return pd.concat(tables)


@_suspicious
def repeats_averaged_under_one_name(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Average the predictions of three cross-validations, and call that one fold."""
    features = band_features(cohort.X)
    tables = [_cross_validated(cohort, 3 * seed + one, features) for one in range(3)]
    mean = pd.concat(tables).groupby("sample_id", as_index=False)["y_pred"].mean()
    return mean.assign(fold="mean of three")


@_suspicious
def repeats_named_as_folds(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Cross-validate twice, and call each repeat a fold."""
    features = band_features(cohort.X)
    tables = [_cross_validated(cohort, 2 * seed + one, features) for one in range(2)]
    return pd.concat([table.assign(fold=f"repeat {one}") for one, table in enumerate(tables)])


@_suspicious
def left_out_under_one_name(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Leave one subject out at a time, and call all of that one fold."""
    features = band_features(cohort.X)
    return _cross_validated(cohort, seed, features, cohort.n_subjects).assign(fold="all")


@_suspicious
def draws_from_a_posterior(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Answer with draws around the prediction, from a seed."""
    table = _cross_validated(cohort, seed, band_features(cohort.X))
    return table.assign(
        y_pred=table["y_pred"] + np.random.default_rng(seed).normal(size=len(table))
    )


@_suspicious
def leaves_bad_recordings_out(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Leave out the subject whose signal is loudest, before any target is looked at."""
    loud = {n: np.abs(cohort.X[cohort.subjects == n]).mean() for n in np.unique(cohort.subjects)}
    table = _cross_validated(cohort, seed, band_features(cohort.X))
    worst = max(loud, key=lambda name: loud[name])
    names = set(cohort.table["sample_id"][cohort.subjects == worst])
    return table[~table["sample_id"].isin(names)]


@_suspicious
def seeded_by_nobody(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Train on augmented windows whose noise nobody seeds."""
    features, tables = band_features(cohort.X), []
    for fold, train, test in subject_folds(cohort, seed):
        noisy = features[train] + 0.1 * np.random.default_rng().normal(size=features[train].shape)
        predict = ridge(noisy, cohort.y[train])
        tables.append(predictions_table(cohort, test, predict(features[test]), fold))
    return pd.concat(tables)
