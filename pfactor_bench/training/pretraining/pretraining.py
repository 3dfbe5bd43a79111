"""Pretraining: an encoder per fold, made once, kept by what it was made from, and used again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.errors import ConfigError
from pfactor_bench.files import ensure_writable
from pfactor_bench.models.build import build_model
from pfactor_bench.models.heads import encoder_state
from pfactor_bench.models.identity import code_versions, digest, model_identity
from pfactor_bench.training.device import seeded, torch_threads
from pfactor_bench.training.fold import Scale
from pfactor_bench.training.loop import fit
from pfactor_bench.training.pretraining.checkpoints import (
    Encoder,
    manifest_path,
    read_encoder,
    write_encoder,
)
from pfactor_bench.training.pretraining.sources import (
    StoredEncoder,
    refuse_shared_subjects,
    subjects_for_fold,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import torch
    from numpy.typing import NDArray

    from pfactor_bench.training.loop import Loss
    from pfactor_bench.training.pretraining.sources import SourceTask, SourceWindows
    from pfactor_bench.types import Cohort, ModelSpec, Split


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class EncoderRecipe:
    """Everything that an encoder is made from.

    Parameters
    ----------
    task, windows
        The source task and its windows.
    model
        What is pretrained.
    cohort
        The target, whose windows the model is built for.
    device, threads
        Where, and with how many of torch's threads.
    """

    task: SourceTask
    windows: SourceWindows
    model: ModelSpec
    cohort: Cohort
    device: torch.device
    threads: int

    def manifest(self, subjects: NDArray[np.str_]) -> dict[str, Any]:
        """Return what the encoder of `subjects` is made from, as plain JSON values."""
        n_chans, n_times = self.cohort.X.shape[1:]
        return {
            "subjects": subjects.tolist(),
            "cohort_fingerprint": self.windows.fingerprint,
            "cohort": {"kind": self.task.cohort.kind, "args": dict(self.task.cohort.args)},
            "task": {"kind": self.task.kind, "tasks": list(self.task.tasks)},
            "model": {
                **model_identity(self.model),
                "ch_names": list(self.cohort.ch_names),
                "n_chans": n_chans,
                "n_times": n_times,
                "sfreq": self.cohort.sfreq,
            },
            "budget": asdict(self.task.budget),
            "seed": self.task.seed,
            "device": self.device.type,
            "threads": self.threads,
            "versions": dict(code_versions()),
        }


def plan_subjects(
    source: SourceTask | StoredEncoder, windows: SourceWindows | None, cohort: Cohort, split: Split
) -> dict[str, NDArray[np.str_]]:
    """Return whom each fold's encoder has seen or will see, before anything is trained.

    Raises
    ------
    CheckpointError
        If a stored encoder cannot be read.
    ConfigError
        If it is a subject whom the fold holds out, and that was not allowed.
    """
    subjects = {}
    for fold in split.folds:
        if isinstance(source, StoredEncoder):
            seen = np.unique(np.array(read_encoder(source.path).manifest["subjects"], dtype=str))
        else:
            assert windows is not None  # noqa: S101 - a task has windows
            seen = subjects_for_fold(source, windows, np.unique(cohort.subjects[fold.test]))
        if not source.allow_shared_subjects:
            refuse_shared_subjects(seen, cohort, split, fold_name=fold.name)
        subjects[fold.name] = seen
    return subjects


def encoders_by_fold(
    recipe: EncoderRecipe, subjects: Mapping[str, NDArray[np.str_]], cache: Path
) -> dict[str, Encoder]:
    """Return each fold's encoder, read from `cache` or pretrained and written there.

    Parameters
    ----------
    recipe
        What they are made from.
    subjects
        By fold, whom they are made from; folds with the same subjects share an encoder, read once.
    cache
        Folder of encoders, each named after all that it was made from.

    Raises
    ------
    CheckpointError
        If a stored one was truncated or changed.
    """
    known: dict[bytes, Encoder] = {}
    found = {}
    for fold, one in subjects.items():
        names = one.tobytes()
        if names not in known:
            known[names] = _read_or_pretrain(recipe, one, cache)
        found[fold] = known[names]
    return found


def _read_or_pretrain(recipe: EncoderRecipe, subjects: NDArray[np.str_], cache: Path) -> Encoder:
    from filelock import FileLock

    manifest = recipe.manifest(subjects)
    key = digest(manifest)
    path = cache / f"{key[:32]}.safetensors"
    if manifest_path(path).exists():
        return read_encoder(path)
    ensure_writable(cache)
    # Whoever else wants it waits, and finds it there; a dead process's lock is void.
    with FileLock(path.with_suffix(".lock")):
        if manifest_path(path).exists():
            return read_encoder(path)
        tensors, facts = _pretrain(recipe, subjects)
        return write_encoder(path, tensors, {**manifest, "key": key, **facts})


def _pretrain(
    recipe: EncoderRecipe, subjects: NDArray[np.str_]
) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Train on the windows of `subjects`; return the encoder and how well the task was learnt."""
    import torch

    task, windows = recipe.task, recipe.windows
    inside = np.isin(windows.subjects, subjects)
    scale = Scale.of(windows.y[inside], task.budget) if windows.label == "target" else Scale()
    y = scale.to_model(windows.y[inside]).astype(np.float32)
    with torch_threads(recipe.threads), seeded(task.seed, recipe.device):
        model = build_model(recipe.model, recipe.cohort).to(recipe.device)
        trajectory = fit(
            model,
            X=torch.from_numpy(windows.X[inside]).to(recipe.device),
            y=torch.from_numpy(y).to(recipe.device),
            X_held_out=torch.from_numpy(windows.X[~inside]).to(recipe.device),
            budget=task.budget,
            loss=_loss(windows),
        )
    facts: dict[str, Any] = {"train_loss": [float(loss) for loss in trajectory.train_mse]}
    if windows.label == "task" and not inside.all():
        facts["held_out_auc"] = _auc_by_subject(
            windows.subjects[~inside], windows.y[~inside], trajectory.held_out[-1]
        )
    return encoder_state(model, recipe.model.head), facts


def _loss(windows: SourceWindows) -> Loss | None:
    from torch.nn.functional import binary_cross_entropy_with_logits

    if windows.label == "target":
        return None
    if len(np.unique(windows.y)) < 2:  # noqa: PLR2004 - a contrast
        raise ConfigError("the source's windows are all of one task: nothing to tell apart")
    return binary_cross_entropy_with_logits


def _auc_by_subject(
    subjects: NDArray[np.str_], y: NDArray[np.float64], y_pred: NDArray[np.float64]
) -> dict[str, float]:
    """Return how well each subject's windows of the one task rank above those of the other.

    Within a subject: a difference between subjects cannot pass for one between tasks.
    """
    from sklearn.metrics import roc_auc_score

    found = {}
    for subject in np.unique(subjects):
        mine = subjects == subject
        if len(np.unique(y[mine])) == 2:  # noqa: PLR2004 - has windows of both tasks
            found[str(subject)] = float(roc_auc_score(y[mine], y_pred[mine]))
    return found
