"""The regimes of a suite, audited as if they were a stranger's study."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pfactor_bench.auditing.audit import audit
from pfactor_bench.execution.preparation import encoders_of
from pfactor_bench.splits.splitters import make_split
from pfactor_bench.studies.adapters import regime_study

if TYPE_CHECKING:
    from pfactor_bench.auditing.result import Audit
    from pfactor_bench.execution.preparation import Prepared
    from pfactor_bench.types import Case

__all__ = ["audit_regime"]

#: Longer training would only cost time: a prediction that may not move may not after one step.
_MAX_EPOCHS = 4


def audit_regime(prepared: Prepared, case: Case) -> Audit:
    """Audit one case of a suite on its own cohort, split and budget, at quick effort.

    Parameters
    ----------
    prepared
        The suite. Of its budget at most four epochs are used: an audit trains ten times.
    case
        Model, regime and seed. A pretrained regime keeps the suite's encoders, so that what is
        audited is what it does with them; LK022 looks at whom they have seen.
    """
    suite = prepared.suite
    study = regime_study(
        case,
        lambda cohort: make_split(suite.split, cohort.table),
        replace(suite.budget, epochs=min(suite.budget.epochs, _MAX_EPOCHS)),
        encoders={fold: encoder.tensors for fold, encoder in encoders_of(prepared, case).items()},
    )
    study.__name__ = case.regime  # type: ignore[attr-defined]
    return audit(study, prepared.cohort, effort="quick", progress=False)
