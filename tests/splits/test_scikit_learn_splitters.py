"""Splitters for scikit-learn: the folds of the suites, by subject, the same in every process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import splits_for_tests
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from splits_for_tests import SITES, SPLITTERS, SUBJECTS, TARGETS, drawn, held_out

from pfactor_bench.errors import CohortError, ConfigError
from pfactor_bench.splits import (
    GroupedKFold,
    LeaveSiteOut,
    RepeatedGroupedKFold,
    StratifiedGroupedKFold,
)
from pfactor_bench.splits.splitters import make_split
from pfactor_bench.types import Ingredient

EVERY = pytest.mark.parametrize("splitter", SPLITTERS.values(), ids=SPLITTERS)


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_another_process_draws_the_same_folds(hash_seed: str) -> None:
    """Under whatever hash seed, and from whatever folder."""
    program = "import json, splits_for_tests; print(json.dumps(splits_for_tests.drawn()))"
    paths = os.pathsep.join([str(Path(splits_for_tests.__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": paths},
    )
    assert drawn() == json.loads(done.stdout)


def test_no_torch_is_imported() -> None:
    """Nor what imports it: a split costs a second, not twenty."""
    program = (
        "import sys\n"
        "from pfactor_bench.splits import *\n"
        "import pandas as pd\n"
        "table = pd.DataFrame({'subject': list('aabbcc')})\n"
        "manifest = GroupedKFold(n_folds=3).to_manifest(table)\n"
        "assert_no_leakage(apply_manifest(manifest, table), table)\n"
        "assert not {'torch', 'braindecode', 'mne', 'skorch', 'sklearn'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("splitter", "recipe"),
    [
        (
            GroupedKFold(n_folds=4, seed=3),
            Ingredient(kind="grouped-k-fold", args={"n_folds": 4, "seed": 3}),
        ),
        (
            RepeatedGroupedKFold(n_folds=3, n_repeats=2, seed=3),
            Ingredient(
                kind="repeated-grouped-k-fold", args={"n_folds": 3, "n_repeats": 2, "seed": 3}
            ),
        ),
        (LeaveSiteOut(sites=SITES), Ingredient(kind="leave-group-out", args={"column": "site"})),
    ],
    ids=["grouped", "repeated", "site"],
)
def test_folds_are_those_of_a_suite(splitter: GroupedKFold, recipe: Ingredient) -> None:
    """Of the same rule and seed."""
    table = pd.DataFrame({"subject": SUBJECTS, "site": [SITES[name] for name in SUBJECTS]})
    suite = make_split(recipe, table)
    for fold, (train, test) in zip(suite.folds, splitter.split(table, None, SUBJECTS), strict=True):
        assert fold.train.tolist() == train.tolist()
        assert fold.test.tolist() == test.tolist()


@EVERY
def test_scikit_learn_takes_the_splitter(splitter: GroupedKFold) -> None:
    """For a cross-validation and for a search, a value per fold."""
    X = np.random.default_rng(0).normal(size=(len(SUBJECTS), 2))
    n_splits = splitter.get_n_splits(X, TARGETS, SUBJECTS)
    values = cross_val_score(
        Ridge(), X, TARGETS, groups=SUBJECTS, cv=splitter, scoring="neg_mean_squared_error"
    )
    search = GridSearchCV(
        Ridge(), {"alpha": [1, 2]}, cv=splitter, scoring="neg_mean_squared_error"
    ).fit(X, TARGETS, groups=SUBJECTS)
    assert n_splits == len(values) == search.n_splits_


@EVERY
def test_number_of_splits_is_that_of_the_folds(splitter: GroupedKFold) -> None:
    """What scikit-learn sizes its tables by."""
    folds = [*splitter.split(SUBJECTS, TARGETS, SUBJECTS)]
    assert splitter.get_n_splits(SUBJECTS, TARGETS, SUBJECTS) == len(folds)


_COHORTS = st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=30).map(
    lambda names: np.array([*names, *"abcd"])
)


@given(_COHORTS, st.integers(2, 4), st.integers(2, 9), st.integers(0, 99))
def test_every_subject_is_held_out_once_and_whole(
    subjects: np.ndarray, n_folds: int, n_bins: int, seed: int
) -> None:
    """Whoever the windows belong to, in whatever order, by every rule."""
    targets = np.array([ord(name) % 4 for name in subjects])
    sites = {name: str(ord(name) % 2) for name in subjects}
    for splitter, times in (
        (GroupedKFold(n_folds=n_folds, seed=seed), 1),
        (RepeatedGroupedKFold(n_folds=n_folds, n_repeats=2, seed=seed), 2),
        (StratifiedGroupedKFold(n_folds=n_folds, n_bins=n_bins, seed=seed), 1),
        (LeaveSiteOut(sites=sites), 1),
    ):
        tested: list[str] = []
        for train, test in splitter.split(subjects, targets, subjects):
            assert not set(subjects[train]) & set(subjects[test])
            assert sorted([*train, *test]) == [*range(len(subjects))]
            tested += set(subjects[test])
        assert sorted(tested) == sorted([*set(subjects)] * times)


@given(st.permutations(range(24)), st.integers(0, 9))
def test_order_of_rows_plays_no_part(order: list[int], seed: int) -> None:
    """In the stratified folds either, where targets are sorted and tied."""
    subjects, targets = np.repeat([*"abcdefghijkl"], 2), np.repeat([1, 2, 3, 4], 6)
    splitter = StratifiedGroupedKFold(n_folds=3, n_bins=2, seed=seed)
    assert held_out(splitter.split(subjects, targets, subjects), subjects) == held_out(
        splitter.split(subjects, targets[order], subjects[order]), subjects[order]
    )


@given(st.integers(2, 6), st.integers(2, 6), st.integers(13, 60), st.integers(0, 99))
def test_every_stratum_is_spread_evenly(n_folds: int, n_bins: int, n: int, seed: int) -> None:
    """Folds differ by one subject at most, altogether and within each bin of targets."""
    subjects = np.array([f"{number:02d}" for number in range(n)])
    targets = np.random.default_rng(seed).normal(size=n)
    bins = np.empty(n, dtype=int)
    bins[np.argsort(targets)] = (2 * np.arange(n) + 1) * n_bins // (2 * n)
    splitter = StratifiedGroupedKFold(n_folds=n_folds, n_bins=n_bins, seed=seed)
    tests = [test for _, test in splitter.split(subjects, targets, subjects)]
    assert np.ptp([len(test) for test in tests]) <= 1
    for one in range(n_bins):
        assert np.ptp([(bins[test] == one).sum() for test in tests]) <= 1


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_classes_are_strata(share: float) -> None:
    """Subjects of one target share a bin, however rare it is."""
    subjects = np.array([f"{number:02d}" for number in range(40)])
    targets = (np.arange(40) < 40 * share).astype(int)
    splitter = StratifiedGroupedKFold(n_folds=4, n_bins=2)
    counts = [targets[test].sum() for _, test in splitter.split(subjects, targets, subjects)]
    assert set(counts) == {round(10 * share)}


def test_targets_as_text_are_numbers() -> None:
    """As EEGDash hands them over: sorted by value, not by letter."""
    splitter = SPLITTERS["stratified"]
    targets = np.repeat(np.arange(12.0) - 5, 3)
    assert held_out(splitter.split(SUBJECTS, targets, SUBJECTS), SUBJECTS) == held_out(
        splitter.split(SUBJECTS, targets.astype(str), SUBJECTS), SUBJECTS
    )


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (GroupedKFold, {"n_folds": 1}, "n_folds is 1: it must be a whole number, at least 2"),
        (GroupedKFold, {"n_folds": 2.5}, "n_folds is 2.5: it must be a whole number"),
        (GroupedKFold, {"n_folds": True}, "n_folds is True: it must be a whole number"),
        (GroupedKFold, {"seed": None}, "seed is None: it must be a whole number, at least 0"),
        (GroupedKFold, {"seed": -1}, "seed is -1"),
        (RepeatedGroupedKFold, {"n_repeats": 0}, "n_repeats is 0"),
        (RepeatedGroupedKFold, {"seed": None}, "seed is None"),
        (StratifiedGroupedKFold, {"n_bins": 1}, "n_bins is 1: .* at least 2"),
        (StratifiedGroupedKFold, {"seed": None}, "seed is None"),
        (LeaveSiteOut, {"sites": {"a": "X", "b": None}}, "subject 'b' has no site"),
        (LeaveSiteOut, {"sites": {"a": "X", "b": "n/a"}}, "subject 'b' has no site"),
        (LeaveSiteOut, {"sites": ["X"]}, "sites is .*: pass a site for every subject"),
    ],
    ids=str,
)
def test_argument_that_cannot_be_is_refused(
    kind: type, arguments: dict[str, object], message: str
) -> None:
    """When the splitter is made; a seed that is None would draw anew in every process."""
    with pytest.raises(ConfigError, match=message):
        kind(**arguments)


@pytest.mark.parametrize(
    "rows",
    [csr_array((3, 2)), [[1], [2, 3], []], range(3), None],
    ids=["sparse", "ragged", "range", "none"],
)
def test_rows_may_be_whatever_has_a_length(rows: object) -> None:
    """They play no part: a data set is not read, and a sparse matrix has no length."""
    splitter = GroupedKFold(n_folds=3)
    assert len([*splitter.split(rows, None, ["a", "b", "c"])]) == 3


def test_numpy_s_whole_numbers_are_whole() -> None:
    """As a loop over an array hands them out, also into the manifest."""
    manifest = GroupedKFold(n_folds=np.int64(3), seed=np.int64(1)).to_manifest(
        pd.DataFrame({"subject": SUBJECTS})
    )
    assert json.loads(json.dumps(manifest))["arguments"] == {"n_folds": 3}


@pytest.mark.parametrize(
    ("subjects", "message"),
    [
        (None, "groups is None: pass the subject of each row"),
        (["a", None, "b"], "row 1 names no subject"),
        ([1.0, np.nan, 2.0], "row 1 names no subject"),
        (["a", "b"], "2 subjects for 3 rows"),
        ([["a"], ["b"], ["c"]], "must be one-dimensional"),
        (["a", "a", "a"], "2 folds of 1 subjects"),
    ],
)
@pytest.mark.parametrize(
    "splitter",
    [GroupedKFold(n_folds=2), RepeatedGroupedKFold(n_folds=2), StratifiedGroupedKFold(n_folds=2)],
    ids=repr,
)
def test_groups_that_cannot_be_split_are_refused(
    splitter: GroupedKFold, subjects: object, message: str
) -> None:
    """Before a fold is drawn, by whatever rule."""
    with pytest.raises(ConfigError, match=message):
        splitter.split(np.zeros((3, 1)), np.zeros(3), subjects)


@pytest.mark.parametrize(
    ("targets", "error", "message"),
    [
        (None, ConfigError, "y is None: stratified folds need"),
        ([1, 1, 2, 3], ConfigError, "subject 'b' has the targets 2.0 and 3.0"),
        ([1, 1, np.nan, np.nan], ConfigError, "subject 'b' has no target"),
        ([1, 1, 2], ConfigError, "3 targets for 4 rows"),
        ([[1], [1], [2], [2]], ConfigError, "must be one-dimensional"),
        (["hi", "hi", "lo", "lo"], CohortError, "of subject 'a' .* is 'hi'"),
    ],
)
def test_targets_that_make_no_strata_are_refused(
    targets: object, error: type[Exception], message: str
) -> None:
    """A subject stands in one stratum."""
    subjects = ["a", "a", "b", "b"]
    with pytest.raises(error, match=message):
        StratifiedGroupedKFold(n_folds=2).split(subjects, targets, subjects)


@pytest.mark.parametrize(
    ("sites", "message"),
    [
        ({"a": "X", "b": "Y"}, "subject 'c' has no site"),
        ({"a": "X", "b": "X", "c": "X"}, r"every subject has site \['X'\]"),
    ],
)
def test_sites_that_cannot_be_left_out_are_refused(sites: dict, message: str) -> None:
    """Every subject needs one, and they need to be two."""
    with pytest.raises(ConfigError, match=message):
        LeaveSiteOut(sites=sites).split([0, 0, 0], None, ["a", "b", "c"])


def test_sites_are_read_from_a_table() -> None:
    """By the column that names them."""
    table = pd.DataFrame({"subject": [*"aabb"], "release": [1, 1, 2, 2]}, index=[3, 3, 1, 0])
    splitter = LeaveSiteOut.from_table(table, column="release")
    assert [["a"], ["b"]] == held_out(
        splitter.split(table, None, table["subject"]), table["subject"].to_numpy()
    )


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (["X", "Y", "Z", "Z"], r"subject 'a' has site \['X', 'Y'\]"),
        (["X", "X", None, None], "subject 'b' has no site"),
        (None, "no column 'site'"),
    ],
)
def test_table_that_names_no_site_is_refused(column: list | None, message: str) -> None:
    """A subject belongs to one site; a mapping could not tell."""
    table = pd.DataFrame({"subject": [*"aabb"]})
    if column:
        table["site"] = column
    with pytest.raises(ConfigError, match=message):
        LeaveSiteOut.from_table(table, column="site")
