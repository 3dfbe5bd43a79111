"""What is trained, how, and from which seed."""

from __future__ import annotations

from collections.abc import Mapping  # pydantic reads the annotations
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from annotated_types import Ge, Gt, Lt

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Budget", "Case", "Ingredient", "InnerValidation", "ModelSpec", "TargetScale"]

TargetScale: TypeAlias = Literal["raw", "standardized"]


@dataclass(frozen=True, kw_only=True, slots=True)
class InnerValidation:
    """Choosing epochs and learning rate on subjects who are trained on, never on the held-out ones.

    Parameters
    ----------
    fraction
        Share of a fold's training subjects that the choice is made on.
    seed
        Of the draw of those subjects.
    learning_rates
        What to choose from; empty leaves the budget's.

    References
    ----------
    Varma & Simon 2006, doi:10.1186/1471-2105-7-91, on why the choice needs a loop of its own.
    """

    fraction: Annotated[float, Gt(0), Lt(1)] = 0.25
    seed: int = 0
    learning_rates: tuple[Annotated[float, Gt(0)], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """How long and how hard a model is trained.

    Parameters
    ----------
    epochs
        Passes over the training windows. The last epoch's model is the one that is evaluated.
    batch_size
        Windows per step.
    learning_rate, weight_decay
        Of AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101).
    targets
        ``"raw"``, or ``"standardized"`` by mean and standard deviation over the training windows,
        for targets whose mean lies so far from 0 that learning it would take all of the budget.
        Predictions and errors are in the target's own unit either way.
    inner
        How the number of epochs, at most `epochs`, and the learning rate are chosen in each fold;
        None trains for `epochs`.
    """

    epochs: Annotated[int, Gt(0)]
    batch_size: Annotated[int, Gt(0)] = 32
    learning_rate: Annotated[float, Gt(0)] = 1e-3
    weight_decay: Annotated[float, Ge(0)] = 1e-3
    targets: TargetScale = "raw"
    inner: InnerValidation | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelSpec:
    """A model by name, with what does not follow from the cohort.

    Parameters
    ----------
    name
        Of a braindecode model or an entry point, ``module:factory`` or ``file.py:factory``.
    args
        Further keyword arguments of its constructor.
    head
        The submodule that turns features into a target, where it cannot be found by itself.
    folder
        What a relative ``file.py`` starts from; None is the current folder.
    """

    name: str
    args: Mapping[str, Any] = field(default_factory=dict)
    head: str | None = None
    folder: Path | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ingredient:
    """A registered function by name, with the keyword arguments that the suite sets."""

    kind: str
    args: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Case:
    """One cell of a suite: a model in a regime from a seed.

    Parameters
    ----------
    regime
        Label of the regime, unique within the suite; measurements are named after it. With several
        models it begins with the model's.
    seed
        Of initial weights, batches and dropout, the same in every fold.
    start
        Name in `pfactor_bench.models.regimes.REGIMES`.
    learning_rate
        The regime's own; None takes the budget's.
    """

    regime: str
    model: ModelSpec
    seed: int
    start: str = "from-scratch"
    learning_rate: float | None = None

    @property
    def id(self) -> str:
        """The case's name in measurements, tests and reports."""
        return f"{self.regime}/seed-{self.seed}"
