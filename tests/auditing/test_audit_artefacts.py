"""Saved predictions and what is claimed of them: each claim is computed again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.detection.honest import plain_ridge, states_roles
from pfactor_bench.auditing.artefacts import read_claims
from pfactor_bench.auditing.audit import audit
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.errors import StudyError
from pfactor_bench.statistics.metrics import evaluate, subject_means

if TYPE_CHECKING:
    from pathlib import Path

    from pfactor_bench.types import Finding

_COHORT = synthetic(n_subjects=12, n_windows=5, seed=2)
_TABLE = states_roles(_COHORT, seed=0)
#: The same study from three seeds; each divides subjects in its own way.
_SEEDS = pd.concat(plain_ridge(_COHORT, seed=seed).assign(seed=seed) for seed in (1, 2, 3))


def _claim(table: pd.DataFrame = _TABLE, code: str = "LK036", **claims: Any) -> Finding:
    result = audit(table, _COHORT, claims=claims, only=[code])
    return next(one for one in result.findings if one.code == code)


def _targets(table: pd.DataFrame, *, subjects: bool) -> dict[str, float]:
    """Return metrics by the project's own functions, which the check does not use."""
    tested = table[table["y_pred"].notna()].set_index("sample_id")["y_pred"]
    y_pred = tested[_COHORT.table["sample_id"]].to_numpy()
    y_true, base = _COHORT.y, np.zeros(len(_COHORT.y))
    if subjects:
        y_true, y_pred, base = (
            subject_means(_COHORT.subjects, one)[1] for one in (y_true, y_pred, base)
        )
    return {name: one.value or 0.0 for name, one in evaluate(y_true, y_pred, base).items()}


@pytest.mark.parametrize("metric", ["mse", "mae", "r2", "pearson_r", "spearman_r", "nrmse"])
def test_true_claim_passes(metric: str) -> None:
    """A rounded number that follows from the predictions is borne out."""
    value = _targets(_TABLE, subjects=True)[metric]
    assert _claim(**{metric: f"{value:.3f}"}).status == "pass"


def test_folds_may_be_numbers() -> None:
    """Whoever enumerates folds hands in numbers, and means the folds that a split names."""
    numbered = _TABLE.assign(fold=_TABLE["fold"].str.removeprefix("fold-").astype(int))
    value = _targets(_TABLE, subjects=True)["pearson_r"]
    assert _claim(numbered, r=f"{value:.3f}").status == "pass"


@pytest.mark.parametrize(("digits", "status"), [("0.1f", "pass"), ("0.4f", "fail")])
def test_rounding_is_what_the_digits_say(digits: str, status: str) -> None:
    """A difference of 0.01 disappears in one digit and not in four."""
    wrong = round(_targets(_TABLE, subjects=True)["pearson_r"], 1) + 0.01
    assert _claim(r=f"{wrong:{digits}}").status == status


def test_both_values_are_given() -> None:
    """Whoever is accused sees what was claimed and what comes out."""
    row = _claim(r="0.99").evidence[0]
    expected = _targets(_TABLE, subjects=True)["pearson_r"]
    assert (row["claimed"], row["recomputed"]) == (0.99, pytest.approx(expected, rel=1e-5))


def test_number_over_windows_is_a_warning() -> None:
    """A correlation over windows is true, and is not one over subjects."""
    value = _targets(_TABLE, subjects=False)["pearson_r"]
    finding = _claim(r=f"{value:.5f}")
    assert (finding.status, "over windows" in finding.explanation) == ("warn", True)


def test_number_over_windows_may_be_called_that() -> None:
    """What says that it is over windows is what it says."""
    value = _targets(_TABLE, subjects=False)["pearson_r"]
    assert _claim(window_r=f"{value:.5f}").status == "pass"


def test_mean_over_seeds_passes() -> None:
    """A number of several seeds is their mean."""
    values = [_targets(rows, subjects=True)["mse"] for _, rows in _SEEDS.groupby("seed")]
    assert _claim(_SEEDS, mse=f"{np.mean(values):.4f}").status == "pass"


def test_best_seed_alone_is_found() -> None:
    """The best seed's number does not speak for all seeds."""
    values = {seed: _targets(rows, subjects=True)["mse"] for seed, rows in _SEEDS.groupby("seed")}
    best = min(values, key=lambda seed: values[seed])
    finding = _claim(_SEEDS, mse=f"{values[best]:.5f}")
    assert (finding.status, f"of seed-{best} alone" in finding.explanation) == ("fail", True)


