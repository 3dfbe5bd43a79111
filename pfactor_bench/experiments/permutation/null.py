"""A whole procedure on targets that were permuted among subjects: what it finds where nothing is.

Hundreds of runs differ in nothing but their targets, so they share every pass, and a linear probe
in closed form is one system of equations with a column per run.

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
from pfactor_bench.statistics.metrics import CONSTANT
from pfactor_bench.training.case import case_budget, run_case
from pfactor_bench.training.fast.engine import Job, train_all
from pfactor_bench.training.fast.members import begin_member
from pfactor_bench.training.fast.probe import features_of, only_head_trains
from pfactor_bench.training.fast.verify import models_at_once, rehearse
from pfactor_bench.training.inputs import inputs_of
from pfactor_bench.types import Budget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import torch
    from numpy.typing import NDArray

    from pfactor_bench.training.case import TrainedFold
    from pfactor_bench.training.fast.members import Member
    from pfactor_bench.types import Case, Cohort, Split

    #: By fold, what pretrained regimes start from.
    Encoders: TypeAlias = Mapping[str, Mapping[str, torch.Tensor]]

#: Of the ridge penalty on standardised features, per training window: enough to make any number of
#: features solvable, too little to matter where windows outnumber them.
_PENALTY = 1e-2

#: Runs that are trained at a time at most, though an ensemble hold more: their models wait in
#: memory.
_PREPARED = 32


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Null:
    """The observed correlation, and those of permuted targets.

    Parameters
    ----------
    observed
        Pearson's r over held-out subjects.
    permuted
        The same for each permutation, shape ``(n,)``.
    """

    observed: float
    permuted: NDArray[np.float64]

    @property
    def n_as_high(self) -> int:
        """How many permutations give an r at least as high as the observed one."""
        return int((self.permuted >= self.observed).sum())

    @property
    def p_value(self) -> float:
        """How often an r at least as high comes up; the observed order counts as one."""
        return (1 + self.n_as_high) / (1 + len(self.permuted))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return where the share of all possible permutations lies, from those that were drawn.

        Exact (Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404).
        """
        from scipy.stats import binomtest

        if not len(self.permuted):
            return 0.0, 1.0
        found = binomtest(self.n_as_high, len(self.permuted)).proportion_ci(level, method="exact")
        return float(found.low), float(found.high)


def permute_targets(cohort: Cohort, n: int, *, seed: int) -> NDArray[np.float64]:
    """Return targets permuted among subjects, all windows of a subject together.

    Parameters
    ----------
    cohort
        Whose targets.
    n
        How many permutations.
    seed
        Of the permutations.

    Returns
    -------
    ndarray of float64, shape ``(n, n_windows)``
    """
    subjects, first, owner = np.unique(cohort.subjects, return_index=True, return_inverse=True)
    rng = np.random.default_rng(seed_for("dealt scores", seed, len(subjects)))
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
    permuted: NDArray[np.float64],
    *,
    device: torch.device,
    encoders: Encoders,
) -> Null:
    """Fit a ridge head on frozen features for all permutations at once.

    Parameters
    ----------
    case
        A regime in which only the head trains. Its head's own form and the budget play no part: the
        ridge solution is what training a linear head converges to.
    cohort, split
        On whom.
    permuted
        As `permute_targets` returns them.
    device
        Where features are computed.
    encoders
        By fold.

    Raises
    ------
    ModelError
        If more than the head trains, or a prediction is not finite.
    """
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    targets = np.vstack([cohort.y, permuted])
    sums = np.zeros(targets.shape)
    job = _job(case, cohort, device, encoders)
    known: dict[int, NDArray[np.float64]] = {}
    for fold in split.folds:
        encoder = id(encoders[fold.name])
        if encoder not in known:
            member = job.member(case, fold, Budget(epochs=1), start_fold=fold)
            if not only_head_trains(member.start):
                raise ModelError(
                    f"regime {case.start!r} trains more than the head, so there is no closed form: "
                    f"use trained_correlations"
                )
            reached = features_of(member.start, job.windows)
            known[encoder] = reached.flatten(1).double().cpu().numpy()
        features = known[encoder]
        ridge = make_pipeline(StandardScaler(), Ridge(alpha=_PENALTY * len(fold.train)))
        ridge.fit(features[fold.train], targets[:, fold.train].T)
        sums[:, fold.test] += ridge.predict(features[fold.test]).T
    r = _correlations(cohort, split, targets, sums)
    return Null(observed=float(r[0]), permuted=r[1:])


