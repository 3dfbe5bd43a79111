"""Checks of who people are, where they come from, and what else tells their scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from pfactor_bench.checks import run_check

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pfactor_bench.types import Cohort, Split


def _renamed(cohort: Cohort, changed: Callable[..., Cohort], names: Mapping[str, str]) -> Cohort:
    subjects = [names.get(name, name) for name in cohort.subjects.tolist()]
    return changed(cohort, cohort.table.assign(subject=subjects))


def _pair(cohort: Cohort, split: Split) -> tuple[str, str]:
    """Return a person held out in the first fold and one trained on."""
    fold = split.folds[0]
    return str(cohort.subjects[fold.test[0]]), str(cohort.subjects[fold.train[0]])


@pytest.mark.parametrize("ending", ["_mini", "-r2", "_release10"])
def test_second_name_is_found(
    ending: str, cohort: Cohort, split: Split, changed: Callable[..., Cohort]
) -> None:
    """A name with a release's ending is the person without it."""
    held_out, trained = _pair(cohort, split)
    renamed = _renamed(cohort, changed, {trained: f"{held_out.removeprefix('sub-')}{ending}"})
    assert run_check("LK004", cohort=renamed, split=split).status == "fail"


def test_shared_window_makes_two_names_one_person(
    cohort: Cohort, split: Split, changed: Callable[..., Cohort]
) -> None:
    """Two people with a window in common are one."""
    X = cohort.X.copy()
    X[split.folds[0].test[0]] = X[split.folds[0].train[0]]
    assert run_check("LK004", cohort=changed(cohort, X=X), split=split).status == "fail"


def test_different_people_pass(cohort: Cohort, split: Split) -> None:
    """Nine names are nine people."""
    assert run_check("LK004", cohort=cohort, split=split).status == "pass"


def test_two_names_need_a_split(cohort: Cohort) -> None:
    """Without a split there are no sides."""
    assert run_check("LK004", cohort=cohort).status == "not_applicable"


def _manifests(split: Split, people: list[str]) -> dict[str, dict[str, list[str]]]:
    return {fold.name: {"people": people} for fold in split.folds}


@pytest.mark.parametrize(
    ("people", "status"), [(["sub-00"], "fail"), (["00_mini"], "fail"), (["sub-77"], "pass")]
)
def test_pretraining(people: list[str], status: str, cohort: Cohort, split: Split) -> None:
    """Nobody held out may have taken part in pretraining, under whatever name."""
    finding = run_check("LK022", cohort=cohort, split=split, pretraining=_manifests(split, people))
    assert finding.status == status


def test_fold_without_a_manifest_is_undecided(cohort: Cohort, split: Split) -> None:
    """What is not listed cannot pass."""
    assert run_check("LK022", cohort=cohort, split=split, pretraining={"x": {}}).status == "error"


def test_pretraining_needs_a_manifest(cohort: Cohort, split: Split) -> None:
    """Without pretraining there is nothing to compare."""
    assert run_check("LK022", cohort=cohort, split=split).status == "not_applicable"


def _with_column(
    cohort: Cohort, changed: Callable[..., Cohort], name: str, values: Mapping[str, object]
) -> Cohort:
    column = [values[subject] for subject in cohort.subjects.tolist()]
    return changed(cohort, cohort.table.assign(**{name: column}))


@pytest.fixture
def people(cohort: Cohort) -> list[str]:
    """Return the nine names in the order of their scores."""
    names, first = np.unique(cohort.subjects, return_index=True)
    return names[np.argsort(cohort.y[first])].tolist()


def test_family_across_the_split_is_found(
    cohort: Cohort, split: Split, changed: Callable[..., Cohort]
) -> None:
    """Siblings on both sides share brains and scores."""
    held_out, trained = _pair(cohort, split)
    families = {name: "A" if name in {held_out, trained} else name for name in cohort.subjects}
    finding = run_check(
        "LK009", cohort=_with_column(cohort, changed, "family", families), split=split
    )
    assert finding.status == "fail"


@pytest.mark.parametrize("blank", ["n/a", "", "None", float("nan")])
def test_people_without_a_family_are_no_family(
    blank: object, cohort: Cohort, split: Split, changed: Callable[..., Cohort]
) -> None:
    """A family that is not known is not shared."""
    families = dict.fromkeys(cohort.subjects.tolist(), blank)
    finding = run_check(
        "LK009", cohort=_with_column(cohort, changed, "family", families), split=split
    )
    assert finding.status == "pass"


