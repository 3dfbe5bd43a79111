"""The cases of a suite: every model in every regime from every seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.config.keys import RegimeKeys
from pfactor_bench.models.baselines import BASELINES
from pfactor_bench.types import Case, ModelSpec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pfactor_bench.config.file import FileSection
    from pfactor_bench.config.keys import ModelKeys, SuiteKeys

#: A count of seeds starts where the case study's seeds start.
FIRST_SEED = 42

#: Names that measurements of no regime begin with.
_TAKEN = frozenset({"train-mean", "source"})


def make_cases(keys: SuiteKeys, top: FileSection, folder: Path) -> tuple[Case, ...]:
    """Return what ``model`` or ``models``, ``regimes`` and ``seeds`` come to.

    Parameters
    ----------
    keys, top
        The suite.
    folder
        The suite file's, which a model's relative ``file.py`` starts from.

    Returns
    -------
    tuple of Case
        Model by model, regime by regime, seed by seed. With ``models``, a regime's label is
        ``<model>/<regime>``.

    Raises
    ------
    ConfigError
        For a repeated name, or where both ``model`` and ``models`` stand, or neither.
    """
    regimes = [RegimeKeys(start=one) if isinstance(one, str) else one for one in keys.regimes]
    seeds = keys.seeds
    if isinstance(seeds, int):
        seeds = tuple(range(FIRST_SEED, FIRST_SEED + seeds))
    labels = [one.start if one.label is None else one.label for one in regimes]
    for label in labels:
        if labels.count(label) > 1:
            raise top.error(
                f"regime {label!r} stands twice in 'regimes': keep one, or give it a 'label'",
                "regimes",
            )
    cases = tuple(
        Case(
            regime=f"{prefix}{label}",
            model=model,
            seed=seed,
            start=regime.start,
            learning_rate=regime.learning_rate,
        )
        for prefix, model in _models(keys, top, folder).items()
        for regime, label in zip(regimes, labels, strict=True)
        for seed in seeds
    )
    _check_labels(top, [case.id for case in cases], [case.regime for case in cases])
    return cases


def _check_labels(top: FileSection, ids: Sequence[str], labels: Sequence[str]) -> None:
    """Refuse labels under which measurements of two cases, or of none, would stand."""
    for label in labels:
        if label in _TAKEN or label in BASELINES:
            raise top.error(
                f"regime label {label!r} is a simple predictor's name: choose another", "regimes"
            )
        if not all(part.strip() and part.isprintable() for part in label.split("/")):
            raise top.error(
                f"regime label {label!r} has an empty or unprintable part: choose another",
                "regimes",
            )
    if len(set(ids)) < len(ids):
        twice = next(one for one in ids if ids.count(one) > 1)
        raise top.error(
            f"two cases are called {twice!r}: choose labels that tell them apart", "regimes"
        )


def _models(keys: SuiteKeys, top: FileSection, folder: Path) -> dict[str, ModelSpec]:
    """Return models by what their regimes' labels begin with."""
    if keys.models is None:
        if keys.model is None:
            raise top.error("the suite has no 'model': add it")
        return {"": _spec(keys.model, folder)}
    if keys.model is not None:
        raise top.error("the suite has both 'model' and 'models': keep one", "models")
    models: dict[str, ModelSpec] = {}
    for model, entry in zip(keys.models, top.values["models"], strict=True):
        label = model.name.rpartition(":")[2] if model.label is None else model.label
        if f"{label}/" in models:
            raise entry.error(f"model {label!r} stands twice: give each its own 'label'")
        models[f"{label}/"] = _spec(model, folder)
    return models


def _spec(model: ModelKeys, folder: Path) -> ModelSpec:
    return ModelSpec(name=model.name, args=model.args, head=model.head, folder=folder)
