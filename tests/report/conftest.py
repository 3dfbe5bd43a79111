"""A small record made by hand, with its arrays, and the words that data may try to smuggle in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pfactor_bench.records.record import Record
from pfactor_bench.types import (
    Claim,
    Finding,
    Interval,
    Measurement,
    Requirement,
    Timing,
    Verdict,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

HELD_OUT = ("sub-14", "sub-15", "sub-16", "sub-17")
SEEDS = (42, 43)
R_BY_SEED = {42: -0.385, 43: 0.852}


def _measurements() -> tuple[Measurement, ...]:
    def number(case: str, name: str, value: float, **rest: Any) -> Measurement:
        return Measurement(name=f"{case}/{name}", case=case, value=value, **rest)

    found = [
        number("train-mean", name, value, n_subjects=4)
        for name, value in {"mse": 0.487, "window_mse": 0.489, "skill": 0.0}.items()
    ]
    for seed, r in R_BY_SEED.items():
        case = f"from-scratch/seed-{seed}"
        found += [
            number(case, "pearson_r", r, n_subjects=4),
            number(case, "window_pearson_r", 0.134, n_subjects=4),
            number(case, "train_mse", 0.915),
            number(case, "val_mse", 0.477),
            number(case, "val_r", 0.012),
        ]
    interval = Interval(low=-0.762, high=0.271, level=0.95, method="bootstrap over 4 subjects")
    wide = replace(interval, low=-1.0, high=1.0)
    return (
        *found,
        number("from-scratch", "mse", 0.457, n_subjects=4),
        number("from-scratch", "skill", 0.061, n_subjects=4, ci=interval),
        number("from-scratch", "pearson_r", 0.234, n_subjects=4, ci=wide),
        number("from-scratch", "best_val_r", 0.164, note="a maximum over epochs"),
        Measurement(
            name="from-scratch/r2",
            case="from-scratch",
            value=None,
            missing_because="the true targets are all equal",
        ),
    )


def _findings() -> tuple[Finding, ...]:
    return (
        Finding(
            code="LK002", title="Row overlap", kinds=(2,), status="pass", explanation="no row twice"
        ),
        Finding(
            code="LK022",
            title="Pretraining saw the test subjects",
            kinds=(22,),
            status="not_applicable",
            explanation="nothing was pretrained",
        ),
        Finding(
            code="LK003",
            title="Subject overlap",
            kinds=(3,),
            status="fail",
            explanation="1 of 18 subjects stands in train and test",
            fix="split by subject",
            evidence=({"fold": "fold-0", "subject": "sub-03"},),
            n_evidence=59,
        ),
    )


@pytest.fixture
def record() -> Record:
    """Return what a run of two seeds on four held-out subjects leaves behind."""
    saliency = {
        "chosen_by": "all-held-out",
        "circular": False,
        "peak_channel": "Cz",
        "peak_time": 1.06,
        "max": 0.002,
    }
    return Record(
        suite={
            "name": "small",
            "title": "A small suite",
            "question": "Is anything found?",
            "file": "small.yaml",
            "sha256": "a" * 64,
            "definition": {},
        },
        cohort={
            "name": "synthetic",
            "target": "p_factor",
            "unit": "SD",
            "sfreq": 100.0,
            "ch_names": ["E11", "Cz", "E62"],
            "n_subjects": 18,
            "n_windows": 432,
            "n_times": 20,
            "target_mean": -0.083,
            "target_sd": 0.866,
            "fingerprint": "b" * 64,
            "notes": ["sub-99 was left out: its target is missing"],
            "provenance": {"source": "synthetic", "seed": 42},
            "injected": {"ch_names": ["Cz"], "frequency": 10.0},
        },
        split={
            "name": "last-subjects",
            "folds": [
                {
                    "name": "fold-0",
                    "train_subjects": [f"sub-{number:02d}" for number in range(14)],
                    "test_subjects": list(HELD_OUT),
                    "n_train_windows": 336,
                    "n_test_windows": 96,
                }
            ],
        },
        cases=tuple(
            {
                "id": f"from-scratch/seed-{seed}",
                "regime": "from-scratch",
                "model": "EEGConformer",
                "model_args": {},
                "seed": seed,
                "n_parameters": 154_953,
                "n_trainable": 154_953,
                "saliency": [saliency, {**saliency, "chosen_by": "least-error", "circular": True}],
            }
            for seed in SEEDS
        ),
        measurements=_measurements(),
        findings=_findings(),
        claims=(
            Claim(
                id="beats-train-mean",
                text="It predicts better than the train mean.",
                measurement="from-scratch/skill",
                requirement=Requirement(above=0),
            ),
            Claim(
                id="same-error",
                text="Its error is the reference's.",
                measurement="from-scratch/seed-42/val_mse",
                requirement=Requirement(equals=0.477, tolerance=0.001),
                level="gate",
            ),
        ),
        verdicts=(
            Verdict(
                claim="beats-train-mean",
                status="inconclusive",
                level="report",
                explanation="the interval straddles the threshold",
            ),
            Verdict(claim="same-error", status="holds", level="gate", explanation="by 0.0003"),
        ),
        timings=(
            Timing(name="from-scratch/seed-42/train", device="cpu", seconds=2.0, windows=1344),
        ),
        provenance={
            "version": "0.1.0",
            "commit": "c" * 40,
            "dirty": False,
            "date": "2026-01-01T00:00:00+00:00",
            "python": "3.11.7",
            "cpu": "a processor",
            "packages": {"torch": "2.11.0", "mne": None},
            "command": "pfactor-bench run suites/small.yaml",
        },
    )


@pytest.fixture
def arrays() -> dict[str, NDArray[Any]]:
    """Return the arrays that stand beside the record."""
    random = np.random.default_rng(0)
    n_subjects, n_epochs = len(HELD_OUT), 4
    return {
        "subjects": np.array(HELD_OUT),
        "y_true": np.array([0.47, -0.86, 0.37, -0.96]),
        "y_base": np.full(n_subjects, -0.036),
        "from-scratch/seeds": np.array(SEEDS),
        "from-scratch/y_pred": random.normal(-0.08, 0.01, (2, n_subjects)),
        "from-scratch/train_mse": random.uniform(0.8, 1, (2, 1, n_epochs)),
        "from-scratch/val_mse": random.uniform(0.4, 0.6, (2, 1, n_epochs)),
        "from-scratch/val_r": random.uniform(-0.2, 0.2, (2, 1, n_epochs)),
        "from-scratch/saliency/all-held-out": random.uniform(0, 2e-3, (2, 3, 20)),
    }


@pytest.fixture
def two_regimes(
    record: Record, arrays: dict[str, NDArray[Any]]
) -> tuple[Record, dict[str, NDArray[Any]]]:
    """Return a record and arrays in which a second regime stands beside the first."""
    other = "linear-probe"
    renamed = tuple(
        replace(
            measurement,
            name=measurement.name.replace("from-scratch", other),
            case=measurement.case.replace("from-scratch", other),
        )
        for measurement in record.measurements
        if measurement.case != "train-mean"
    )
    cases = tuple(
        {**case, "regime": other, "id": case["id"].replace("from-scratch", other)}
        for case in record.cases
    )
    more = {
        name.replace("from-scratch", other): values
        for name, values in arrays.items()
        if name.startswith("from-scratch/")
    }
    both = replace(
        record,
        cases=(*record.cases, *cases),
        measurements=(*record.measurements, *renamed),
    )
    return both, {**arrays, **more}
