"""Suites: what a YAML file, the models beside it and a cohort on disk can bring."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.detection import model_door
from benchmarks.detection.leaks import injected_leaks
from benchmarks.detection.recipes import Recipe
from benchmarks.detection.scenes import clean_scene
from benchmarks.detection.trials import Trial
from pfactor_bench.pipeline.run import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pfactor_bench.records.record import Record

__all__ = ["suite_trials"]

_SUITE = """\
name: detection
title: A suite to be audited
question: Is anything wrong with it?
cohort: {kind: synthetic, n_subjects: 12, n_windows: 6}
split: {kind: grouped-k-fold, n_folds: 3}
model: {name: "model.py:small_cnn"}
regimes: [from-scratch]
seeds: [1]
budget: {epochs: 4}
"""
_SOURCE = """\
source:
  kind: target
  cohort: {kind: synthetic, n_subjects: 12, n_windows: 6}
  budget: {epochs: 1}
"""
#: By what is wrong: its kind, and what a suite says instead.
_WRONG = {
    "split by window": (3, _SUITE.replace("grouped-k-fold", "random-windows")),
    "circular explanation": (33, _SUITE + "saliency: [smallest-error]\n"),
    "source of the same subjects": (
        22,
        _SUITE.replace("[from-scratch]", "[linear-probe]").replace('"model.py:small_cnn"', "EEGNet")
        + _SOURCE,
    ),
    "outputs remembered": (25, _SUITE.replace("small_cnn", "outputs_remembered")),
    "BatchNorm in train mode": (24, _SUITE.replace("small_cnn", "batch_norm_in_train_mode")),
    "weights shared": (23, _SUITE.replace("small_cnn", "weights_shared")),
}
_CLEAN = {
    "suite": _SUITE,
    "hold-out": _SUITE.replace("grouped-k-fold, n_folds: 3", "last-subjects"),
    "EEGNet": _SUITE.replace('"model.py:small_cnn"', "EEGNet"),
}
#: Leaks of a cohort on disk.
_ON_DISK = ("second name", "linked twice", "copy, rescaled")
_N_EVALUATIONS = 10


def suite_trials() -> Iterator[Trial]:
    """Yield clean suites, and suites with one thing wrong."""
    for host, text in _CLEAN.items():
        yield Trial(door="suite", host=host, enter=partial(_run, text))
    for leak, (kind, text) in _WRONG.items():
        enter = partial(_run, text)
        yield Trial(door="suite", host="suite", enter=enter, leak=leak, kinds=(kind,))
    for leak, kind, enter in (
        ("test set used again", 21, _again_and_again),
        ("excluded after results", 13, _excluded),
    ):
        yield Trial(door="suite", host="suite", enter=enter, leak=leak, kinds=(kind,))
    yield Trial(door="suite", host="on disk", enter=partial(_on_disk, ""))
    for leak in _ON_DISK:
        kinds = (injected_leaks()[leak].kind,)
        enter = partial(_on_disk, leak)
        yield Trial(door="suite", host="on disk", enter=enter, leak=leak, kinds=kinds)


def _run(text: str, folder: Path, *, audit: bool = True, declare: Path | None = None) -> Record:
    names = ", ".join(name for name in dir(model_door) if f".py:{name}" in text)
    model = f"from benchmarks.detection.model_door import {names}\n" if names else ""
    (folder / "model.py").write_text(model, encoding="utf-8")
    (folder / "suite.yaml").write_text(text, encoding="utf-8")
    return run(
        folder / "suite.yaml",
        out=folder / "out",
        data_dir=folder,
        device="cpu",
        audit=audit,
        declare=declare,
        progress=False,
    )


def _again_and_again(folder: Path) -> Record:
    """Try one number of epochs after the other on the same held-out subjects."""
    for epochs in range(1, _N_EVALUATIONS + 1):
        found = _run(_SUITE.replace("epochs: 4", f"epochs: {epochs}"), folder, audit=False)
    return found


def _excluded(folder: Path) -> Record:
    """Leave a subject out who is not on the list that was fixed beforehand."""
    path = folder / "declared.yaml"
    path.write_text(
        "exclusions:\n  excluded: {}\n  all_subjects: [sub-99]\n"
        "  sha256: 44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\n",
        encoding="utf-8",
    )
    return _run(_SUITE, folder, audit=False, declare=path)


def _on_disk(leak: str, folder: Path) -> Record:
    scene = clean_scene(Recipe(family="ridge", protocol="4-fold"))
    if leak:
        scene = injected_leaks()[leak].plant(scene, injected_leaks()[leak].full_severity)
    cohort = scene.cohort
    np.savez(folder / "cohort.npz", X=cohort.X, y=cohort.y, subjects=cohort.subjects)
    text = _SUITE.replace(
        "{kind: synthetic, n_subjects: 12, n_windows: 6}",
        f"{{kind: arrays, dataset: cohort.npz, target: p_factor, sfreq: {cohort.sfreq:g}, "
        f"channels: [{', '.join(cohort.ch_names)}]}}",
    )
    return _run(text, folder)
