"""Checks of what was written down: exclusions, seeds, evaluations, and who is predicted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from pfactor_bench.checks import run_check
from pfactor_bench.checks.reported.declared import held_out_fingerprint
from pfactor_bench.config.declared import Exclusions

if TYPE_CHECKING:
    from collections.abc import Callable

    from pfactor_bench.types import Cohort, Finding, Split

_EXCLUDED = {"sub-50": "flat channels"}


def _exclusions(cohort: Cohort, excluded: dict[str, str], **given: Any) -> Finding:
    exclusions = Exclusions(excluded=excluded, sha256=Exclusions(excluded=excluded).digest)
    return run_check("LK013", cohort=cohort, exclusions=replace(exclusions, **given))


def test_declared_exclusions_pass(cohort: Cohort) -> None:
    """A list that is kept to is fine."""
    all_subjects = (*cohort.subjects.tolist(), "sub-50")
    assert _exclusions(cohort, _EXCLUDED, all_subjects=all_subjects).status == "pass"


@pytest.mark.parametrize(
    ("excluded", "given"),
    [
        pytest.param(_EXCLUDED, {"sha256": "0" * 64}, id="another list"),
        pytest.param({"sub-00": "noisy"}, {}, id="still there"),
        pytest.param({"sub-50": " "}, {}, id="no reason"),
        pytest.param({}, {"all_subjects": ("sub-51",)}, id="missing without notice"),
    ],
)
def test_broken_exclusions_are_found(
    excluded: dict[str, str], given: dict[str, Any], cohort: Cohort
) -> None:
    """Whoever is treated otherwise than the list says is named."""
    assert _exclusions(cohort, excluded, **given).status == "fail"


def test_exclusions_need_a_manifest(cohort: Cohort) -> None:
    """Without a list nothing was declared."""
    assert run_check("LK013", cohort=cohort).status == "not_applicable"


@pytest.mark.parametrize(
    ("seeds", "status"), [([1, 2], "pass"), ([1], "fail"), ([1, 2, 3], "fail")]
)
def test_seeds(seeds: list[int], status: str) -> None:
    """Every declared seed has a result, and no other has."""
    table = pd.DataFrame({"seed": seeds, "regime": "a"})
    assert run_check("LK019", predictions=table, declared_seeds=(1, 2)).status == status


def test_predictions_without_seeds_are_found() -> None:
    """Predictions of unknown seeds show nothing about the declared ones."""
    table = pd.DataFrame({"y_pred": [0.0]})
    assert run_check("LK019", predictions=table, declared_seeds=(1,)).status == "fail"


def test_seeds_need_a_declaration() -> None:
    """Without declared seeds none is missing."""
    assert run_check("LK019", predictions=pd.DataFrame()).status == "not_applicable"


@pytest.mark.parametrize(("n_settings", "status"), [(3, "pass"), (12, "warn")])
def test_ledger(n_settings: int, status: str, cohort: Cohort, split: Split) -> None:
    """A test set that many settings were evaluated on is reused."""
    mine = held_out_fingerprint(cohort, split)
    ledger = [{"held_out": mine, "setting": str(number)} for number in range(n_settings)]
    assert run_check("LK021", cohort=cohort, split=split, ledger=ledger * 5).status == status


def test_other_test_sets_do_not_count(cohort: Cohort, split: Split, by_window: Split) -> None:
    """Evaluations on other subjects reuse nothing."""
    other = held_out_fingerprint(cohort, by_window)
    ledger = [{"held_out": other, "setting": str(number)} for number in range(50)]
    assert run_check("LK021", cohort=cohort, split=split, ledger=ledger).status == "pass"


def test_ledger_is_needed(cohort: Cohort, split: Split) -> None:
    """Without a ledger nobody has counted."""
    assert run_check("LK021", cohort=cohort, split=split).status == "not_applicable"


@pytest.mark.parametrize(
    ("others", "status"), [((), "pass"), (("0" * 64,), "fail"), (("nan",), "fail")]
)
def test_predictions_of_another_state_of_the_cohort(
    others: tuple[str, ...], status: str, cohort: Cohort
) -> None:
    """One row that was predicted from other data is one too many."""
    made_from = (cohort.fingerprint, *others)
    assert run_check("LK028", cohort=cohort, made_from=made_from).status == status


def test_predictions_that_name_no_cohort(cohort: Cohort) -> None:
    """Without a fingerprint nothing is known."""
    assert run_check("LK028", cohort=cohort).status == "not_applicable"


def _all_subjects(cohort: Cohort) -> pd.DataFrame:
    return pd.DataFrame({"sample_id": cohort.table["sample_id"], "y_pred": 0.0})


def test_all_subjects_predicted_passes(cohort: Cohort, split: Split) -> None:
    """All held-out windows have a prediction."""
    finding = run_check("LK030", cohort=cohort, split=split, predictions=_all_subjects(cohort))
    assert finding.status == "pass"


def test_dropped_subject_is_named(cohort: Cohort, split: Split) -> None:
    """A held-out subject without a prediction is named."""
    kept = _all_subjects(cohort)[cohort.subjects != "sub-03"]
    finding = run_check("LK030", cohort=cohort, split=split, predictions=kept)
    assert finding.evidence == ({"subject": "sub-03"},)


def test_subject_on_no_side_is_found(cohort: Cohort, split: Split) -> None:
    """A subject who is neither trained on nor predicted has vanished."""
    outside = np.flatnonzero(cohort.subjects == "sub-03")
    folds = tuple(
        replace(
            fold,
            train=np.setdiff1d(fold.train, outside),
            test=np.setdiff1d(fold.test, outside),
        )
        for fold in split.folds
    )
    kept = _all_subjects(cohort)[cohort.subjects != "sub-03"]
    finding = run_check("LK030", cohort=cohort, split=replace(split, folds=folds), predictions=kept)
    assert "neither trained on nor predicted" in finding.explanation


def test_dropped_window_is_a_warning(cohort: Cohort, split: Split) -> None:
    """A window without a prediction may be a bad one, and should be mentioned."""
    table = _all_subjects(cohort).iloc[1:]
    finding = run_check("LK030", cohort=cohort, split=split, predictions=table)
    assert finding.status == "warn"


def test_selection_needs_predictions(cohort: Cohort, split: Split) -> None:
    """Without predictions nobody was left out of them."""
    assert run_check("LK030", cohort=cohort, split=split).status == "not_applicable"


@pytest.mark.parametrize(("side", "status"), [("test", "fail"), ("train", "pass")])
def test_augmentation(
    side: str, status: str, cohort: Cohort, split: Split, changed: Callable[..., Cohort]
) -> None:
    """A training window made from a held-out one gives it away."""
    names = cohort.table["sample_id"].tolist()
    fold = split.folds[0]
    parents = [""] * len(names)
    parents[fold.train[0]] = names[getattr(fold, side)[1]]
    augmented = changed(cohort, cohort.table.assign(parent=parents))
    first = replace(split, folds=split.folds[:1])
    assert run_check("LK027", cohort=augmented, split=first).status == status


def test_augmentation_needs_parents(cohort: Cohort, split: Split) -> None:
    """Without parents nothing is known to be augmented."""
    assert run_check("LK027", cohort=cohort, split=split).status == "not_applicable"


def _made_again(cohort: Cohort, split: Split, seed: int) -> str:
    recipe = {"kind": "grouped-k-fold", "args": {"n_folds": 3, "seed": seed}}
    return run_check("LK032", cohort=cohort, split=split, split_recipe=recipe).status


def test_seeded_split_can_be_made_again(cohort: Cohort, split: Split) -> None:
    """The same rule with the same seed makes the same split in another process."""
    assert _made_again(cohort, split, seed=0) == "pass"


def test_other_split_is_found(cohort: Cohort, split: Split) -> None:
    """A split that comes out differently is found."""
    assert _made_again(cohort, split, seed=1) == "fail"


def test_unknown_rule_is_undecided(cohort: Cohort, split: Split) -> None:
    """A rule that cannot be run again has not passed."""
    recipe = {"kind": "by-horoscope", "args": {}}
    finding = run_check("LK032", cohort=cohort, split=split, split_recipe=recipe)
    assert finding.status == "error"


def test_recipe_is_needed(cohort: Cohort, split: Split) -> None:
    """Without a rule the split cannot be made again."""
    assert run_check("LK032", cohort=cohort, split=split).status == "not_applicable"
