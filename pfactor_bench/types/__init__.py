"""The values that flow from stage to stage; nothing here imports another part of the project.

Importing them costs nothing either: numpy and pandas are named in annotations only, so that judging
and rendering stay quick.
"""

from __future__ import annotations

from pfactor_bench.types.case import (
    Budget,
    Case,
    Ingredient,
    InnerValidation,
    ModelSpec,
    TargetScale,
)
from pfactor_bench.types.claim import Claim, ClaimLevel, Requirement, Verdict, VerdictStatus
from pfactor_bench.types.cohort import Cohort, InjectedSignal
from pfactor_bench.types.engine import EngineChoice, TrainedBy
from pfactor_bench.types.finding import CheckStatus, Finding, Scalar
from pfactor_bench.types.measurement import Estimand, Interval, Measurement
from pfactor_bench.types.result import CaseResult, Curves, Saliency, SubjectSaliency, Timing
from pfactor_bench.types.split import Fold, Split

__all__ = [
    "Budget",
    "Case",
    "CaseResult",
    "CheckStatus",
    "Claim",
    "ClaimLevel",
    "Cohort",
    "Curves",
    "EngineChoice",
    "Estimand",
    "Finding",
    "Fold",
    "Ingredient",
    "InjectedSignal",
    "InnerValidation",
    "Interval",
    "Measurement",
    "ModelSpec",
    "Requirement",
    "Saliency",
    "Scalar",
    "Split",
    "SubjectSaliency",
    "TargetScale",
    "Timing",
    "TrainedBy",
    "Verdict",
    "VerdictStatus",
]
