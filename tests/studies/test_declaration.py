"""What a study declares, it is held to: exactly that, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.detection.honest import HONEST, plain_ridge
from benchmarks.detection.leaky import INJECTED
from pfactor_bench import declare
from pfactor_bench.auditing.audit import audit
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.errors import StudyError
from pfactor_bench.studies.declaration import Declaration, declaration_of

if TYPE_CHECKING:
    from pfactor_bench.types import Cohort, Finding

COHORT = synthetic(n_subjects=12, n_windows=6, seed=5)


def finding(study: object, code: str) -> Finding:
    """Return what one check says of a study."""
    (found,) = [one for one in audit(study, COHORT, only=[code]).findings if one.code == code]
    return found


def declared(study: Any, **what: Any) -> Any:
    """Return a study that declares something and else is as it was."""

    def copy(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        return study(cohort, seed=seed)

    return declare(**what)(copy)


@pytest.mark.parametrize("access", ["some", "own-labelled-0", "own-labelled-", ""])
def test_unknown_access_is_refused(access: str) -> None:
    """With what may be said."""
    with pytest.raises(StudyError, match="declare 'none', 'own-unlabelled'"):
        declare(access=access)


def test_a_name_is_no_list_of_inputs() -> None:
    """A text would be a list of letters."""
    with pytest.raises(StudyError, match=r"\['age'\]"):
        declare(inputs="age")


def test_nothing_is_declared_without_a_declaration() -> None:
    """And nothing of another make is read."""
    assert declaration_of(plain_ridge) == Declaration()


@pytest.mark.parametrize(
    ("access", "status"), [("none", "fail"), ("own-unlabelled", "pass"), ("all-unlabelled", "pass")]
)
def test_normalisation_per_subject(access: str, status: str) -> None:
    """Lawful where it is declared, a leak where the opposite is."""
    study = declared(HONEST["normalised_per_subject"], access=access)
    assert finding(study, "LK102").status == status


@pytest.mark.parametrize(
    ("access", "status"), [("own-unlabelled", "fail"), ("all-unlabelled", "pass")]
)
def test_scaler_over_all_subjects(access: str, status: str) -> None:
    """A transductive step may use all unlabelled windows, and nothing less allows it."""
    study = declared(INJECTED["scaler_on_everything"].study, access=access)
    assert finding(study, "LK102").status == status


def _calibrated(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Shift each subject's predictions by the error on two labelled windows of the subject."""
    table = plain_ridge(cohort, seed=seed)
    subject_of = dict(zip(cohort.table["sample_id"], cohort.subjects, strict=True))
    truth = dict(zip(cohort.table["sample_id"], cohort.y, strict=True))
    whose = table["sample_id"].map(subject_of)
    error = table["sample_id"].map(truth) - table["y_pred"]
    shift = error.groupby(whose).transform(lambda one: one.iloc[:2].mean())
    return table.assign(y_pred=table["y_pred"] + shift)


def _calibrated_on_all(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Shift all predictions by the mean error of all held-out subjects."""
    table = plain_ridge(cohort, seed=seed)
    truth = dict(zip(cohort.table["sample_id"], cohort.y, strict=True))
    error = table["sample_id"].map(truth) - table["y_pred"]
    return table.assign(y_pred=table["y_pred"] + error.groupby(table["fold"]).transform("mean"))


@pytest.mark.parametrize(("study", "status"), [(_calibrated, "pass"), (_calibrated_on_all, "fail")])
def test_calibration_on_labelled_windows(study: Any, status: str) -> None:
    """Own labelled windows are lawful where they are declared, those of others are not."""
    assert finding(declared(study, access="own-labelled-2"), "LK101").status == status


def test_calibration_that_is_not_declared_is_a_leak() -> None:
    """Targets of held-out subjects reach their predictions."""
    assert finding(_calibrated, "LK101").status == "fail"


def _uses_age(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    table = plain_ridge(cohort, seed=seed)
    age = dict(zip(cohort.table["sample_id"], cohort.table["age"], strict=True))
    return table.assign(y_pred=table["y_pred"] + 0.01 * table["sample_id"].map(age))


@pytest.mark.parametrize(("inputs", "status"), [((), "warn"), (["age"], "pass")])
def test_columns_that_enter_are_declared(inputs: list[str], status: str) -> None:
    """A covariate is an input like others, if it is said."""
    from pfactor_bench.studies.changes import with_columns

    names = np.unique(COHORT.subjects)
    ages = np.linspace(6, 20, len(names))[np.searchsorted(names, COHORT.subjects)]
    cohort = with_columns(COHORT, {"age": ages})
    study = declared(_uses_age, inputs=inputs)
    (found,) = [one for one in audit(study, cohort, only=["LK110"]).findings if one.code == "LK110"]
    assert found.status == status
    told = "; a ridge on them alone has skill " in found.explanation
    assert told == (status == "pass"), found.explanation


def test_covariates_are_measured_alone() -> None:
    """A covariate that tells the target needs no signal; one that tells nothing has no skill."""
    from pfactor_bench.checks.metamorphic.covariates import covariates_alone
    from pfactor_bench.checks.metamorphic.probe import Probe
    from pfactor_bench.studies.changes import with_columns
    from pfactor_bench.studies.harness import Runner
    from pfactor_bench.studies.sandbox import Limits

    site = np.where(COHORT.y > np.median(COHORT.y), "high", "low")
    cohort = with_columns(COHORT, {"told": COHORT.y, "site": site, "same": np.ones(len(site))})
    folds = Probe(Runner(plain_ridge, seed=0, limits=Limits(seconds=60)), cohort).folds
    told, site_alone, same = (
        covariates_alone(cohort, folds, [name]) for name in ("told", "site", "same")
    )
    assert told is not None
    assert site_alone is not None
    assert same is not None
    assert told[0] > 0.95 > site_alone[0] > 0.3 > same[0]
    assert same[0] == pytest.approx(0.0, abs=1e-9)


def _formula(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    del seed
    names = cohort.table["sample_id"]
    return pd.DataFrame({"sample_id": names, "y_pred": cohort.X.mean(axis=(1, 2)), "fold": "all"})


def test_formula_that_says_what_it_was_trained_on_is_not_asked() -> None:
    """Nothing is trained here, and that is what it says."""
    study = declared(_formula, trained_on="a norm of other subjects")
    assert finding(study, "LK106").status == "pass"