def test_families_on_one_side_pass(
    cohort: Cohort, split: Split, changed: Callable[..., Cohort]
) -> None:
    """A family of its own for everybody is on one side."""
    families = {name: name for name in cohort.subjects.tolist()}
    finding = run_check(
        "LK009", cohort=_with_column(cohort, changed, "family", families), split=split
    )
    assert finding.status == "pass"


def test_site_that_tells_the_score_is_a_warning(
    cohort: Cohort, split: Split, people: list[str], changed: Callable[..., Cohort]
) -> None:
    """Two sites that divide people by their score predict it."""
    sites = {name: "low" if rank < 4 else "high" for rank, name in enumerate(people)}
    finding = run_check("LK009", cohort=_with_column(cohort, changed, "site", sites), split=split)
    assert finding.status == "warn"


def test_site_that_tells_nothing_passes(
    cohort: Cohort, split: Split, people: list[str], changed: Callable[..., Cohort]
) -> None:
    """Sites that alternate along the scores predict nothing."""
    sites = {name: str(rank % 2) for rank, name in enumerate(people)}
    finding = run_check("LK009", cohort=_with_column(cohort, changed, "site", sites), split=split)
    assert finding.status == "pass"


def test_origin_needs_a_column(cohort: Cohort, split: Split) -> None:
    """Without families, sites or releases nothing is known."""
    assert run_check("LK009", cohort=cohort, split=split).status == "not_applicable"


def test_sibling_as_input_is_found(cohort: Cohort) -> None:
    """Another score of the questionnaire is no input."""
    assert run_check("LK015", cohort=cohort, inputs=["alpha", "Attention"]).status == "fail"


def test_score_in_the_table_is_a_warning(
    cohort: Cohort, people: list[str], changed: Callable[..., Cohort]
) -> None:
    """A column that is the score in another unit lies in reach of every study."""
    scores = dict(zip(cohort.subjects.tolist(), (100 + 15 * cohort.y).tolist(), strict=True))
    assert len(scores) == len(people)
    finding = run_check("LK015", cohort=_with_column(cohort, changed, "t_value", scores))
    assert finding.status == "warn"


def test_copy_of_the_score_as_input_is_found_whatever_its_case(
    cohort: Cohort, changed: Callable[..., Cohort]
) -> None:
    """Names of columns are compared as they are written."""
    scores = dict(zip(cohort.subjects.tolist(), (100 + 15 * cohort.y).tolist(), strict=True))
    with_copy = _with_column(cohort, changed, "T_value", scores)
    assert run_check("LK015", cohort=with_copy, inputs=["T_value"]).status == "fail"


def test_signal_as_input_passes(cohort: Cohort) -> None:
    """Channels and band power tell no score by their names."""
    assert run_check("LK015", cohort=cohort, inputs=["alpha", "beta"]).status == "pass"


def test_target_among_inputs_needs_a_cohort() -> None:
    """Without a cohort there is no target."""
    assert run_check("LK015").status == "not_applicable"


def test_sorted_files_are_a_warning(
    cohort: Cohort, people: list[str], changed: Callable[..., Cohort]
) -> None:
    """A table sorted by the score tells it by the place."""
    order = np.concatenate([np.flatnonzero(cohort.subjects == name) for name in people])
    sorted_ = changed(
        cohort,
        cohort.table.iloc[order].reset_index(drop=True),
        X=cohort.X[order],
        y=cohort.y[order],
    )
    assert run_check("LK016", cohort=sorted_).status == "warn"


def test_proxy_among_hundreds_of_columns_is_a_warning(
    cohort: Cohort, people: list[str], changed: Callable[..., Cohort]
) -> None:
    """However many columns are tried, one that orders people as the score does is seen."""
    items = np.random.default_rng(0).normal(size=(len(people), 150))
    columns = pd.DataFrame(items, index=people).add_prefix("item_")
    columns["age"] = np.arange(len(people), dtype=float)
    table = cohort.table.join(columns, on="subject")
    finding = run_check("LK016", cohort=changed(cohort, table))
    assert "age" in {row["proxy"] for row in finding.evidence}


def test_unrelated_age_passes(
    cohort: Cohort, people: list[str], changed: Callable[..., Cohort]
) -> None:
    """An age that does not go with the score is no proxy."""
    ages = {name: float(rank % 3) for rank, name in enumerate(people)}
    assert run_check("LK016", cohort=_with_column(cohort, changed, "age", ages)).status == "pass"


def test_proxies_need_a_cohort() -> None:
    """Without a cohort there are no people."""
    assert run_check("LK016").status == "not_applicable"
