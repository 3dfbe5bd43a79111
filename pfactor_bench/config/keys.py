"""The keys of a suite file: what each means and what it may be.

`docs/suite-keys.md` is made from these classes: see `pfactor_bench.config.reference`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeAlias

from annotated_types import Gt
from pydantic import AfterValidator, BeforeValidator

from pfactor_bench.config.parse import Distinct, Filled, registered
from pfactor_bench.errors import UnknownNameError
from pfactor_bench.models.baselines import BASELINES
from pfactor_bench.models.names import refuse_unknown_model
from pfactor_bench.models.regimes import REGIMES
from pfactor_bench.training.engine import ENGINES
from pfactor_bench.training.saliency import WINDOW_CHOICES
from pfactor_bench.types import Budget, ClaimLevel, Requirement

#: More are a seed that was meant, not a count.
_MOST_SEEDS = 10_000

#: Of the generators that are seeded.
_LARGEST_SEED = 2**32 - 1


def _folder_name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", name):
        raise ValueError(
            f"name {name!r} is also a folder's: use lower-case letters, digits and hyphens"
        )
    return name


def _count(seeds: int) -> int:
    if seeds < 1:
        raise ValueError(f"seeds is {seeds}: it is a list, or a count above 0")
    if seeds > _MOST_SEEDS:
        raise ValueError(
            f"seeds is {seeds}: a count is {_MOST_SEEDS:,} at most; a single seed is a list, "
            f"[{seeds}]"
        )
    return seeds


def _in_range(seeds: tuple[int, ...]) -> tuple[int, ...]:
    for seed in seeds:
        if not 0 <= seed <= _LARGEST_SEED:
            raise ValueError(f"seed {seed} is out of range: 0 to {_LARGEST_SEED} is possible")
    return seeds


def _threads(value: object) -> object:
    """Return a number of threads; None is as many as torch takes by itself."""
    if value == "all":
        return None
    if value is None or isinstance(value, str) or (type(value) is int and value < 1):
        raise ValueError(f"threads is {value!r}: it is a count above 0, or 'all'")
    return value


def _known_model(name: str) -> str:
    try:
        refuse_unknown_model(name)
    except UnknownNameError as error:
        raise ValueError(str(error)) from error
    return name


def _engine_name(engine: object) -> object:
    """Return the name in a section of earlier versions, whose options are gone."""
    if not isinstance(engine, dict):
        return engine
    for option in engine.keys() - {"kind"}:
        raise ValueError(f"the engine's option {option!r} was removed: write 'engine: fast'")
    return engine.get("kind", "fast")


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelKeys:
    """A model, under ``model`` or in the list ``models``.

    Parameters
    ----------
    name
        Of a braindecode model or an entry point, ``module:factory`` or ``file.py:factory``.
    args
        Further keyword arguments of its constructor.
    head
        The submodule that turns features into a prediction, where it cannot be found by itself.
    label
        What its cases are named by where there are several models; its name if left out.
    """

    name: Annotated[str, AfterValidator(_known_model)]
    args: dict[str, Any] = field(default_factory=dict)
    head: str | None = None
    label: str | None = None


RegimeName: TypeAlias = Annotated[str, registered(REGIMES)]


@dataclass(frozen=True, kw_only=True, slots=True)
class RegimeKeys:
    """A regime, in the list ``regimes``; a name alone is one with nothing but its ``start``.

    Parameters
    ----------
    start
        Where the model starts and which of its parts train.
    label
        What its measurements are named by; `start` if left out.
    learning_rate
        The regime's own, in place of the budget's.
    """

    start: RegimeName
    label: str | None = None
    learning_rate: Annotated[float, Gt(0)] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimKeys(Requirement):
    """A sentence about one measurement, in the list ``claims``, with one of four requirements.

    Parameters
    ----------
    id
        Short and stable.
    text
        The sentence.
    measurement
        The measurement's name, such as ``from-scratch/skill``.
    level
        A ``gate`` fails the run; a ``report`` is written down.
    """

    id: str
    text: str
    measurement: str
    level: ClaimLevel = "report"


@dataclass(frozen=True, kw_only=True, slots=True)
class SuiteKeys:
    """A suite.

    Parameters
    ----------
    name
        Also the name of the report's folder: lower-case letters, digits and hyphens.
    title
        The report's heading.
    question
        What the claims answer.
    cohort
        The windows to run on: ``kind`` and the keys of that cohort.
    split
        Who is held out: ``kind`` and the keys of that split.
    model
        The model; or `models`.
    models
        Several models, each of which is trained in every regime from every seed.
    source
        What encoders are pretrained on, where a regime starts from one.
    regimes
        Where models start and which of their parts train.
    seeds
        A list of seeds, or how many to take from 42 on.
    budget
        How long and how hard a model is trained.
    engine
        ``fast`` trains all seeds and folds of a model at once; ``plain`` is the reference loop.
    threads
        How many of torch's threads train a case, or ``all``. It moves the third decimal.
    saliency
        How windows are chosen for saliency maps; the first is drawn.
    baselines
        Simple predictors that every regime is set beside, besides the train mean.
    claims
        What to judge.
    quick
        Whether ``pytest suites`` runs it without being asked to.
    """

    name: Annotated[str, AfterValidator(_folder_name)]
    title: str
    question: str
    cohort: dict[str, Any]
    split: dict[str, Any]
    model: ModelKeys | None = None
    models: Filled[ModelKeys] | None = None
    source: dict[str, Any] | None = None
    regimes: Filled[RegimeName | RegimeKeys]
    seeds: (
        Annotated[int, AfterValidator(_count)] | Annotated[Distinct[int], AfterValidator(_in_range)]
    )
    budget: Budget
    engine: Annotated[str, BeforeValidator(_engine_name), registered(ENGINES)] = "fast"
    threads: Annotated[int | None, BeforeValidator(_threads)] = 1
    saliency: Distinct[Annotated[str, registered(WINDOW_CHOICES)]] = ("all-held-out",)
    baselines: Distinct[Annotated[str, registered(BASELINES)]] = ()
    claims: tuple[ClaimKeys, ...] = ()
    quick: bool = False
