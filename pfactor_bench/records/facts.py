"""What a record says of a cohort, a split and a case, as plain JSON values."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pfactor_bench.training.pretraining.checkpoints import Encoder
    from pfactor_bench.types import Case, CaseResult, Cohort, Split

    #: Of each case, by fold; empty for a case that starts from none.
    Encoders: TypeAlias = Mapping[Case, Mapping[str, Encoder]]

__all__ = [
    "case_facts",
    "cohort_facts",
    "encoder_facts",
    "manifests_by_fold",
    "split_facts",
]


def cohort_facts(cohort: Cohort) -> dict[str, Any]:
    """Return what a reader must know of the data, without a single sample."""
    subjects = cohort.table.assign(y=cohort.y).groupby("subject")["y"]
    targets = subjects.first()
    n_windows, _, n_times = cohort.X.shape
    injected = cohort.injected
    return {
        "name": cohort.name,
        "target": cohort.target,
        "unit": cohort.unit,
        "sfreq": cohort.sfreq,
        "ch_names": list(cohort.ch_names),
        "n_subjects": cohort.n_subjects,
        "n_windows": n_windows,
        "n_times": n_times,
        "target_mean": float(targets.mean()),
        "target_sd": float(targets.std(ddof=1)),
        "fingerprint": cohort.fingerprint,
        "notes": list(cohort.notes),
        "provenance": dict(cohort.provenance),
        "subjects": {
            "subjects": [str(name) for name in targets.index],
            "targets": targets.tolist(),
            "n_windows": subjects.size().tolist(),
        },
        "injected": injected
        and {"ch_names": list(injected.ch_names), "frequency": injected.frequency},
    }


def split_facts(split: Split, cohort: Cohort) -> dict[str, Any]:
    """Return who is trained on and who is held out in each fold."""
    subjects = cohort.subjects
    return {
        "name": split.name,
        "folds": [
            {
                "name": fold.name,
                "train_subjects": np.unique(subjects[fold.train]).tolist(),
                "test_subjects": np.unique(subjects[fold.test]).tolist(),
                "n_train_windows": len(fold.train),
                "n_test_windows": len(fold.test),
            }
            for fold in split.folds
        ],
    }


def case_facts(
    case: Case, result: CaseResult, cohort: Cohort, encoders: Mapping[str, Encoder]
) -> dict[str, Any]:
    """Return what a case was and its model's saliency; `encoders` are those it started from."""
    return {
        "id": case.id,
        "regime": case.regime,
        "start": case.start,
        "model": case.model.name,
        "model_args": dict(case.model.args),
        "seed": case.seed,
        "n_parameters": result.n_parameters,
        "n_trainable": result.n_trainable,
        "n_frozen": result.n_frozen,
        "epochs": [budget.epochs for budget in result.budgets],
        "learning_rates": [budget.learning_rate for budget in result.budgets],
        "trained_by": result.trained_by and asdict(result.trained_by),
        "encoders": {fold: encoder.manifest["sha256"] for fold, encoder in encoders.items()},
        "saliency": [
            {
                "chosen_by": saliency.chosen_by,
                "circular": saliency.circular,
                "peak_channel": cohort.ch_names[int(saliency.map.mean(axis=1).argmax())],
                "peak_time": float(saliency.map.mean(axis=0).argmax()) / cohort.sfreq,
                "max": float(saliency.map.max()),
            }
            for saliency in result.saliency
        ],
    }


def encoder_facts(encoders: Encoders) -> list[Mapping[str, Any]]:
    """Return the manifest of every encoder once."""
    every = (encoder for by_fold in encoders.values() for encoder in by_fold.values())
    return list({encoder.manifest["sha256"]: encoder.manifest for encoder in every}.values())


def manifests_by_fold(encoders: Encoders) -> dict[str, Mapping[str, Any]]:
    """Return each fold's manifest, as the checks take it; a suite's models share their source."""
    first: Mapping[str, Encoder] = next(filter(None, encoders.values()), {})
    return {fold: encoder.manifest for fold, encoder in first.items()}
