"""Honest studies that an auditor may misjudge, by what each of them does."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.detection import careful_chance as chance
from benchmarks.detection import careful_folds as folds
from benchmarks.detection import careful_learners as learn
from benchmarks.detection import careful_parts as part
from benchmarks.detection.careful import by_subject, careful, roles_stated

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.detection.careful import Train
    from pfactor_bench.studies.contract import Study

__all__ = ["CAREFUL", "UNDECIDED"]

_OWN = {"access": "own-unlabelled"}


def _shared(seed: int) -> Callable[[int], np.random.Generator]:
    """One stream for all folds."""
    rng = np.random.default_rng(seed)
    return lambda _number: rng


def _global_once(seed: int) -> Callable[[int], np.random.Generator]:
    """NumPy's global stream, seeded once before all folds."""
    np.random.seed(seed)  # noqa: NPY002 - what many studies do
    return lambda _number: np.random.default_rng(0)


def _unseeded(_train: Train) -> np.random.Generator:
    return np.random.default_rng()


def _seeded(train: Train) -> np.random.Generator:
    return train.rng


def _by_sklearn() -> dict[str, Study]:
    from sklearn.cross_decomposition import CCA, PLSRegression
    from sklearn.decomposition import PCA, FastICA
    from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingRegressor
    from sklearn.feature_selection import SelectKBest, f_regression
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, WhiteKernel
    from sklearn.kernel_approximation import Nystroem
    from sklearn.linear_model import HuberRegressor, QuantileRegressor
    from sklearn.neural_network import MLPRegressor
    from sklearn.preprocessing import KBinsDiscretizer, QuantileTransformer
    from sklearn.svm import SVR

    kernel = RBF(8.0, "fixed") + WhiteKernel(1.0, "fixed")
    steps = {
        "PCA of training windows": learn.after(PCA, n_components=6),
        "ICA of training windows": learn.after(
            FastICA, n_components=4, random_state=0, max_iter=2000, tol=1e-2
        ),
        "features chosen on training windows": learn.after(
            partial(SelectKBest, f_regression), k=10
        ),
        "quantiles of training windows": learn.after(QuantileTransformer, n_quantiles=20),
        "bins of training windows": learn.after(
            KBinsDiscretizer, n_bins=4, encode="ordinal", quantile_method="averaged_inverted_cdf"
        ),
        "kernel of training windows": learn.after(Nystroem, n_components=20, random_state=0),
        "whitened PCA, target standardised": learn.after(
            PCA,
            learn.with_target("standard", learn.estimator(SVR)),
            n_components=6,
            whiten=True,
        ),
        "partial least squares": learn.estimator(PLSRegression, n_components=2),
        "canonical correlation": learn.estimator(CCA, n_components=1),
        "Gaussian process": learn.estimator(GaussianProcessRegressor, kernel=kernel),
        "support vectors": learn.estimator(SVR),
        "robust regression": learn.after(
            PCA, learn.estimator(HuberRegressor, max_iter=1000), n_components=6
        ),
        "median regression": learn.after(
            PCA, learn.estimator(QuantileRegressor, alpha=0.01), n_components=6
        ),
        "random trees": learn.estimator(ExtraTreesRegressor, n_estimators=10),
        "boosting": learn.estimator(HistGradientBoostingRegressor, max_iter=10),
        "small network": learn.after(
            PCA,
            learn.estimator(
                MLPRegressor, hidden_layer_sizes=(4,), max_iter=500, alpha=1.0, solver="lbfgs"
            ),
            n_components=6,
        ),
    }
    return {name: careful(learner=learner) for name, learner in steps.items()}


