"""Parts of honest studies: inputs of a window, and what is made of a table."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks.detection.honest import band_features

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmarks.detection.careful import Array
    from pfactor_bench.types import Cohort


def covariance(cohort: Cohort) -> Array:
    """Entries of each window's covariance, logarithms on its diagonal."""
    X = cohort.X - cohort.X.mean(axis=-1, keepdims=True)
    found = np.einsum("nct,ndt->ncd", X, X).astype(np.float64) / X.shape[-1]
    rows, columns = np.triu_indices(found.shape[1], 1)
    power = np.log(np.diagonal(found, axis1=1, axis2=2))
    return np.hstack([power, found[:, rows, columns]])


def tangent(cohort: Cohort) -> Array:
    """Matrix logarithm of each window's covariance."""
    X = cohort.X - cohort.X.mean(axis=-1, keepdims=True)
    found = np.einsum("nct,ndt->ncd", X, X).astype(np.float64) / X.shape[-1]
    values, vectors = np.linalg.eigh(found)
    logs = np.einsum("nij,nj,nkj->nik", vectors, np.log(values), vectors)
    return logs[:, *np.triu_indices(logs.shape[1])]


def correlations(cohort: Cohort) -> Array:
    """Fisher's z of the correlation of each two channels."""
    found = np.array([np.corrcoef(one) for one in cohort.X])
    return np.arctanh(found[:, *np.triu_indices(found.shape[1], 1)])


def hjorth(cohort: Cohort) -> Array:
    """Activity, mobility and complexity of each channel."""
    deviations = [np.diff(cohort.X, order, axis=-1).std(axis=-1) for order in range(3)]
    activity, first, second = (one.astype(np.float64) for one in deviations)
    return np.hstack([np.log(activity), first / activity, second / first])


def relative_power(cohort: Cohort) -> Array:
    """Each band's share of a window's power."""
    power = np.exp(band_features(cohort.X))
    return power / power.sum(axis=1, keepdims=True)


def random_kernels(cohort: Cohort) -> Array:
    """Largest answers to random kernels that never change."""
    kernels = np.random.default_rng(0).standard_normal((16, 25))
    spectrum = np.fft.rfft(cohort.X.mean(axis=1)[:, None], 256) * np.fft.rfft(kernels, 256)
    return np.fft.irfft(spectrum).max(axis=-1).astype(np.float64)


def rereferenced(cohort: Cohort) -> Array:
    """Band power after an average reference and a z-score of each window."""
    X = cohort.X - cohort.X.mean(axis=1, keepdims=True)
    return band_features(X / X.std(axis=(1, 2), keepdims=True))


def with_columns(*names: str) -> Callable[[Cohort], Array]:
    """Band power, and columns of the table that are declared."""

    def inputs(cohort: Cohort) -> Array:
        columns = [pd.factorize(cohort.table[name], sort=True)[0] for name in names]
        return np.column_stack([band_features(cohort.X), *columns])

    return inputs


def of_own_windows(change: Callable[[Array], Array], *by: str) -> Callable[[Cohort], Array]:
    """Change the band power of each subject's windows, or of each session's, among themselves."""

    def inputs(cohort: Cohort) -> Array:
        X = band_features(cohort.X)
        for rows in cohort.table.groupby(["subject", *by]).indices.values():
            X[rows] = change(X[rows])
        return X

    return inputs


def whitened(cohort: Cohort) -> Array:
    """Band power once each subject's mean covariance is the identity."""
    X = np.array(cohort.X, dtype=np.float64)
    for rows in cohort.table.groupby("subject").indices.values():
        centred = X[rows] - X[rows].mean(axis=-1, keepdims=True)
        values, vectors = np.linalg.eigh(np.einsum("nct,ndt->cd", centred, centred))
        X[rows] = np.einsum("cd,ndt->nct", vectors / np.sqrt(values) @ vectors.T, centred)
    return band_features(X)


def standardised_together(cohort: Cohort) -> Array:
    """Standardise over all subjects, which is declared."""
    X = band_features(cohort.X)
    return (X - X.mean(axis=0)) / X.std(axis=0)


def mean_of_repeats(_cohort: Cohort, table: pd.DataFrame) -> pd.DataFrame:
    """Average each window's predictions over all folds that hold it out."""
    return table.groupby("sample_id", as_index=False)["y_pred"].mean().assign(fold="mean")


def of_subjects(how: str) -> Callable[[Cohort, pd.DataFrame], pd.DataFrame]:
    """Give all windows of a subject one prediction, made of those of each."""

    def finish(cohort: Cohort, table: pd.DataFrame) -> pd.DataFrame:
        subject = dict(zip(cohort.table["sample_id"], cohort.subjects, strict=True))
        by = [table["fold"].to_numpy(), table["sample_id"].map(subject).to_numpy()]
        return table.assign(y_pred=table["y_pred"].groupby(by).transform(how).to_numpy())

    return finish


def smoothed(cohort: Cohort, table: pd.DataFrame) -> pd.DataFrame:
    """Average each prediction with those of the subject's windows before it."""
    subject = dict(zip(cohort.table["sample_id"], cohort.subjects, strict=True))
    by = table["sample_id"].map(subject).to_numpy()
    smooth = table["y_pred"].groupby([table["fold"].to_numpy(), by]).transform(_running)
    return table.assign(y_pred=smooth.to_numpy())


def _running(values: pd.Series[float]) -> pd.Series[float]:
    return values.rolling(3, min_periods=1).mean()


def calibrated(n_labelled: int) -> Callable[[Cohort, pd.DataFrame], pd.DataFrame]:
    """Shift a subject's predictions by the first windows, whose target is known, and drop those."""

    def finish(cohort: Cohort, table: pd.DataFrame) -> pd.DataFrame:
        known = cohort.table.assign(y=cohort.y)[["sample_id", "subject", "y"]]
        both = table.merge(known, on="sample_id")
        first = both.groupby(["fold", "subject"]).cumcount() < n_labelled
        error = (both["y"] - both["y_pred"]).where(first)
        shift = error.groupby([both["fold"], both["subject"]]).transform("mean")
        shifted = both.assign(y_pred=both["y_pred"] + 0.5 * shift)[~first]
        return shifted[["sample_id", "fold", "y_pred"]]

    return finish


def in_a_file(work: Callable[[Cohort], Array]) -> Callable[[Cohort], Array]:
    """Keep features in a file that is named by the signal's content."""

    def inputs(cohort: Cohort) -> Array:
        key = hashlib.sha256(np.ascontiguousarray(cohort.X).data).hexdigest()[:16]
        folder = Path(os.environ.get("TRICKY_CACHE", tempfile.gettempdir()))
        path = folder / f"careful-{key}.npy"
        if not path.exists():
            np.save(path, work(cohort))
        return np.load(path)

    return inputs


def in_threads(work: Callable[[Any], Any], jobs: Iterable[Any]) -> list[Any]:
    """Run folds in threads."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(3) as pool:
        return list(pool.map(work, jobs))


def by_joblib(work: Callable[[Any], Any], jobs: Iterable[Any]) -> list[Any]:
    """Run folds as joblib does."""
    from joblib import Parallel, delayed

    return list(Parallel(n_jobs=2, prefer="threads")(delayed(work)(job) for job in jobs))
