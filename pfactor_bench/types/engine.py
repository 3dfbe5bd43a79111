"""Which engine trains a case, and which one did."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["EngineChoice", "TrainedBy"]


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineChoice:
    """How cases are to be trained.

    Parameters
    ----------
    kind
        Name in `pfactor_bench.training.engine.ENGINES`.
    """

    kind: str = "fast"


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainedBy:
    """How a case was trained.

    Parameters
    ----------
    engine
        What trained it.
    fallback
        Why that is not what the suite asks for; None where it is.
    """

    engine: EngineChoice
    fallback: str | None = None
