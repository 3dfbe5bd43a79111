"""Which engine trains a case, and which one did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["EngineChoice", "Precision", "TrainedBy"]

Precision: TypeAlias = Literal["float32", "tf32", "bf16"]


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineChoice:
    """How cases are to be trained.

    Parameters
    ----------
    kind
        Name in `pfactor_bench.training.engine.ENGINES`.
    precision
        Of products and convolutions while a model trains; ``"tf32"`` on a GPU that has it only.
        Weights, moments and predictions are float32 always.
    graphs
        Whether steps are recorded as CUDA graphs and replayed.
    compile
        Whether steps are compiled once a run has taken so many that it pays.
    """

    kind: str = "fast"
    precision: Precision = "float32"
    graphs: bool = False
    compile: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainedBy:
    """How a case was trained.

    Parameters
    ----------
    engine
        What trained it.
    fallback
        Why that is not what the suite asks for; None where it is.
    precision_error
        By how much the gradients of its first windows differ from float32's, as a share of their
        length; None where nothing but float32 took part.
    """

    engine: EngineChoice
    fallback: str | None = None
    precision_error: float | None = None