#: Honest studies by what they do; the audit calls each of them clean.
CAREFUL: dict[str, Study] = {
    # Who is held out.
    "repeated folds, each named": careful(folds=folds.repeated),
    "random quarters that share subjects": careful(folds=folds.drawn),
    "six pairs of subjects": careful(folds=folds.pairs),
    "folds of groups": careful(folds=folds.grouped),
    "stratified folds of groups": careful(folds=folds.stratified),
    "permuted in the order of targets": careful(folds=folds.serpentine),
    "one site held out": careful(folds=folds.by_column("site")),
    "as many of each sex": careful(folds=folds.balanced_by_sex),
    "the last names": careful(folds=folds.last_names),
    "every third subject": careful(folds=folds.every_third),
    "four windows a subject by a seed": careful(folds=folds.some_windows),
    "tested on a later session": careful(folds=folds.later_session),
    "roles stated": roles_stated(by_subject(4)),
    "a subject excluded, roles stated": roles_stated(folds.without_the_loudest),
    "random quarters averaged": careful(folds=folds.drawn, finish=part.mean_of_repeats),
    # What is made of a window.
    "covariances": careful(inputs=part.covariance),
    "logarithms of covariances": careful(inputs=part.tangent),
    "correlations of channels": careful(inputs=part.correlations),
    "Hjorth's parameters": careful(inputs=part.hjorth),
    "relative power": careful(inputs=part.relative_power),
    "random kernels": careful(inputs=part.random_kernels),
    "average reference, z-score of a window": careful(inputs=part.rereferenced),
    "features in a file": careful(inputs=part.in_a_file(part.hjorth)),
    # What is declared.
    "age declared": careful(inputs=part.with_columns("age"), declares={"inputs": ["age"]}),
    "age, sex and site declared": careful(
        inputs=part.with_columns("sex", "site", "age"),
        declares={"inputs": ["age", "sex", "site"]},
    ),
    "age taken out": careful(
        inputs=part.with_columns("age"),
        learner=learn.without_covariate,
        declares={"inputs": ["age"]},
    ),
    "own mean taken out": careful(
        inputs=part.of_own_windows(lambda X: X - X.mean(axis=0).mean()), declares=_OWN
    ),
    "own median": careful(
        inputs=part.of_own_windows(lambda X: np.tile(np.median(X, axis=0), (len(X), 1))),
        declares=_OWN,
    ),
    "own mean of each session": careful(
        inputs=part.of_own_windows(lambda X: np.tile(X.mean(axis=0), (len(X), 1)), "session"),
        declares={**_OWN, "inputs": ["session"]},
    ),
    "own ranks": careful(
        inputs=part.of_own_windows(lambda X: X + X.argsort(axis=0).argsort(axis=0)), declares=_OWN
    ),
    "own covariance whitened": careful(inputs=part.whitened, declares=_OWN),
    "all subjects standardised": careful(
        inputs=part.standardised_together, declares={"access": "all-unlabelled"}
    ),
    "one mean a subject": careful(finish=part.of_subjects("mean"), declares=_OWN),
    "one median a subject": careful(finish=part.of_subjects("median"), declares=_OWN),
    "smoothed over own windows": careful(finish=part.smoothed, declares=_OWN),
    "two labelled windows a subject": careful(
        finish=part.calibrated(2), declares={"access": "own-labelled-2"}
    ),
    "formula": careful(learner=learn.formula, declares={"trained_on": "nothing, a formula"}),
    "frozen weights": careful(learner=learn.frozen, declares={"trained_on": "other subjects"}),
    # What is learnt, and how.
    **_by_sklearn(),
    "cut at training quantiles": careful(learner=learn.winsorised),
    "one training row a subject": careful(learner=learn.per_subject_means),
    "subjects weigh the same": careful(learner=learn.weighted_by_subject),
    "target by quantiles": careful(learner=learn.with_target("quantile")),
    "target by powers": careful(learner=learn.with_target("power")),
    "logarithm of the target": careful(learner=learn.log_target),
    "clipped to the training range": careful(learner=learn.clipped),
    "shrunk by training subjects": careful(learner=learn.shrunk),
    "recalibrated by training subjects": careful(learner=learn.recalibrated),
    "penalties drawn": careful(learner=learn.searched),
    "penalties drawn from one stream": careful(learner=learn.searched, streams=_shared),
    "penalty by inner leave-one-out": careful(learner=learn.nested),
    "grid over groups": careful(learner=learn.grid),
    "stack of two": careful(learner=learn.stacked),
    "bagged subjects": careful(learner=chance.bagged(learn.linear)),
    "bagged subjects from one stream": careful(
        learner=chance.bagged(learn.linear), streams=_shared
    ),
    "bag of clipped models": careful(learner=chance.bagged(learn.clipped)),
    "noise from the fold's stream": careful(learner=chance.jittered(learn.linear, _seeded)),
    "noise that nobody seeds, bagged": careful(
        learner=chance.jittered(chance.bagged(learn.linear), _unseeded)
    ),
    "mixtures": careful(learner=chance.mixed),
    "stops by itself": careful(learner=chance.descent),
    "stops by itself, one stream": careful(learner=chance.descent, streams=_shared),
    "stops by itself, best three averaged": careful(
        learner=partial(chance.descent, patience=6, averaged=3)
    ),
    "global stream seeded once": careful(learner=chance.by_global_stream, streams=_global_once),
    "dropout at test time": careful(learner=chance.with_dropout(_seeded)),
    "dropout at test time, one stream": careful(
        learner=chance.with_dropout(_seeded), streams=_shared
    ),
    "dropout at test time that nobody seeds": careful(learner=chance.with_dropout(_unseeded)),
    "dropout seeded by content": careful(learner=chance.dropout_by_content),
    "one draw of the posterior": careful(learner=chance.posterior(_seeded)),
    "one draw that nobody seeds": careful(learner=chance.posterior(_unseeded)),
    "classes of the target": careful(learner=learn.of_classes),
    "nearest training subjects": careful(learner=learn.neighbours_of_subjects),
    "two halves of the features": careful(learner=learn.of_halves),
    "models remembered by content": careful(learner=learn.remembered),
    "the training mean": careful(learner=learn.the_mean),
    # How it is run.
    "folds in threads": careful(run=part.in_threads),
    "folds by joblib": careful(run=part.by_joblib),
    "bagged in threads": careful(learner=chance.bagged(learn.linear), run=part.in_threads),
}

#: Honest studies that cannot be cleared, and must not be accused.
UNDECIDED: dict[str, Study] = {"formula, not declared": careful(learner=learn.formula)}
