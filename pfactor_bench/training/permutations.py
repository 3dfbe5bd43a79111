"""A whole procedure on scores that were dealt anew among people: what it finds where nothing is.

Hundreds of runs differ in nothing but their scores, so they share every pass, and a linear probe in
closed form is one system of equations with a column per run.

References
----------
Ojala & Garriga 2010, jmlr.org/papers/v11/ojala10a.html; Phipson & Smyth 2010,
doi:10.2202/1544-6115.1585.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from pfactor_bench.errors import ModelError
from pfactor_bench.seeds import seed_for
from pfactor_bench.training.case import case_budget, run_case
from pfactor_bench.training.fast import Job, train_all
from pfactor_bench.training.inputs import inputs_of
from pfactor_bench.training.members import begin_member
from pfactor_bench.training.probe import features_of, only_head_trains
from pfactor_bench.training.verify import why_not_together
from pfactor_bench.types import Budget, EngineChoice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import torch
    from numpy.typing import NDArray

    from pfactor_bench.training.case import TrainedFold
    from pfactor_bench.types import Case, CaseResult, Cohort, Split

    #: By fold, what pretrained regimes start from.
    Encoders: TypeAlias = Mapping[str, Mapping[str, torch.Tensor]]

__all__ = [
    "Null",
    "deal_scores",
    "has_closed_form",
    "probe_null",
    "trained_correlations",
    "training_null",
]

#: Of the ridge penalty on standardised features, per training window: enough to make any number of
#: features solvable, too little to matter where windows outnumber them.
_PENALTY = 1e-2

#: Runs that are prepared at a time: their models wait in memory.
_PREPARED = 32


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Null:
    """The observed correlation, and those of dealt scores.

    Parameters
    ----------
    observed
        Pearson's r over held-out people.
    dealt
        The same for each dealing, shape ``(n,)``.
    """

    observed: float
    dealt: NDArray[np.float64]

    @property
    def n_as_high(self) -> int:
        """How many dealings give an r at least as high as the observed one."""
        return int((self.dealt >= self.observed).sum())

    @property
    def p_value(self) -> float:
        """How often an r at least as high comes up; the observed order counts as one dealing."""
        return (1 + self.n_as_high) / (1 + len(self.dealt))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return where the share of all possible dealings lies, from those that were drawn.

        Exact (Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404).
        """
        from scipy.stats import binomtest

        if not len(self.dealt):
            return 0.0, 1.0
        found = binomtest(self.n_as_high, len(self.dealt)).proportion_ci(level, method="exact")
        return float(found.low), float(found.high)


def deal_scores(cohort: Cohort, n: int, *, seed: int) -> NDArray[np.float64]:
    """Return scores dealt anew among people, all windows of a person together.

    Parameters
    ----------
    cohort
        Whose scores.
    n
        How many dealings.
    seed
        Of the dealings.

    Returns
    -------
    ndarray of float64, shape ``(n, n_windows)``
    """
    people, first, owner = np.unique(cohort.subjects, return_index=True, return_inverse=True)
    rng = np.random.default_rng(seed_for("dealt scores", seed, len(people)))
    return rng.permuted(np.tile(cohort.y[first], (n, 1)), axis=1)[:, owner]


def has_closed_form(case: Case, cohort: Cohort, split: Split, *, encoders: Encoders | None) -> bool:
    """Return whether only the head of a case trains, so that `probe_null` can do it."""
    fold = split.folds[0]
    encoder = encoders[fold.name] if encoders else None
    member = begin_member(case, cohort, fold, Budget(epochs=1), device=_cpu(), encoder=encoder)
    return only_head_trains(member.start)


def probe_null(
    case: Case,
    cohort: Cohort,
    split: Split,
    dealt: NDArray[np.float64],
    *,
    device: torch.device,
    encoders: Encoders,
) -> Null:
    """Fit a ridge head on frozen features for all dealings at once.

    Parameters
    ----------
    case
        A regime in which only the head trains. Its head's own form and the budget play no part: the
        ridge solution is what training a linear head converges to.
    cohort, split
        On whom.
    dealt
        As `deal_scores` returns them.
    device
        Where features are computed.
    encoders
        By fold.

    Raises
    ------
    ModelError
        If more than the head trains.
    """
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    scores = np.vstack([cohort.y, dealt])
    predicted = np.full(scores.shape, np.nan)
    job = _job(case, cohort, device, encoders)
    known: dict[int, NDArray[np.float64]] = {}
    for fold in split.folds:
        encoder = id(encoders[fold.name])
        if encoder not in known:
            member = job.member(case, fold, Budget(epochs=1), start_fold=fold)
            if not only_head_trains(member.start):
                raise ModelError(
                    f"regime {case.start!r} trains more than the head, so there is no closed form: "
                    f"use training_null"
                )
            reached = features_of(member.start, job.windows)
            known[encoder] = reached.flatten(1).double().cpu().numpy()
        features = known[encoder]
        ridge = make_pipeline(StandardScaler(), Ridge(alpha=_PENALTY * len(fold.train)))
        ridge.fit(features[fold.train], scores[:, fold.train].T)
        predicted[:, fold.test] = ridge.predict(features[fold.test]).T
    r = _correlations(cohort, scores, predicted)
    return Null(observed=float(r[0]), dealt=r[1:])


