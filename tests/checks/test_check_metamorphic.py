"""Metamorphic checks: injected leaks are found, honest studies are not accused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from benchmarks.detection.honest import (
    HONEST,
    band_features,
    plain_ridge,
    predictions_table,
    ridge,
    subject_folds,
)
from benchmarks.detection.leaky import INJECTED
from pfactor_bench.checks import catalogue, run_check, run_checks
from pfactor_bench.checks.engine.effort import DEFAULT, QUICK
from pfactor_bench.checks.metamorphic.probe import Probe
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.studies.harness import Runner
from pfactor_bench.studies.sandbox import Limits
from pfactor_bench.training.device import warm_up

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pfactor_bench.studies.contract import Study
    from pfactor_bench.types import Cohort, Finding

_RELATIONS = [entry.code for entry in catalogue() if "study" in entry.needs]


@pytest.fixture(scope="module")
def subjects(changed: Callable[..., Cohort]) -> Cohort:
    """Return twelve subjects with a second target that follows the first."""
    cohort = synthetic(n_subjects=12, n_windows=6, seed=5)
    rng = np.random.default_rng(0)
    sibling = {name: 0.2 * rng.normal() for name in np.unique(cohort.subjects)}
    attention = cohort.y + np.array([sibling[name] for name in cohort.subjects])
    return changed(cohort, cohort.table.assign(attention=attention))


def _probe(study: Study, cohort: Cohort) -> Probe:
    return Probe(Runner(study, seed=0, limits=Limits(seconds=60)), cohort, DEFAULT)


@pytest.mark.parametrize("name", INJECTED)
def test_injected_leak_is_found(name: str, subjects: Cohort) -> None:
    """The check that is meant to find a leak finds it."""
    injected = INJECTED[name]
    probe = _probe(injected.study, subjects)
    split = probe.answer.stated_split()
    finding = run_check(injected.found_by, study=probe, cohort=subjects, split=split)
    assert finding.status == "fail", finding.explanation


@pytest.mark.parametrize(
    "name", [name for name, injected in INJECTED.items() if injected.found_by == "LK101"]
)
def test_use_of_held_out_targets_is_found_quickly(name: str, subjects: Cohort) -> None:
    """One fold and three changed cohorts are enough, for early stopping and clipping, too."""
    study = Runner(INJECTED[name].study, seed=0, limits=Limits(seconds=60))
    assert run_check("LK101", study=Probe(study, subjects, QUICK)).status == "fail"


@pytest.mark.parametrize("name", HONEST)
def test_honest_study_is_not_accused(name: str, subjects: Cohort) -> None:
    """No relation accuses an honest study or stumbles over it."""
    if name == "torch_net":
        warm_up()  # once here, not anew in every process of the study
    probe = _probe(HONEST[name], subjects)
    findings = run_checks({"study": probe}, only=_RELATIONS)
    accused = [one.code for one in findings if one.status in {"fail", "error"}]
    assert accused == [], [one.explanation for one in findings if one.code in accused]


@pytest.mark.parametrize("code", _RELATIONS)
def test_relation_needs_a_study(code: str) -> None:
    """Without something to run again, no relation applies."""
    assert run_check(code).status == "not_applicable"


def _unseeded(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    table = plain_ridge(cohort, seed=seed)
    return table.assign(y_pred=table["y_pred"] + np.random.default_rng().normal(size=len(table)))


def _globally_unseeded(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    table = plain_ridge(cohort, seed=seed)
    return table.assign(y_pred=table["y_pred"] + np.random.normal(size=len(table)))  # noqa: NPY002


@pytest.mark.parametrize("study", [_unseeded, _globally_unseeded])
def test_streams_that_nobody_seeds_repeat(study: Study, subjects: Cohort) -> None:
    """Every run draws the same numbers, so that an unseeded study can be compared with itself."""
    finding = run_check("LK101", study=_probe(study, subjects))
    assert finding.status == "pass", finding.explanation


def _out_of_hand(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    import os

    table = plain_ridge(cohort, seed=seed)
    return table.assign(y_pred=table["y_pred"] + int.from_bytes(os.urandom(2), "little"))


def test_random_study_is_undecided_once(subjects: Cohort) -> None:
    """What differs from run to run is told so by one check, and not accused."""
    findings = run_checks({"study": _probe(_out_of_hand, subjects)}, only=_RELATIONS)
    undecided = [
        (one.code, "is random" in one.explanation) for one in findings if one.status == "error"
    ]
    assert (undecided, _status(findings, "LK101")) == ([("LK100", True)], "not_applicable")


def _one_split_leaky(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Centre predictions by the mean of all targets, held-out ones included."""
    table = HONEST["one_split"](cohort, seed=seed)
    return table.assign(y_pred=table["y_pred"] + cohort.y.mean())


