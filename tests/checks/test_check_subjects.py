"""Checks of who subjects are, where they come from, and what else tells their targets."""

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
    """Return a subject held out in the first fold and one trained on."""
    fold = split.folds[0]
    return str(cohort.subjects[fold.test[0]]), str(cohort.subjects[fold.train[0]])


@pytest.mark.parametrize("ending", ["_mini", "-r2", "_release10"])
def test_second_name_is_found(
    ending: str, cohort: Cohort, split: Split, changed: Callable[..., Cohort]
) -> None:
    """A name with a release's ending is the subject without it."""
    held_out, trained = _pair(cohort, split)
    renamed = _renamed(cohort, changed, {trained: f"{held_out.removeprefix('sub-')}{ending}"})
    assert run_check("LK004", cohort=renamed, split=split).status == "fail"


def test_shared_window_makes_two_names_one_subject(
    cohort: Cohort, split: Split, changed: Callable[..., Cohort]
) -> None:
    """Two subjects with a window in common are one."""
    X = cohort.X.copy()
    X[split.folds[0].test[0]] = X[split.folds[0].train[0]]
    assert run_check("LK004", cohort=changed(cohort, X=X), split=split).status == "fail"


def test_different_subjects_pass(cohort: Cohort, split: Split) -> None:
    """Nine names are nine subjects."""
    assert run_check("LK004", cohort=cohort, split=split).status == "pass"


def test_two_names_need_a_split(cohort: Cohort) -> None:
    """Without a split there are no sides."""
    assert run_check("LK004", cohort=cohort).status == "not_applicable"


def _manifests(split: Split, subjects: list[str]) -> dict[str, dict[str, list[str]]]:
    return {fold.name: {"subjects": subjects} for fold in split.folds}


@pytest.mark.parametrize(
    ("subjects", "status"), [(["sub-00"], "fail"), (["00_mini"], "fail"), (["sub-77"], "pass")]
)
def test_pretraining(subjects: list[str], status: str, cohort: Cohort, split: Split) -> None:
    """Nobody held out may have taken part in pretraining, under whatever name."""
    finding = run_check(
        "LK022", cohort=cohort, split=split, pretraining=_manifests(split, subjects)
    )
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
def subjects(cohort: Cohort) -> list[str]:
    """Return the nine names in the order of their targets."""
    names, first = np.unique(cohort.subjects, return_index=True)
    return names[np.argsort(cohort.y[first])].tolist()


def test_family_across_the_split_is_found(
    cohort: Cohort, split: Split, changed: Callable[..., Cohort]
) -> None:
    """Siblings in train and test share brains and targets."""
    held_out, trained = _pair(cohort, split)
    families = {name: "A" if name in {held_out, trained} else name for name in cohort.subjects}
    finding = run_check(
        "LK009", cohort=_with_column(cohort, changed, "family", families), split=split
    )
    assert finding.status == "fail"


@pytest.mark.parametrize("blank", ["n/a", "", "None", float("nan")])
def test_subjects_without_a_family_are_no_family(
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
    """A family of its own for every subject is on one side."""
    families = {name: name for name in cohort.subjects.tolist()}
    finding = run_check(
        "LK009", cohort=_with_column(cohort, changed, "family", families), split=split
    )
    assert finding.status == "pass"


def test_site_that_tells_the_target_is_a_warning(
    cohort: Cohort, split: Split, subjects: list[str], changed: Callable[..., Cohort]
) -> None:
    """Two sites that divide subjects by their target predict it."""
    sites = {name: "low" if rank < 4 else "high" for rank, name in enumerate(subjects)}
    finding = run_check("LK009", cohort=_with_column(cohort, changed, "site", sites), split=split)
    assert finding.status == "warn"


def test_site_that_tells_nothing_passes(
    cohort: Cohort, split: Split, subjects: list[str], changed: Callable[..., Cohort]
) -> None:
    """Sites that alternate along the targets predict nothing."""
    sites = {name: str(rank % 2) for rank, name in enumerate(subjects)}
    finding = run_check("LK009", cohort=_with_column(cohort, changed, "site", sites), split=split)
    assert finding.status == "pass"


def test_origin_needs_a_column(cohort: Cohort, split: Split) -> None:
    """Without families, sites or releases nothing is known."""
    assert run_check("LK009", cohort=cohort, split=split).status == "not_applicable"


def test_sibling_as_input_is_found(cohort: Cohort) -> None:
    """A target-derived variable is no input."""
    assert run_check("LK015", cohort=cohort, inputs=["alpha", "Attention"]).status == "fail"


def test_target_in_the_table_is_a_warning(
    cohort: Cohort, subjects: list[str], changed: Callable[..., Cohort]
) -> None:
    """A column that is the target in another unit lies in reach of every study."""
    targets = dict(zip(cohort.subjects.tolist(), (100 + 15 * cohort.y).tolist(), strict=True))
    assert len(targets) == len(subjects)
    finding = run_check("LK015", cohort=_with_column(cohort, changed, "t_value", targets))
    assert finding.status == "warn"


def test_copy_of_the_target_as_input_is_found_whatever_its_case(
    cohort: Cohort, changed: Callable[..., Cohort]
) -> None:
    """Names of columns are compared as they are written."""
    targets = dict(zip(cohort.subjects.tolist(), (100 + 15 * cohort.y).tolist(), strict=True))
    with_copy = _with_column(cohort, changed, "T_value", targets)
    assert run_check("LK015", cohort=with_copy, inputs=["T_value"]).status == "fail"


def test_signal_as_input_passes(cohort: Cohort) -> None:
    """Channels and band power tell no target by their names."""
    assert run_check("LK015", cohort=cohort, inputs=["alpha", "beta"]).status == "pass"


def test_target_among_inputs_needs_a_cohort() -> None:
    """Without a cohort there is no target."""
    assert run_check("LK015").status == "not_applicable"


def test_sorted_files_are_a_warning(
    cohort: Cohort, subjects: list[str], changed: Callable[..., Cohort]
) -> None:
    """A table sorted by the target tells it by the place."""
    order = np.concatenate([np.flatnonzero(cohort.subjects == name) for name in subjects])
    sorted_ = changed(
        cohort,
        cohort.table.iloc[order].reset_index(drop=True),
        X=cohort.X[order],
        y=cohort.y[order],
    )
    assert run_check("LK016", cohort=sorted_).status == "warn"


def test_proxy_among_hundreds_of_columns_is_a_warning(
    cohort: Cohort, subjects: list[str], changed: Callable[..., Cohort]
) -> None:
    """However many columns are tried, one that orders subjects as the target does is seen."""
    items = np.random.default_rng(0).normal(size=(len(subjects), 150))
    columns = pd.DataFrame(items, index=subjects).add_prefix("item_")
    columns["age"] = np.arange(len(subjects), dtype=float)
    table = cohort.table.join(columns, on="subject")
    finding = run_check("LK016", cohort=changed(cohort, table))
    assert "age" in {row["proxy"] for row in finding.evidence}


def test_unrelated_age_passes(
    cohort: Cohort, subjects: list[str], changed: Callable[..., Cohort]
) -> None:
    """An age that does not correlate with the target is no proxy."""
    ages = {name: float(rank % 3) for rank, name in enumerate(subjects)}
    assert run_check("LK016", cohort=_with_column(cohort, changed, "age", ages)).status == "pass"


def test_proxies_need_a_cohort() -> None:
    """Without a cohort there are no subjects."""
    assert run_check("LK016").status == "not_applicable"