def trained_correlations(
    case: Case,
    cohort: Cohort,
    split: Split,
    budget: Budget,
    targets: NDArray[np.float64],
    *,
    device: torch.device,
    encoders: Encoders | None = None,
    on_run: Callable[[], object] = lambda: None,
) -> Iterator[NDArray[np.float64]]:
    """Train the case on each row of targets, many at once, and yield r over held-out subjects.

    Every run begins from the case's seed; only the targets differ.

    Parameters
    ----------
    case, cohort, split, budget
        What is trained.
    targets
        Shape ``(n, n_windows)``: `permute_targets`, say, after the observed ones.
    device, encoders
        As in `pfactor_bench.training.case.run_case`.
    on_run
        Called after each run, for progress.

    Yields
    ------
    ndarray of float64
        Of some rows at a time, in their order.

    Raises
    ------
    ModelError
        If a prediction is not finite.
    """
    job = _job(case, cohort, device, encoders)
    budget = case_budget(case, budget)
    trial = job.member(case, split.folds[0], budget, start_fold=split.folds[0])
    alone = budget.inner is not None or rehearse(trial, job.windows) is not None
    n_at_once = 1 if alone else _runs_at_once(trial, job, split)
    for begin in range(0, len(targets), n_at_once):
        rows = targets[begin : begin + n_at_once]
        sums = np.zeros(rows.shape)
        if alone:
            other = replace(cohort, y=rows[0])
            table = run_case(
                case, other, split, budget, device=device, encoders=encoders
            ).predictions
            for fold in split.folds:
                is_held_out = (table["fold"] == fold.name) & (table["role"] == "test")
                sums[0, fold.test] += table.loc[is_held_out, "y_pred"].to_numpy()
        else:
            for row, one in _run_together(job, case, split, budget, rows):
                sums[row, one.fold.test] += one.scale.from_model(one.trajectory.held_out[-1])
        for _ in rows:
            on_run()
        yield _correlations(cohort, split, rows, sums)


def _cpu() -> torch.device:
    import torch

    return torch.device("cpu")


def _job(case: Case, cohort: Cohort, device: torch.device, encoders: Encoders | None) -> Job:
    return Job(
        cohort=cohort,
        windows=inputs_of(cohort, device),
        device=device,
        encoders={case: encoders} if encoders else {},
        on_epoch=lambda: None,
    )


def _runs_at_once(trial: Member, job: Job, split: Split) -> int:
    """Return how many runs fill one ensemble: more would only keep results waiting."""
    return max(1, min(_PREPARED, models_at_once(trial, job.windows) // len(split.folds)))


def _run_together(
    job: Job, case: Case, split: Split, budget: Budget, targets: NDArray[np.float64]
) -> Iterator[tuple[int, TrainedFold]]:
    """Yield each permutation's number and each of its trained folds."""
    pairs = [(row, fold) for row in range(len(targets)) for fold in split.folds]
    members = [
        replace(job, cohort=replace(job.cohort, y=targets[row])).member(
            case, fold, budget, start_fold=fold
        )
        for row, fold in pairs
    ]
    for (row, _), one in zip(pairs, train_all(job, members), strict=True):
        yield row, one


def _correlations(
    cohort: Cohort, split: Split, targets: NDArray[np.float64], sums: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return r over held-out subjects, given the sums of each window's predictions over folds."""
    tests = np.concatenate([fold.test for fold in split.folds])
    times = np.bincount(tests, minlength=len(cohort.y))
    held_out = times > 0
    predicted = sums[:, held_out] / times[held_out]
    n_lost = len(predicted) - int(np.isfinite(predicted).all(axis=1).sum())
    if n_lost:
        raise ModelError(
            f"{n_lost} of {len(predicted)} trainings on true or permuted targets end with "
            "predictions that are not finite, and a share of permutations that leaves them out "
            f"would say too much: lower the learning rate"
        )
    _, owner = np.unique(cohort.subjects[held_out], return_inverse=True)
    means = np.zeros((held_out.sum(), owner.max() + 1))
    means[np.arange(len(owner)), owner] = 1 / np.bincount(owner)[owner]
    true, said = (
        rows - rows.mean(axis=1, keepdims=True)
        for rows in (targets[:, held_out] @ means, predicted @ means)
    )
    spreads = np.sqrt((true**2).mean(axis=1)), np.sqrt((said**2).mean(axis=1))
    # Where all predictions are equal but for rounding there is no correlation, and nothing was
    # found.
    r: NDArray[np.float64] = np.divide(
        (true * said).mean(axis=1),
        spreads[0] * spreads[1],
        out=np.zeros(len(true)),
        where=(spreads[0] > CONSTANT) & (spreads[1] > CONSTANT),
    )
    return r
