"""Estimators that braindecode makes, audited from end to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from pfactor_bench.auditing.audit import QUICK, audit
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.training.device import warm_up

if TYPE_CHECKING:
    from pfactor_bench.auditing.audit import Audit

pytestmark = pytest.mark.slow


def _regressor(**options: Any) -> Any:
    """Return a small network; its batches are smaller than the data, which it would drop."""
    from braindecode import EEGRegressor
    from braindecode.models import ShallowFBCSPNet

    return EEGRegressor(
        ShallowFBCSPNet,
        module__n_chans=8,
        module__n_outputs=1,
        module__n_times=200,
        module__n_filters_time=4,
        module__n_filters_spat=4,
        module__final_conv_length="auto",
        batch_size=16,
        max_epochs=2,
        verbose=0,
        **options,
    )


def _audit(estimator: Any) -> Audit:
    warm_up()
    return audit(estimator, synthetic(n_subjects=12, n_windows=4, seed=2), effort=QUICK)


def _search(estimator: Any, parameter: str) -> Any:
    return GridSearchCV(estimator, {parameter: [0.01, 0.001]}, cv=GroupKFold(2))


_HONEST = {
    "alone": lambda: _regressor(train_split=None),
    "in a pipeline": lambda: make_pipeline(FunctionTransformer(), _regressor(train_split=None)),
    "in a grouped search": lambda: _search(_regressor(train_split=None), "lr"),
    "in a pipeline in a search": lambda: _search(
        make_pipeline(FunctionTransformer(), _regressor(train_split=None)), "eegregressor__lr"
    ),
}


@pytest.mark.parametrize("name", _HONEST)
def test_honest_regressor_is_clean(name: str) -> None:
    """Its fit returns None, and every fold is fitted by it all the same."""
    result = _audit(_HONEST[name]())
    said = {one.code: one.explanation for one in result.findings if one.status in {"fail", "error"}}
    assert result.verdict == "clean", said


@pytest.mark.parametrize(
    ("stops", "decides"), [(True, True), (False, False)], ids=["stops early", "stops at the end"]
)
@pytest.mark.parametrize("steps", [[], [FunctionTransformer()]], ids=["alone", "in a pipeline"])
def test_split_by_window_warns(stops: bool, decides: bool, steps: list[Any]) -> None:  # noqa: FBT001
    """What skorch validates on by default are windows of subjects that it trains on."""
    from skorch.callbacks import EarlyStopping

    estimator = make_pipeline(*steps, _regressor(callbacks=[EarlyStopping()] if stops else None))
    finding = next(one for one in _audit(estimator).findings if one.code == "LK020")
    said_not_to = "nothing is decided" in finding.explanation
    assert (finding.status, said_not_to) == ("warn", not decides), finding.explanation
