"""The study that the README shows, run as it is printed there and once put right."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pfactor_bench.auditing.audit import audit

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
_LEAK = (
    "    features = StandardScaler().fit_transform(features)  # fitted on every subject: a leak\n"
)
_FIT = "        y_pred = Ridge()"
_MENDED = "        features = scaler(np.log(cohort.X.var(axis=2)), train)\n        y_pred = Ridge()"


def study_of(source: str) -> Any:
    """Return the function ``study`` that a source defines."""
    namespace: dict[str, Any] = {}
    exec(source, namespace)  # noqa: S102 - our own text
    return namespace["study"]


def printed() -> str:
    """Return the study as the README prints it."""
    found = re.search(r"```python\n# my_study\.py\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found[1]


def test_printed_study_is_leaky() -> None:
    """The scaler was fitted on every subject."""
    found = audit(study_of(printed()), effort="quick")
    assert [one.code for one in found.findings if one.status == "fail"] == ["LK102"]


@pytest.mark.parametrize("drop", ["", ', "fold": fold', ', "fold": fold, "role": "test"'])
def test_study_with_fewer_columns_is_not_clean(drop: str) -> None:
    """Whatever it leaves out of its table, the leak does not pass for clean."""
    source = printed().replace(drop, "") if drop else printed()
    source = source.replace(
        "tables += [pd.DataFrame(held_out), pd.DataFrame(trained)]",
        "tables += [pd.DataFrame(held_out)]",
    )
    assert audit(study_of(source)).verdict != "clean"


def test_study_that_scales_in_the_fold_is_clean() -> None:
    """The fix that the finding names."""
    scaler = "\n\ndef scaler(X, train):\n    return StandardScaler().fit(X[train]).transform(X)\n"
    source = printed().replace(_LEAK, "").replace(_FIT, _MENDED) + scaler
    assert audit(study_of(source)).verdict == "clean"
