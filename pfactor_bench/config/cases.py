"""The cases of a suite: every model in every regime from every seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pfactor_bench.config.file import Section
from pfactor_bench.config.values import list_of, look_up
from pfactor_bench.errors import UnknownNameError
from pfactor_bench.models.baselines import BASELINES
from pfactor_bench.models.names import refuse_unknown_model
from pfactor_bench.models.regimes import REGIMES
from pfactor_bench.types import Case, ModelSpec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["FIRST_SEED", "read_cases"]

#: A count of seeds starts where the case study's seeds start.
FIRST_SEED = 42

#: More are a seed that was meant, not a count.
_MOST_SEEDS = 10_000

#: Of the generators that are seeded.
_LARGEST_SEED = 2**32 - 1

#: Names that measurements of no regime begin with.
_TAKEN = frozenset({"train-mean", "source"})

_MODEL_KEYS = ("name", "args", "head", "label")


@dataclass(frozen=True, kw_only=True, slots=True)
class _RegimeEntry:
    """A regime as a suite lists it."""

    label: str
    start: str
    learning_rate: float | None = None


def read_cases(top: Section, folder: Path) -> tuple[Case, ...]:
    """Read ``model`` or ``models``, ``regimes`` and ``seeds``.

    Parameters
    ----------
    top
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
        For an unknown or repeated name, or where both ``model`` and ``models`` stand.
    """
    regimes = _read_regimes(top)
    seeds = _read_seeds(top)
    cases = tuple(
        Case(
            regime=f"{prefix}{regime.label}",
            model=model,
            seed=seed,
            start=regime.start,
            learning_rate=regime.learning_rate,
        )
        for prefix, model in _read_models(top, folder).items()
        for regime in regimes
        for seed in seeds
    )
    _check_labels(top, [case.id for case in cases], [case.regime for case in cases])
    return cases


def _check_labels(top: Section, ids: Sequence[str], labels: Sequence[str]) -> None:
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


def _read_models(top: Section, folder: Path) -> dict[str, ModelSpec]:
    """Return models by what their regimes' labels begin with."""
    if "models" not in top.values:
        return {"": _read_model(top.get("model", Section), folder)}
    if "model" in top.values:
        raise top.error("the suite has both 'model' and 'models': keep one", "models")
    models: dict[str, ModelSpec] = {}
    for entry in _sections(top, "models", "a model such as {name: EEGNet}"):
        spec = _read_model(entry, folder)
        label = entry.get("label", str, default=spec.name.rpartition(":")[2])
        if f"{label}/" in models:
            raise entry.error(f"model {label!r} stands twice: give each its own 'label'")
        models[f"{label}/"] = spec
    return models


def _read_model(section: Section, folder: Path) -> ModelSpec:
    section.check_keys(_MODEL_KEYS)
    args, name = section.get("args", Section, default=None), section.get("name", str)
    try:
        refuse_unknown_model(name)
    except UnknownNameError as error:
        raise section.error(str(error), "name") from error
    return ModelSpec(
        name=name,
        args=args.plain() if args else {},
        head=section.get("head", str, default=None),
        folder=folder,
    )


def _read_regimes(top: Section) -> tuple[_RegimeEntry, ...]:
    values: list[object] = top.get("regimes", list)
    if not values:
        raise top.error("'regimes' is empty: name at least one", "regimes")
    entries = [_read_regime(top, value) for value in values]
    labels = [entry.label for entry in entries]
    for label in labels:
        if labels.count(label) > 1:
            raise top.error(
                f"regime {label!r} stands twice in 'regimes': keep one, or give it a 'label'",
                "regimes",
            )
    return tuple(entries)


def _read_regime(top: Section, value: object) -> _RegimeEntry:
    if isinstance(value, str):
        look_up(top, "regimes", REGIMES, value)
        return _RegimeEntry(label=value, start=value)
    if not isinstance(value, Section):
        raise top.error(f"{value!r} in 'regimes' is neither a name nor a section", "regimes")
    value.check_keys(["start", "label", "learning_rate"])
    start = value.get("start", str)
    look_up(value, "start", REGIMES, start)
    rate = value.get("learning_rate", float, default=None)
    if rate is not None and rate <= 0:
        raise value.error(f"learning_rate is {rate}: it must be above 0", "learning_rate")
    return _RegimeEntry(
        label=value.get("label", str, default=start), start=start, learning_rate=rate
    )


def _read_seeds(top: Section) -> Sequence[int]:
    """Read a list of seeds, or how many to take."""
    if not isinstance(top.get("seeds", (int, list)), int):
        seeds: list[int] = list_of(top, "seeds", int)
        for seed in seeds:
            if not 0 <= seed <= _LARGEST_SEED:
                raise top.error(
                    f"seed {seed} is out of range: 0 to {_LARGEST_SEED} is possible", "seeds"
                )
        return seeds
    count: int = top.get("seeds", int)
    if count < 1:
        raise top.error(f"seeds is {count}: it is a list, or a count above 0", "seeds")
    if count > _MOST_SEEDS:
        raise top.error(
            f"seeds is {count}: a count is {_MOST_SEEDS:,} at most; a single seed is a list, "
            f"[{count}]",
            "seeds",
        )
    return range(FIRST_SEED, FIRST_SEED + count)


def _sections(top: Section, key: str, example: str) -> list[Section]:
    values: list[object] = top.get(key, list)
    if not values:
        raise top.error(f"{key!r} is empty: name at least one", key)
    for value in values:
        if not isinstance(value, Section):
            raise top.error(f"{value!r} in {key!r} is no section: expected {example}", key)
    return [value for value in values if isinstance(value, Section)]
