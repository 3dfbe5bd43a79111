"""Honest studies of different make, none of which an audit may accuse.

They are small on purpose: each shows one habit that looks suspicious to a naive auditor and is not.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from pfactor_bench.types import Cohort

__all__ = ["HONEST", "band_features", "predictions_table", "ridge", "subject_folds"]


def band_features(X: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return log power in eight bands of each channel, shape ``(n_windows, 8 * n_chans)``."""
    power = np.abs(np.fft.rfft(X - X.mean(axis=-1, keepdims=True), axis=-1)) ** 2
    bands = np.array_split(power[..., 1:], 8, axis=-1)
    means = np.stack([band.mean(axis=-1) for band in bands], axis=-1)
    features: NDArray[np.float64] = np.log(means).reshape(len(X), -1).astype(np.float64)
    return features


def ridge(
    features: NDArray[np.float64], y: NDArray[np.float64], alpha: float = 10.0
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Fit a ridge regression and return its prediction function."""
    centre, mean = features.mean(axis=0), y.mean()
    centred = features - centre
    penalty = alpha * np.eye(features.shape[1])
    weights = np.linalg.solve(centred.T @ centred + penalty, centred.T @ (y - mean))

    def predict(new: NDArray[np.float64]) -> NDArray[np.float64]:
        y_pred: NDArray[np.float64] = mean + (new - centre) @ weights
        return y_pred

    return predict


def subject_folds(
    cohort: Cohort, seed: int, n_folds: int = 3
) -> Iterable[tuple[str, NDArray[np.int64], NDArray[np.int64]]]:
    """Yield name, training rows and test rows of folds made of whole subjects."""
    subjects = np.random.default_rng(seed).permutation(np.unique(cohort.subjects))
    for number, held_out in enumerate(np.array_split(subjects, n_folds)):
        mask = np.isin(cohort.subjects, held_out)
        yield f"fold-{number}", np.flatnonzero(~mask), np.flatnonzero(mask)


def predictions_table(
    cohort: Cohort, rows: NDArray[np.int64], y_pred: NDArray[np.float64], fold: str
) -> pd.DataFrame:
    """Return the contract's rows of one fold."""
    names = cohort.table["sample_id"].to_numpy()[rows]
    return pd.DataFrame({"sample_id": names, "fold": fold, "y_pred": y_pred})


def plain_ridge(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Fit on training subjects, predict held-out subjects."""
    features = band_features(cohort.X)
    tables = []
    for fold, train, test in subject_folds(cohort, seed):
        predict = ridge(features[train], cohort.y[train])
        tables.append(predictions_table(cohort, test, predict(features[test]), fold))
    return pd.concat(tables)


def states_roles(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Say which rows were trained on."""
    table = plain_ridge(cohort, seed=seed).assign(role="test")
    for fold, train, _ in subject_folds(cohort, seed):
        names = cohort.table["sample_id"].to_numpy()[train]
        rows = pd.DataFrame({"sample_id": names, "fold": fold, "role": "train"})
        table = pd.concat([table, rows])
    return table


def one_split(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Hold one group of subjects out, without naming the fold."""
    fold, train, test = next(iter(subject_folds(cohort, seed, n_folds=4)))
    features = band_features(cohort.X)
    predict = ridge(features[train], cohort.y[train])
    return predictions_table(cohort, test, predict(features[test]), fold).drop(columns="fold")


def leave_one_out(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Hold out one subject after the other, without naming folds."""
    n_subjects = cohort.n_subjects
    features = band_features(cohort.X)
    tables = []
    for fold, train, test in subject_folds(cohort, seed, n_folds=n_subjects):
        predict = ridge(features[train], cohort.y[train])
        tables.append(predictions_table(cohort, test, predict(features[test]), fold))
    return pd.concat(tables).drop(columns="fold")


def stratified_by_target(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Hold out every fourth subject in the order of targets, so that the test set is balanced."""
    subjects, first = np.unique(cohort.subjects, return_index=True)
    by_target = subjects[np.argsort(cohort.y[first], kind="stable")]
    test = np.isin(cohort.subjects, by_target[seed % 4 :: 4])
    features = band_features(cohort.X)
    predict = ridge(features[~test], cohort.y[~test])
    return predictions_table(cohort, np.flatnonzero(test), predict(features[test]), "stratified")


def split_by_hash(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Decide by a hash of the name who is held out, so that the set never changes."""
    digests = [hashlib.sha256(f"{seed}/{name}".encode()).digest()[0] for name in cohort.subjects]
    test = np.array(digests) < 90  # noqa: PLR2004 - about a third of 256
    features = band_features(cohort.X)
    predict = ridge(features[~test], cohort.y[~test])
    return predictions_table(cohort, np.flatnonzero(test), predict(features[test]), "hash")


def normalised_per_subject(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Standardise each subject by all of their own windows, without any label."""
    features = band_features(cohort.X)
    for subject in np.unique(cohort.subjects):
        rows = cohort.subjects == subject
        features[rows] = features[rows] - features[rows].mean(axis=0).mean()
    tables = []
    for fold, train, test in subject_folds(cohort, seed):
        predict = ridge(features[train], cohort.y[train])
        tables.append(predictions_table(cohort, test, predict(features[test]), fold))
    return pd.concat(tables)


def scaled_in_fold(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Fit the scaler and the target's scale on training subjects."""
    features = band_features(cohort.X)
    tables = []
    for fold, train, test in subject_folds(cohort, seed):
        mean, sd = features[train].mean(axis=0), features[train].std(axis=0)
        centre, spread = cohort.y[train].mean(), cohort.y[train].std()
        predict = ridge((features[train] - mean) / sd, (cohort.y[train] - centre) / spread)
        y_pred = centre + spread * predict((features[test] - mean) / sd)
        tables.append(predictions_table(cohort, test, y_pred, fold))
    return pd.concat(tables)


def nested_tuning(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Choose the penalty on validation subjects taken from the training side."""
    features = band_features(cohort.X)
    tables = []
    for fold, train, test in subject_folds(cohort, seed):
        subjects = np.unique(cohort.subjects[train])
        valid = np.isin(cohort.subjects[train], subjects[::3])
        errors = {}
        for alpha in (1.0, 10.0, 100.0, 1000.0):
            predict = ridge(features[train][~valid], cohort.y[train][~valid], alpha)
            difference = predict(features[train][valid]) - cohort.y[train][valid]
            errors[alpha] = float((difference**2).mean())
        best = min(errors, key=lambda alpha: errors[alpha])
        predict = ridge(features[train], cohort.y[train], best)
        tables.append(predictions_table(cohort, test, predict(features[test]), fold))
    return pd.concat(tables)


def train_median(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Predict the training subjects' median for every subject."""
    tables = []
    for fold, train, test in subject_folds(cohort, seed):
        y_pred = np.full(len(test), np.median(cohort.y[train]))
        tables.append(predictions_table(cohort, test, y_pred, fold))
    return pd.concat(tables)


def test_time_augmentation(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Average the predictions of noisy copies of each held-out window."""
    rng = np.random.default_rng(seed)
    tables = []
    for fold, train, test in subject_folds(cohort, seed):
        predict = ridge(band_features(cohort.X[train]), cohort.y[train])
        copies = [
            predict(band_features(cohort.X[test] + 0.1 * rng.standard_normal(cohort.X[test].shape)))
            for _ in range(3)
        ]
        tables.append(predictions_table(cohort, test, np.mean(copies, axis=0), fold))
    return pd.concat(tables)


def augmented_training(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Add noisy and mixed copies of training windows to the training set."""
    rng = np.random.default_rng(seed)
    tables = []
    for fold, train, test in subject_folds(cohort, seed):
        partner = rng.permutation(train)
        noisy = cohort.X[train] + 0.1 * rng.standard_normal(cohort.X[train].shape)
        mixed = 0.5 * (cohort.X[train] + cohort.X[partner])
        features = band_features(np.concatenate([cohort.X[train], noisy, mixed]))
        targets = [cohort.y[train], cohort.y[train], 0.5 * (cohort.y[train] + cohort.y[partner])]
        predict = ridge(features, np.concatenate(targets))
        y_pred = predict(band_features(cohort.X[test]))
        tables.append(predictions_table(cohort, test, y_pred, fold))
    return pd.concat(tables)


def torch_net(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Train a small network with batch normalisation, and evaluate it in eval mode."""
    import torch

    torch.manual_seed(seed)
    features = torch.from_numpy(band_features(cohort.X)).float()
    y = torch.from_numpy(cohort.y).float()
    tables = []
    for fold, train, test in subject_folds(cohort, seed):
        model = torch.nn.Sequential(
            torch.nn.BatchNorm1d(features.shape[1]),
            torch.nn.Linear(features.shape[1], 8),
            torch.nn.Tanh(),
            torch.nn.Dropout(0.2),
            torch.nn.Linear(8, 1),
        )
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
        for _ in range(20):
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(model(features[train]).squeeze(-1), y[train]).backward()
            optimizer.step()
        with torch.no_grad():
            y_pred = model.eval()(features[test]).squeeze(-1).double().numpy()
        tables.append(predictions_table(cohort, test, y_pred, fold))
    return pd.concat(tables)


#: All of them by name.
HONEST = {
    study.__name__: study
    for study in (
        plain_ridge,
        states_roles,
        one_split,
        leave_one_out,
        stratified_by_target,
        split_by_hash,
        normalised_per_subject,
        scaled_in_fold,
        nested_tuning,
        train_median,
        test_time_augmentation,
        augmented_training,
        torch_net,
    )
}
