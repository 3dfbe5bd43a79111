"""Every check of the catalogue has something to look at behind some door that users have."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from regime_suites import REGIME_SUITE
from sklearn.linear_model import Ridge

from pfactor_bench import audit, run
from pfactor_bench.checks import catalogue
from pfactor_bench.checks.engine.effort import QUICK
from pfactor_bench.cohorts import load_cohort
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.config import load_suite
from pfactor_bench.config.declared import Exclusions
from pfactor_bench.studies.changes import changed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pfactor_bench.config import Suite
    from pfactor_bench.types import Cohort, Finding

_STUDY = """\
import numpy as np, pandas as pd
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

def study(cohort, *, seed):
    # The injected rhythm of 10 Hz, whose amplitude follows the target.
    rhythm = np.sin(2 * np.pi * 10 * np.arange(cohort.X.shape[-1]) / cohort.sfreq)
    F, names, tables = cohort.X @ rhythm, cohort.table["sample_id"].to_numpy(), []
    folds = GroupKFold(3).split(F, cohort.y, cohort.subjects)
    for number, (train, test) in enumerate(folds):
        model = make_pipeline(StandardScaler(), Ridge())
        search = GridSearchCV(model, {"ridge__alpha": [1, 10]}, cv=GroupKFold(2))
        search.fit(F[train], cohort.y[train], groups=cohort.subjects[train])
        held_out = {"sample_id": names[test], "role": "test", "y_pred": search.predict(F[test])}
        trained = {"sample_id": names[train], "role": "train"}
        tables += [pd.DataFrame(one).assign(fold=number) for one in (held_out, trained)]
    return pd.concat(tables)
"""

_MODEL = """\
from torch import nn

class Net(nn.Module):
    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(n_inputs, 4), nn.ReLU())
        self.final_layer = nn.Linear(4, n_outputs)

    def forward(self, X):
        return self.final_layer(self.body(X))

def build(*, n_chans, n_outputs, n_times, **_given):
    return Net(n_chans * n_times, n_outputs)
"""

_CLAIMS = {"r": "0.2", "best_r": "0.3", "saliency": "all-held-out", "seeds": ["0"]}


def _cohort() -> Cohort:
    plain = synthetic(n_subjects=12, n_windows=4, seed=3)
    families = plain.table["subject"].map(lambda name: f"family of {name}")
    return changed(plain, table=plain.table.assign(family=families, parent=""))


def _declared(folder: Path, cohort: Cohort) -> Path:
    path = folder / "declared.yaml"
    all_subjects = sorted(set(cohort.subjects.tolist()))
    path.write_text(
        f"exclusions:\n  excluded: {{}}\n  sha256: {Exclusions(excluded={}).digest}\n"
        f"  all_subjects: {all_subjects}\n"
    )
    return path


def _study_by_path(folder: Path) -> Iterable[Finding]:
    (folder / "front_study.py").write_text(_STUDY)
    cohort = _cohort()
    effort = replace(QUICK, permutations=20)
    target, declare = f"{folder / 'front_study.py'}:study", _declared(folder, cohort)
    return audit(target, cohort, effort=effort, declare=declare, progress=False).findings


def _model_by_path(folder: Path) -> Iterable[Finding]:
    (folder / "front_model.py").write_text(_MODEL)
    effort = replace(QUICK, paired_folds=2)
    target = f"{folder / 'front_model.py'}:build"
    return audit(target, _cohort(), effort=effort, progress=False).findings


def _estimator(_folder: Path) -> Iterable[Finding]:
    return audit(Ridge(), _cohort(), effort=QUICK, progress=False).findings


def _predictions_of_a_run(folder: Path) -> Iterable[Finding]:
    suite, out = _suite(folder), folder / "report"
    run(suite, out=out, device="cpu", audit=False, progress=False)
    table = pd.read_parquet(out / "predictions.parquet")
    table = table[table["regime"] == "from-scratch"].assign(seed=0)
    table = table.drop_duplicates(["sample_id", "fold", "role"])
    cohort = load_cohort(suite.cohort, None)
    y_true = dict(zip(cohort.table["sample_id"], cohort.y, strict=True))
    table.assign(y_true=table["sample_id"].map(y_true)).to_csv(folder / "saved.csv", index=False)
    found = audit(f"{folder / 'saved.csv'}", cohort, claims=_CLAIMS, progress=False)
    return found.findings


def _suite_run(folder: Path) -> Iterable[Finding]:
    suite = _suite(folder)
    declare = _declared(folder, load_cohort(suite.cohort, None))
    out = folder / "report"
    return run(suite, out=out, device="cpu", audit=False, declare=declare, progress=False).findings


def _suite(folder: Path) -> Suite:
    path = folder / "suite.yaml"
    path.write_text(REGIME_SUITE)
    return load_suite(path)


_DOORS: dict[str, Callable[[Path], Iterable[Finding]]] = {
    "study": _study_by_path,
    "model": _model_by_path,
    "estimator": _estimator,
    "predictions": _predictions_of_a_run,
    "suite": _suite_run,
}

#: Checks that a study by its path does not reach, and what does.
_OTHER_DOORS = {
    **dict.fromkeys(("LK017", "LK019", "LK028", "LK033", "LK036", "LK038", "LK039"), "predictions"),
    **dict.fromkeys(("LK021", "LK022", "LK026", "LK031", "LK032", "LK034"), "suite"),
    **dict.fromkeys(("LK107", "LK402"), "model"),
    "LK112": "estimator",
}


def _door(code: str) -> str:
    return _OTHER_DOORS.get(code, "model" if code.startswith("LK20") else "study")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Finding]]:
    """Return what each door finds, each opened when a check first asks for it."""

    @cache
    def through(door: str) -> dict[str, Finding]:
        findings = _DOORS[door](tmp_path_factory.mktemp(door))
        return {finding.code: finding for finding in findings}

    return through


@pytest.mark.parametrize("code", [entry.code for entry in catalogue()])
def test_check_is_reached(code: str, found: Callable[[str], dict[str, Finding]]) -> None:
    """It passes, warns or fails: what a user cannot reach does not count."""
    import torch

    if code == "LK207" and not torch.cuda.is_available():
        pytest.skip("it compares with a GPU, and torch finds none")
    finding = found(_door(code))[code]
    assert finding.status in {"pass", "warn", "fail"}, finding.explanation
