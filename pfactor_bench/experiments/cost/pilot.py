"""A timed pilot: what each kind of case of a suite costs per fold, per window and per step.

Time does not depend on what windows hold, so the pilot trains on noise of the suite's shape. It
costs seconds whatever the size of the cohort, and the cohort need not even be there.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pfactor_bench.cohorts import make_cohort
from pfactor_bench.execution.results import write_case
from pfactor_bench.models.build import build_model
from pfactor_bench.models.heads import encoder_state
from pfactor_bench.models.regimes import REGIMES
from pfactor_bench.training.device import peak_memory
from pfactor_bench.types import Fold, Split

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch

    from pfactor_bench.training.engine import Training
    from pfactor_bench.types import Case, CaseResult, Cohort

#: Batches of the shorter and of the longer pilot; epochs of the shorter and of the longer.
_BATCHES, _EPOCHS = (2, 12), (1, 3)
#: Subjects, enough for a choice inside the fold.
_TRAINED, _HELD_OUT = 6, 2
_MOST_FOLDS = 5

#: A pilot is repeated so often, unless that takes longer than these seconds.
_ROUNDS, _PATIENCE = 3, 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """The shape of a suite's windows and folds.

    Parameters
    ----------
    ch_names, sfreq, n_times
        Of a window.
    held_out
        Held-out windows of a fold for each training window.
    n_folds
        Of a split; an engine may train several at once.
    """

    ch_names: tuple[str, ...]
    sfreq: float
    n_times: int
    held_out: float
    n_folds: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What a case costs, from a pilot.

    Parameters
    ----------
    fixed
        Seconds of each fold, whatever its size.
    per_window
        Seconds for each training window, once a fold.
    per_step_window
        Seconds for each training window in each epoch, held-out windows included.
    bytes_per_window
        Of a finished case, for each row of its predictions.
    peak_bytes
        Memory of a process that trains, without the cohort.
    """

    fixed: float
    per_window: float
    per_step_window: float
    bytes_per_window: float
    peak_bytes: int

    def fold_seconds(self, n_train: float, epochs: int) -> float:
        """Return what training on one fold takes."""
        return self.fixed + n_train * (self.per_window + epochs * self.per_step_window)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Pilot:
    """A short training whose time is taken; small enough to travel to a worker.

    Parameters
    ----------
    training
        As in the suite; its epochs are replaced.
    group, shape
        What is trained, on windows of which shape.
    """

    training: Training
    group: Sequence[Case]
    shape: Shape

    def cost(self) -> Cost:
        """Time the group at two sizes and two lengths, and return what one case costs."""
        small, large = (count * self.training.budget.batch_size for count in _BATCHES)
        few, many = _EPOCHS
        self._run(small, few)  # what is imported and allocated once
        seconds = {
            (n_train, epochs): self._median_seconds(n_train, epochs)
            for n_train, epochs in ((small, few), (large, few), (large, many))
        }
        n_parts = len(self.group) * len(_fold_names(self.shape))
        per_step = max(0.0, seconds[large, many] - seconds[large, few]) / ((many - few) * large)
        rest = {size: seconds[size, few] - few * size * per_step for size in (small, large)}
        per_window = max(0.0, rest[large] - rest[small]) / (large - small)
        fixed = max(0.0, rest[large] - large * per_window)
        result = next(iter(self._run(large, few).values()))
        return Cost(
            fixed=fixed / n_parts,
            per_window=per_window / n_parts,
            per_step_window=per_step / n_parts,
            bytes_per_window=_stored_bytes(result) / len(result.predictions),
            peak_bytes=peak_memory(self.training.device),
        )

    def seconds(self, n_train: int, epochs: int) -> float:
        """Return the median time of one short training; runs in a worker, too."""
        self._run(n_train, 1)
        return self._median_seconds(n_train, epochs)

    def _median_seconds(self, n_train: int, epochs: int) -> float:
        seconds: list[float] = []
        while len(seconds) < _ROUNDS and sum(seconds) < _PATIENCE:
            began = time.perf_counter()
            self._run(n_train, epochs)
            seconds.append(time.perf_counter() - began)
        return statistics.median(seconds)

    def _run(self, n_train: int, epochs: int) -> dict[Case, CaseResult]:
        n_test = max(_HELD_OUT, round(n_train * self.shape.held_out))
        cohort = noise_cohort(self.shape, n_train, n_test)
        positions = np.arange(n_train + n_test)
        folds = tuple(
            Fold(name=name, train=positions[:n_train], test=positions[n_train:])
            for name in _fold_names(self.shape)
        )
        budget = replace(self.training.budget, epochs=epochs)
        return replace(self.training, budget=budget).run(
            self.group,
            cohort,
            Split(name="pilot", folds=folds),
            _untrained(self.group, self.shape, cohort),
        )


@lru_cache(maxsize=4)
def noise_cohort(shape: Shape, n_train: int, n_test: int) -> Cohort:
    """Return windows of noise: those to train on first, then those of the subjects held out."""
    rng = np.random.default_rng(0)
    subject = np.concatenate(
        [np.arange(n_train) % _TRAINED, _TRAINED + np.arange(n_test) % _HELD_OUT]
    )
    n_windows = n_train + n_test
    table = pd.DataFrame(
        {
            "sample_id": [f"pilot-{number:06d}" for number in range(n_windows)],
            "subject": [f"pilot-{number}" for number in subject],
            "session": "",
            "run": "",
            "task": "",
            "start": 0,
            "stop": shape.n_times,
            "target": rng.normal(size=_TRAINED + _HELD_OUT)[subject],
        }
    )
    X = rng.standard_normal((n_windows, len(shape.ch_names), shape.n_times), dtype=np.float32)
    return make_cohort(
        name="pilot",
        X=X,
        table=table,
        target="target",
        sfreq=shape.sfreq,
        ch_names=shape.ch_names,
        unit="SD",
        provenance={"source": "noise"},
    )


def _untrained(
    group: Sequence[Case], shape: Shape, cohort: Cohort
) -> dict[Case, Mapping[str, Mapping[str, torch.Tensor]]]:
    """Return encoders that nobody trained for each case that starts from some."""
    return {
        case: dict.fromkeys(
            _fold_names(shape), encoder_state(build_model(case.model, cohort), case.model.head)
        )
        for case in group
        if REGIMES[case.start].pretrained
    }


def _fold_names(shape: Shape) -> list[str]:
    return [f"fold-{number}" for number in range(min(shape.n_folds, _MOST_FOLDS))]


def _stored_bytes(result: CaseResult) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.npz"
        write_case(path, "pilot", result)
        return path.stat().st_size
