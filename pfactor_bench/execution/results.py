"""Finished cases on disk, so that a run that was killed goes on where it stopped.

A case is stored under its name and the hash of everything that determines it. A changed input has
another hash and another file, and the case is computed again.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pfactor_bench.files import ensure_writable, write_atomically
from pfactor_bench.models.identity import code_versions, digest, model_identity, split_identity
from pfactor_bench.training.case import case_budget
from pfactor_bench.types import (
    Budget,
    CaseResult,
    Curves,
    EngineChoice,
    InnerValidation,
    Saliency,
    SubjectSaliency,
    Timing,
    TrainedBy,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from pfactor_bench.training.engine import Training
    from pfactor_bench.types import Case, Cohort, Split

_COLUMNS = ("sample_id", "subject", "fold", "role", "y_pred")
_CURVES = ("train_mse", "val_mse", "val_r")
#: Some file systems end a name at 255 bytes.
_MOST_LETTERS = 80

#: What a file that is missing, cut off, damaged, or no finished case at all may raise. The module
#: zipfile raises RuntimeError where it takes a flipped bit for a password or an unknown version.
_UNREADABLE = (
    *(OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error),
)

_BY_SUBJECT = ("subjects", "channel_share", "spectral_share")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CachedCase:
    """A case with where its result is kept.

    Parameters
    ----------
    case
        The case.
    path, key
        Of its file.
    encoders
        By fold, the file of what it starts from.
    """

    case: Case
    path: Path
    key: str
    encoders: Mapping[str, Path] = field(default_factory=dict)

    @property
    def is_finished(self) -> bool:
        """Whether the result is there already."""
        return is_finished(self.path, self.key)

    def read(self) -> CaseResult | None:
        """Return the result, None where there is none."""
        return read_case(self.path, self.key)


def case_key(
    case: Case, cohort: Cohort, split: Split, training: Training, encoders: Mapping[str, str]
) -> str:
    """Return the hash of everything that determines what a case leaves behind.

    Parameters
    ----------
    case, cohort, split, training
        What is run, and how. The number of threads moves the third decimal.
    encoders
        By fold, the sha256 of the encoder that it starts from; empty without any.
    """
    return digest(
        {
            "cohort": cohort.fingerprint,
            "split": split_identity(split),
            "model": model_identity(case.model),
            "start": case.start,
            "seed": case.seed,
            "budget": asdict(case_budget(case, training.budget)),
            "engine": asdict(training.engine),
            "saliency": list(training.saliency),
            "encoders": dict(encoders),
            "device": training.device.type,
            "threads": training.threads,
            "versions": dict(code_versions()),
        }
    )


def case_path(folder: Path, case: Case, key: str) -> Path:
    """Return the file of a case: its name, with what a file system may not like replaced, and key.

    Two labels that differ only in what was replaced have two files.
    """
    name = "".join(one if one.isalnum() or one in "-._" else "_" for one in case.id)
    return folder / f"{name[:_MOST_LETTERS]}-{digest([case.id, key])[:20]}.npz"


def is_finished(path: Path, key: str) -> bool:
    """Whether a case is stored there as it was written: its checksums are looked at."""
    try:
        with zipfile.ZipFile(path) as stored:
            facts = np.load(io.BytesIO(stored.read("facts.npy")), allow_pickle=False)
            return json.loads(str(facts))["key"] == key and stored.testzip() is None
    except _UNREADABLE:
        return False


def write_case(path: Path, key: str, result: CaseResult) -> None:
    """Store a finished case: all of it or nothing.

    Raises
    ------
    OutputError
        If the folder cannot be written to.
    """
    table = result.predictions
    arrays: dict[str, NDArray[np.generic]] = {
        f"predictions/{name}": table[name].to_numpy(dtype=float if name == "y_pred" else str)
        for name in _COLUMNS
    }
    for number, fold in enumerate(result.curves):
        arrays |= {f"curves/{number}/{name}": getattr(fold, name) for name in _CURVES}
    for number, saliency in enumerate(result.saliency):
        arrays[f"saliency/{number}"] = saliency.map
        if saliency.by_subject is not None:
            arrays |= {
                f"saliency/{number}/{name}": getattr(saliency.by_subject, name)
                for name in _BY_SUBJECT
            }
    facts = {
        "key": key,
        "n_folds": len(result.curves),
        "saliency": [[one.chosen_by, one.circular] for one in result.saliency],
        "randomised_similarity": [one.randomised_similarity for one in result.saliency],
        "parameters": [result.n_parameters, result.n_trainable, result.n_frozen],
        "budgets": [asdict(budget) for budget in result.budgets],
        "timings": [asdict(timing) for timing in result.timings],
        "trained_by": result.trained_by and asdict(result.trained_by),
    }
    arrays["facts"] = np.array(json.dumps(facts, allow_nan=False))
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    ensure_writable(path.parent)
    write_atomically(path, buffer.getvalue())


def read_case(path: Path, key: str) -> CaseResult | None:
    """Return a stored case, or None where there is none or it was made from something else.

    A file that cannot be read is as good as none: the case is computed again.
    """
    try:
        # From memory: of a broken file numpy would leave the handle open.
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        facts = json.loads(str(arrays["facts"]))
        return _result(arrays, facts) if facts["key"] == key else None
    except _UNREADABLE:
        return None


def _result(arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> CaseResult:
    n_parameters, n_trainable, n_frozen = facts["parameters"]
    return CaseResult(
        predictions=pd.DataFrame({name: arrays[f"predictions/{name}"] for name in _COLUMNS}),
        curves=tuple(
            Curves(**{name: arrays[f"curves/{number}/{name}"] for name in _CURVES})
            for number in range(facts["n_folds"])
        ),
        saliency=tuple(
            Saliency(
                chosen_by=chosen_by,
                circular=circular,
                map=arrays[f"saliency/{number}"],
                by_subject=_by_subject(arrays, number),
                randomised_similarity=similarity,
            )
            for number, ((chosen_by, circular), similarity) in enumerate(
                zip(facts["saliency"], facts["randomised_similarity"], strict=True)
            )
        ),
        n_parameters=n_parameters,
        n_trainable=n_trainable,
        n_frozen=n_frozen,
        budgets=tuple(_budget(budget) for budget in facts["budgets"]),
        timings=tuple(Timing(**timing) for timing in facts["timings"]),
        trained_by=_trained_by(facts["trained_by"]),
    )


def _by_subject(arrays: Mapping[str, NDArray[Any]], number: int) -> SubjectSaliency | None:
    if f"saliency/{number}/subjects" not in arrays:
        return None
    return SubjectSaliency(**{name: arrays[f"saliency/{number}/{name}"] for name in _BY_SUBJECT})


def _trained_by(stored: dict[str, Any] | None) -> TrainedBy | None:
    if stored is None:
        return None
    return TrainedBy(**{**stored, "engine": EngineChoice(**stored["engine"])})


def _budget(stored: dict[str, Any]) -> Budget:
    inner = stored["inner"]
    if inner is not None:
        inner = InnerValidation(**{**inner, "learning_rates": tuple(inner["learning_rates"])})
    return Budget(**{**stored, "inner": inner})