def test_windows_counted_as_subjects_are_found() -> None:
    """An n of 60 is 12 subjects of five windows."""
    finding = _claim(n=60)
    assert (finding.status, "number of windows, of 12 subjects" in finding.explanation) == (
        "fail",
        True,
    )


def test_right_count_passes() -> None:
    """The effective n is the number of subjects."""
    assert _claim(n=12).status == "pass"


def test_skill_needs_to_know_who_was_trained_on() -> None:
    """Without roles the train mean cannot be computed, and nobody is accused."""
    assert _claim(plain_ridge(_COHORT, seed=0), skill=0.5).status == "not_applicable"


def test_unknown_metric_is_said_to_be_unknown() -> None:
    """What has no formula here is not silently taken for right."""
    assert "not computed again: auc" in _claim(auc=0.9, n=12).explanation


def test_claim_in_a_column_is_compared() -> None:
    """A table may bring its claims along."""
    assert _claim(_TABLE.assign(claimed_r=0.99)).status == "fail"


def test_contradicting_column_is_refused() -> None:
    """One case cannot claim two values."""
    table = _TABLE.assign(claimed_r=np.linspace(0, 1, len(_TABLE)))
    with pytest.raises(StudyError, match="give each case one value"):
        _claim(table)


def test_missing_seed_is_found() -> None:
    """A declared seed without predictions is named."""
    finding = _claim(_SEEDS, code="LK019", seeds=[1, 2, 3, 4])
    assert finding.evidence[0]["seed"] == 4


def test_seed_that_one_regime_lacks_is_found() -> None:
    """Without a declaration, regimes are compared with each other."""
    both = [_SEEDS.assign(regime="a"), _SEEDS[_SEEDS["seed"] < 3].assign(regime="b")]
    assert _claim(pd.concat(both), code="LK019").evidence[0]["regime"] == "b"


def test_best_epoch_is_named() -> None:
    """A claim that calls itself the best of several is said to be too good."""
    assert _claim(code="LK017", best_val_r="0.164").status == "warn"


@pytest.mark.parametrize("value", ["good", ["0.1", "0.2"], "nan"])
def test_best_one_that_is_no_number_is_refused(value: object) -> None:
    """A file of claims is wrong, and no leak was found."""
    with pytest.raises(StudyError, match="a claimed value is a"):
        _claim(code="LK017", best_val_r=value)


def test_circular_saliency_is_named() -> None:
    """So is a saliency map over windows chosen by their true target."""
    assert _claim(code="LK033", saliency="smallest-error").status == "warn"


def test_dropped_windows_are_seen_without_a_split() -> None:
    """Windows of predicted subjects that are missing are mentioned."""
    table = plain_ridge(_COHORT, seed=0).iloc[1:]
    assert _claim(table, code="LK030").status == "warn"


def test_claims_of_a_study_are_refused() -> None:
    """A study has no numbers yet."""
    with pytest.raises(StudyError, match="save what it predicts"):
        audit(plain_ridge, _COHORT, claims={"r": 0.5})


def test_claims_keep_their_digits(tmp_path: Path) -> None:
    """0.850 says more than 0.85."""
    path = tmp_path / "claims.yaml"
    path.write_text("r: 0.850\nseeds: [42, 43]\n", encoding="utf-8")
    assert read_claims(path) == {"r": "0.850", "seeds": ["42", "43"]}


@pytest.mark.parametrize(
    ("text", "message"), [("r = 0.85", "are no mapping"), ("{r: 0.85", "cannot read the claims")]
)
def test_broken_claims_are_refused(text: str, message: str, tmp_path: Path) -> None:
    """A file that claims nothing is an input error."""
    path = tmp_path / "claims.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match=message):
        read_claims(path)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("sample_id", "180 rows, .* 60 windows of 12 subjects: add a column sample_id or subject"),
        (
            "y_pred",
            "no column of predictions: it has 'sample_id', 'fold', 'seed'; needed are y_pred",
        ),
    ],
)
def test_table_without_predictions_is_refused(column: str, message: str) -> None:
    """A table of several seeds needs to say what it predicts, too."""
    with pytest.raises(StudyError, match=message):
        _claim(_SEEDS.drop(columns=column))


def test_claim_that_is_no_number_is_undecided() -> None:
    """A word cannot be compared with a number."""
    assert _claim(r="good").status == "error"