def _computes_metrics(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    if np.isnan(cohort.y).any():
        raise ValueError("Input contains NaN")
    return HONEST["one_split"](cohort, seed=seed)


@pytest.mark.parametrize(
    ("study", "status"),
    [
        (HONEST["one_split"], "pass"),
        (_one_split_leaky, "fail"),
        (_computes_metrics, "warn"),
        (HONEST["plain_ridge"], "not_applicable"),
        (HONEST["leave_one_out"], "not_applicable"),
        (HONEST["stratified_by_target"], "not_applicable"),
    ],
)
def test_sealed_targets(study: Study, status: str, subjects: Cohort) -> None:
    """A study that never trains on held-out subjects can do without their targets."""
    finding = run_check("LK107", study=_probe(study, subjects))
    assert finding.status == status, finding.explanation


@pytest.mark.parametrize(
    ("study", "status"),
    [(HONEST["plain_ridge"], "pass"), (INJECTED["trained_on_everything"].study, "fail")],
)
def test_permuted_targets(study: Study, status: str, subjects: Cohort) -> None:
    """An honest study finds no skill in permuted targets, a leaky one does."""
    effort = replace(DEFAULT, permutations=40)
    probe = Probe(Runner(study, seed=0, limits=Limits(seconds=60)), subjects, effort)
    assert run_check("LK401", study=probe).status == status


def test_permutations_are_for_thorough_audits(subjects: Cohort) -> None:
    """A default audit does not run a study dozens of times more."""
    assert run_check("LK401", study=_probe(plain_ridge, subjects)).status == "not_applicable"


def test_evidence_names_fold_change_size_and_subjects(subjects: Cohort) -> None:
    """A finding shows where, by what, how far and for whom predictions moved."""
    probe = _probe(INJECTED["trained_on_everything"].study, subjects)
    row = run_check("LK101", study=probe).evidence[0]
    assert set(row) == {"fold", "change", "moved_by", "unchanged_reruns", "most"}


def test_audit_can_be_repeated(subjects: Cohort) -> None:
    """The same seed gives the same changes and the same evidence."""
    rows = [
        run_check("LK101", study=_probe(INJECTED["best_seed"].study, subjects)).evidence
        for _ in range(2)
    ]
    assert rows[0] == rows[1]


def test_split_that_follows_every_target_is_no_leak(subjects: Cohort) -> None:
    """A split made from the targets' exact values is reported as that."""

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        from_targets = int(abs(cohort.y).sum() * 1e6) % 2**32
        return plain_ridge(cohort, seed=seed + from_targets)

    finding = run_check("LK101", study=_probe(study, subjects))
    assert (finding.status, "follows the targets" in finding.explanation) == ("error", True)


def test_split_by_hash_is_compared_subject_by_subject(subjects: Cohort) -> None:
    """Where new names change the split, single subjects are renamed."""
    finding = run_check("LK103", study=_probe(HONEST["split_by_hash"], subjects))
    assert finding.status == "pass"


def test_names_of_parents_follow_those_of_their_windows(
    subjects: Cohort, changed: Callable[..., Cohort]
) -> None:
    """A study that learns less from copies of windows knows them by their parents' names."""
    names = subjects.table["sample_id"].tolist()
    parents = ["" if row % 3 else names[row + 1] for row in range(len(names))]
    with_copies = changed(subjects, subjects.table.assign(parent=parents))

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        copies = cohort.table["parent"].isin(cohort.table["sample_id"]).to_numpy()
        features, tables = band_features(cohort.X), []
        for fold, train, test in subject_folds(cohort, seed):
            rows = train[~copies[train]]
            y_pred = ridge(features[rows], cohort.y[rows])(features[test])
            tables.append(predictions_table(cohort, test, y_pred, fold))
        return pd.concat(tables)

    finding = run_check("LK103", study=_probe(study, with_copies))
    assert finding.status == "pass", finding.explanation


def test_study_that_fails_on_changed_targets_is_undecided(subjects: Cohort) -> None:
    """A study that refuses the changed cohort cannot be judged."""

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        if cohort.fingerprint != subjects.fingerprint:
            raise ValueError("I know this cohort and want no other")
        return plain_ridge(cohort, seed=seed)

    assert run_check("LK101", study=_probe(study, subjects)).status == "error"


def test_crash_is_named(subjects: Cohort) -> None:
    """A study that raises is undecided, with its own message."""

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        raise RuntimeError(f"no such montage in {cohort.name}, seed {seed}")

    assert "no such montage" in run_check("LK100", study=_probe(study, subjects)).explanation


def test_moving_the_working_directory_is_noticed(subjects: Cohort) -> None:
    """A study that leaves its place is told so, and audited nevertheless."""

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        import os

        os.chdir("/")
        return plain_ridge(cohort, seed=seed)

    assert run_check("LK100", study=_probe(study, subjects)).status == "warn"


def test_changing_the_table_is_noticed(subjects: Cohort) -> None:
    """A study that changes the table it is handed is told so."""

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        table = plain_ridge(cohort, seed=seed)
        cohort.table["age"] = 7
        return table

    assert "changes the cohort" in run_check("LK100", study=_probe(study, subjects)).explanation


def test_answer_read_from_the_harness_is_found(subjects: Cohort) -> None:
    """A study that holds the true targets beside the cohort answers without learning."""
    truth = dict(zip(subjects.table["sample_id"], subjects.y, strict=True))

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        names = cohort.table["sample_id"].to_numpy()
        tables = [
            predictions_table(cohort, test, np.array([truth.get(n, 0.0) for n in names[test]]), f)
            for f, _, test in subject_folds(cohort, seed)
        ]
        return tables[0]

    assert run_check("LK106", study=_probe(study, subjects)).status == "fail"


@pytest.mark.parametrize("lucky", [1028, 1865, 2900, 3542])
def test_lucky_guesses_in_noise_are_no_skill(lucky: int, subjects: Cohort) -> None:
    """One random guess in a thousand beats chance in all three draws; these four seeds do."""
    weights = np.random.default_rng(lucky).standard_normal(64)

    def guess(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        rows = np.arange(len(cohort.y))
        return predictions_table(cohort, rows, band_features(cohort.X) @ weights, f"fold-{seed}")

    finding = run_check("LK105", study=_probe(guess, subjects))
    assert finding.status == "pass", finding.explanation


@pytest.mark.parametrize("share", [0.8, 1.0])
def test_skill_that_is_half_noise_is_still_found(share: float, subjects: Cohort) -> None:
    """A sibling target beside what is learnt from the signal need not win in every draw."""

    def half_told(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        told = cohort.table["attention"].to_numpy(dtype=float)
        table = plain_ridge(cohort, seed=seed)
        told_of = dict(zip(cohort.table["sample_id"], told, strict=True))
        mixed = share * table["sample_id"].map(told_of) + (1 - share) * table["y_pred"]
        return table.assign(y_pred=mixed)

    assert run_check("LK105", study=_probe(half_told, subjects)).status == "fail"


def _without_the_worst(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Hand in the predictions without the three subjects that are predicted worst."""
    table = plain_ridge(cohort, seed=seed)
    truth = dict(zip(cohort.table["sample_id"], cohort.y, strict=True))
    subject = dict(zip(cohort.table["sample_id"], cohort.subjects, strict=True))
    whose = table["sample_id"].map(subject)
    error = (table["y_pred"] - table["sample_id"].map(truth)).abs().groupby(whose).mean()
    return table[~whose.isin(error.sort_values().index[-3:])]


def test_subjects_dropped_for_their_error_are_found(subjects: Cohort) -> None:
    """Other targets, and other subjects are left out."""
    finding = run_check("LK108", study=_probe(_without_the_worst, subjects))
    assert finding.status == "fail", finding.explanation


def test_subjects_dropped_from_one_split_are_a_warning(subjects: Cohort) -> None:
    """A split that follows the targets and a choice of easy subjects look alike in one fold."""

    def one_fold(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        table = _without_the_worst(cohort, seed=seed)
        return table[table["fold"] == "fold-0"]

    assert run_check("LK108", study=_probe(one_fold, subjects)).status == "warn"


def _folds_of(
    cohort: Cohort, groups: list[np.ndarray], rows: np.ndarray, *, named: bool
) -> pd.DataFrame:
    """Predict each group of subjects from the others among some rows."""
    features = band_features(cohort.X)
    tables = []
    for number, group in enumerate(groups):
        mine = np.isin(cohort.subjects, group)
        train, test = np.flatnonzero(rows & ~mine), np.flatnonzero(rows & mine)
        y_pred = ridge(features[train], cohort.y[train])(features[test])
        tables.append(predictions_table(cohort, test, y_pred, f"fold-{number}"))
    table = pd.concat(tables)
    return table if named else table.drop(columns="fold")


def _few_subjects_one_by_one(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Leave one of nine subjects out at a time, three of the twelve altogether; name none."""
    kept = np.unique(cohort.subjects)[seed : seed + 9]
    groups = np.array_split(kept, len(kept))
    return _folds_of(cohort, groups, np.isin(cohort.subjects, kept), named=False)


def _some_only_train(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Cross-validate over nine subjects while three others are always trained on; name no folds."""
    groups = np.array_split(np.unique(cohort.subjects)[seed + 3 :], 3)
    return _folds_of(cohort, groups, np.ones(len(cohort.y), dtype=bool), named=False)


@pytest.mark.parametrize("study", [_few_subjects_one_by_one, _some_only_train])
def test_hidden_folds_are_told_from_a_single_split(study: Study, subjects: Cohort) -> None:
    """Who is held out in another fold is trained on in this one, and does not speak of a leak."""
    findings = run_checks({"study": _probe(study, subjects)}, only=_RELATIONS)
    assert [one.code for one in findings if one.status in {"fail", "error"}] == []


@pytest.mark.parametrize("name", ["clipped", "shifted", "chosen"])
def test_leak_in_a_split_without_names_is_found(name: str, subjects: Cohort) -> None:
    """A single split that uses its test targets is not taken for a cross-validation."""

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        test = np.isin(cohort.subjects, np.unique(cohort.subjects)[seed + 8 :])
        features, y = band_features(cohort.X), cohort.y
        tried = [ridge(features[~test], y[~test], a)(features[test]) for a in (1.0, 1e2, 1e4)]
        y_pred = {
            "clipped": tried[0].clip(y[test].min(), y[test].max()),
            "shifted": tried[0] + y[test].mean(),
            "chosen": min(tried, key=lambda one: float(((one - y[test]) ** 2).mean())),
        }[name]
        return predictions_table(cohort, np.flatnonzero(test), y_pred, "").drop(columns="fold")

    assert run_check("LK101", study=_probe(study, subjects)).status == "fail"


def test_subjects_dropped_from_hidden_folds_are_found(subjects: Cohort) -> None:
    """A cross-validation that names no folds is one nevertheless."""

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        return _without_the_worst(cohort, seed=seed).drop(columns="fold")

    assert run_check("LK108", study=_probe(study, subjects)).status == "fail"


def test_hidden_folds_show_who_is_held_out_together(subjects: Cohort) -> None:
    """Whom a subject's target does not reach is held out with the subject."""
    groups = {fold.held_out for fold in _probe(_some_only_train, subjects).folds}
    names = np.unique(subjects.subjects)
    assert groups == {tuple(group.tolist()) for group in np.array_split(names[3:], 3)}


def test_scaler_over_hidden_folds_is_found(subjects: Cohort) -> None:
    """A table that names no folds hides no transformation fitted on every subject."""

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        return INJECTED["scaler_on_everything"].study(cohort, seed=seed).drop(columns="fold")

    finding = run_check("LK102", study=_probe(study, subjects))
    assert finding.status == "fail", finding.explanation


def _drawn_by_strata(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Draw three test sets, each with as many subjects from every third of the targets' range."""
    names, first = np.unique(cohort.subjects, return_index=True)
    y = cohort.y[first]
    stratum = np.digitize(y, np.linspace(y.min(), y.max(), 4)[1:3])
    rng = np.random.default_rng(seed)
    groups = [
        np.concatenate([rng.permutation(names[stratum == one])[:1] for one in range(3)])
        for _ in range(3)
    ]
    return _folds_of(cohort, groups, np.ones(len(cohort.y), dtype=bool), named=True)


def test_test_sets_drawn_by_strata_are_not_accused(subjects: Cohort) -> None:
    """Strata of equal width move with the targets; nobody is left out for a result."""
    findings = run_checks({"study": _probe(_drawn_by_strata, subjects)}, only=_RELATIONS)
    accused = [one.code for one in findings if one.status == "fail"]
    assert (accused, _status(findings, "LK108")) == ([], "warn")


def _status(findings: Sequence[Finding], code: str) -> str:
    return next(one.status for one in findings if one.code == code)


def test_split_chosen_by_its_result_is_a_warning(subjects: Cohort) -> None:
    """Of twelve ways to assign subjects to folds the best is kept: no honest split does that."""

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        truth = dict(zip(cohort.table["sample_id"], cohort.y, strict=True))
        tried = [plain_ridge(cohort, seed=12 * seed + number) for number in range(12)]
        return min(tried, key=lambda t: ((t["y_pred"] - t["sample_id"].map(truth)) ** 2).mean())

    finding = run_check("LK101", study=_probe(study, subjects))
    assert (finding.status, "kept for its result" in finding.explanation) == ("warn", True)


def test_split_stratified_by_ranks_passes(subjects: Cohort) -> None:
    """Targets in another place and the same order are held out as they were, and that is said."""
    finding = run_check("LK101", study=_probe(HONEST["stratified_by_target"], subjects))
    assert (finding.status, "the split moved in" in finding.explanation) == ("pass", True)


def test_cohort_of_equal_targets_is_undecided(
    subjects: Cohort, changed: Callable[..., Cohort]
) -> None:
    """Where every subject has one target nothing can be learnt, and nobody is accused of that."""
    equal = changed(subjects, y=np.full(len(subjects.y), 0.1))
    findings = run_checks({"study": _probe(plain_ridge, equal)}, only=_RELATIONS)
    assert "fail" not in {one.status for one in findings}
    assert "same target" in next(one.explanation for one in findings if one.code == "LK100")


def test_subjects_held_out_alone_take_a_run_each(subjects: Cohort) -> None:
    """Not one for each relation: what nothing moves together moves nothing alone."""
    groups = np.array_split(np.unique(subjects.subjects), subjects.n_subjects)

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        del seed
        return _folds_of(cohort, groups, np.ones(len(cohort.y), dtype=bool), named=True)

    probe = _probe(study, subjects)
    findings = run_checks({"study": probe}, only=["LK101", "LK102"])
    assert [one.status for one in findings if one.status != "skipped"] == ["pass", "pass"]
    looked_at_closely = DEFAULT.folds * len(DEFAULT.scales)
    assert probe.n_runs == subjects.n_subjects + DEFAULT.unchanged + looked_at_closely