def training_null(
    case: Case,
    cohort: Cohort,
    split: Split,
    budget: Budget,
    dealt: NDArray[np.float64],
    *,
    device: torch.device,
    encoders: Encoders | None = None,
    on_run: Callable[[], object] = lambda: None,
) -> Null:
    """Train the case on the observed scores and on every dealing, many at once.

    Every run begins from the case's seed; only the scores differ.

    Parameters
    ----------
    case, cohort, split, budget
        What is trained.
    dealt
        As `deal_scores` returns them.
    device, encoders
        As in `pfactor_bench.training.case.run_case`.
    on_run
        Called after each run, for progress.
    """
    scores = np.vstack([cohort.y, dealt])
    r = np.concatenate(
        [
            *trained_correlations(
                case, cohort, split, budget, scores, device=device, encoders=encoders, on_run=on_run
            )
        ]
    )
    return Null(observed=float(r[0]), dealt=r[1:])


def trained_correlations(
    case: Case,
    cohort: Cohort,
    split: Split,
    budget: Budget,
    scores: NDArray[np.float64],
    *,
    device: torch.device,
    encoders: Encoders | None = None,
    on_run: Callable[[], object] = lambda: None,
) -> Iterator[NDArray[np.float64]]:
    """Train the case on each row of scores, and yield r over held-out people, some rows at a time.

    Parameters
    ----------
    case, cohort, split, budget, device, encoders, on_run
        As in `training_null`.
    scores
        Shape ``(n, n_windows)``.
    """
    job = _job(case, cohort, device, encoders)
    budget = case_budget(case, budget)
    trial = job.member(case, split.folds[0], budget, start_fold=split.folds[0])
    alone = budget.inner is not None or why_not_together(trial, job.windows) is not None
    for begin in range(0, len(scores), 1 if alone else _PREPARED):
        rows = scores[begin : begin + (1 if alone else _PREPARED)]
        predicted = np.full(rows.shape, np.nan)
        if alone:
            other = replace(cohort, y=rows[0])
            result = run_case(case, other, split, budget, device=device, encoders=encoders)
            _fill(predicted[0], other, result)
        else:
            for row, one in _run_together(job, case, split, budget, rows):
                y_pred = one.scale.from_model(one.trajectory.held_out[-1])
                predicted[row, one.fold.test] = y_pred
        for _ in rows:
            on_run()
        yield _correlations(cohort, rows, predicted)


def _cpu() -> torch.device:
    import torch

    return torch.device("cpu")


def _job(case: Case, cohort: Cohort, device: torch.device, encoders: Encoders | None) -> Job:
    return Job(
        engine=EngineChoice(),
        cohort=cohort,
        windows=inputs_of(cohort, device),
        device=device,
        encoders={case: encoders} if encoders else {},
        on_epoch=lambda: None,
    )


def _run_together(
    job: Job, case: Case, split: Split, budget: Budget, scores: NDArray[np.float64]
) -> Iterator[tuple[int, TrainedFold]]:
    """Yield each dealing's number and each of its trained folds."""
    pairs = [(row, fold) for row in range(len(scores)) for fold in split.folds]
    members = [
        replace(job, cohort=replace(job.cohort, y=scores[row])).member(
            case, fold, budget, start_fold=fold
        )
        for row, fold in pairs
    ]
    for (row, _), one in zip(pairs, train_all(job, members), strict=True):
        yield row, one


def _fill(row: NDArray[np.float64], cohort: Cohort, result: CaseResult) -> None:
    table = result.predictions[result.predictions["role"] == "test"]
    where = {name: number for number, name in enumerate(cohort.table["sample_id"])}
    row[[where[name] for name in table["sample_id"]]] = table["y_pred"]


def _correlations(
    cohort: Cohort, scores: NDArray[np.float64], predicted: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return r over held-out people of each row of scores and predictions."""
    held_out = ~np.isnan(predicted[0])
    _, owner = np.unique(cohort.subjects[held_out], return_inverse=True)
    means = np.zeros((held_out.sum(), owner.max() + 1))
    means[np.arange(len(owner)), owner] = 1 / np.bincount(owner)[owner]
    true, said = (
        rows - rows.mean(axis=1, keepdims=True)
        for rows in (scores[:, held_out] @ means, predicted[:, held_out] @ means)
    )
    scale = np.sqrt((true**2).sum(axis=1) * (said**2).sum(axis=1))
    # Where all predictions are equal there is no correlation, and nothing was found.
    r: NDArray[np.float64] = np.divide(
        (true * said).sum(axis=1), scale, out=np.zeros(len(scale)), where=scale > 0
    )
    return r
