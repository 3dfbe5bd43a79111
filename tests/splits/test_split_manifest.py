"""Split manifests: folds that others replay, or are told why they cannot."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from splits_for_tests import SPLITTERS, SUBJECTS, TARGETS

from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.errors import ConfigError
from pfactor_bench.splits import (
    GroupedKFold,
    LeaveSiteOut,
    StratifiedGroupedKFold,
    apply_manifest,
    assert_no_leakage,
)
from pfactor_bench.splits.manifest import checksum

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs" / "split-manifest.schema.json").read_text(encoding="utf-8"))
TABLE = pd.DataFrame({"subject": SUBJECTS})
EVERY = pytest.mark.parametrize("splitter", SPLITTERS.values(), ids=SPLITTERS)


@dataclass
class Recording:
    """What a recording of braindecode shows: a description and a length."""

    description: dict[str, Any]
    n: int

    def __len__(self) -> int:
        return self.n


@dataclass
class Windows(Recording):
    """A recording that is cut into windows, which a table describes."""

    metadata: list = field(default_factory=list)


@dataclass
class Dataset:
    """A concatenation of recordings, as braindecode has it."""

    datasets: list[Recording]


def manifest_of(splitter: GroupedKFold) -> dict[str, Any]:
    """Return a manifest as somebody else reads it."""
    return json.loads(json.dumps(splitter.to_manifest(TABLE, TARGETS), allow_nan=False))


@EVERY
def test_manifest_replays_the_folds_from_json(splitter: GroupedKFold) -> None:
    """Position for position."""
    replayed = apply_manifest(manifest_of(splitter), TABLE)
    for mine, theirs in zip(splitter.split(TABLE, TARGETS, SUBJECTS), replayed, strict=True):
        assert [one.tolist() for one in mine] == [one.tolist() for one in theirs]


@given(st.permutations(range(len(SUBJECTS))))
def test_manifest_fits_rows_in_any_order(order: list[int]) -> None:
    """It names subjects, not rows."""
    table = TABLE.iloc[order]
    manifest = SPLITTERS["grouped"].to_manifest(TABLE)
    folds = apply_manifest(manifest, table)
    assert_no_leakage(folds, table)
    for fold, (_, test) in zip(manifest["folds"], folds, strict=True):
        assert fold["test_subjects"] == np.unique(table["subject"].to_numpy()[test]).tolist()


@EVERY
def test_manifest_keeps_to_the_published_schema(splitter: GroupedKFold) -> None:
    """Which others check theirs by."""
    jsonschema.validate(manifest_of(splitter), SCHEMA)


def test_committed_schema_is_up_to_date() -> None:
    """By ``python -m pfactor_bench.splits.schema > docs/split-manifest.schema.json``."""
    command = [sys.executable, "-m", "pfactor_bench.splits.schema"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == (ROOT / "docs" / "split-manifest.schema.json").read_text("utf-8")


def test_manifest_says_how_the_folds_were_drawn() -> None:
    """By which rule, from what, and with which versions."""
    manifest = manifest_of(SPLITTERS["stratified"])
    assert manifest["schema_version"] == 1
    assert manifest["splitter"] == "stratified-grouped-k-fold"
    assert manifest["arguments"] == {"n_folds": 4, "n_bins": 3}
    assert manifest["seed"] == 7
    assert manifest["versions"]["numpy"] == np.__version__
    assert {"numpy", "pfactor-bench", "python"} == set(manifest["versions"])


def test_manifest_of_sites_has_no_seed() -> None:
    """Nothing is drawn; what decides are the sites."""
    manifest = LeaveSiteOut(sites={"a": 1, "b": 2}).to_manifest(pd.DataFrame({"subject": [*"ab"]}))
    assert manifest["seed"] is None
    assert manifest["arguments"] == {"sites": {"a": "1", "b": "2"}}


def test_manifest_of_a_cohort_holds_its_fingerprint() -> None:
    """Known for a cohort, unknown for a table."""
    cohort = synthetic(n_subjects=6, n_windows=2)
    manifest = GroupedKFold(n_folds=3).to_manifest(cohort)
    assert (manifest["fingerprint"], manifest_of(GroupedKFold())["fingerprint"]) == (
        cohort.fingerprint,
        None,
    )
    assert_no_leakage(apply_manifest(manifest, cohort), cohort)


def test_manifest_of_windows_is_applied_to_windows() -> None:
    """A position is one of the concatenation's, whatever the recordings' lengths."""
    windows = Dataset([Windows({"subject": name}, n) for name, n in (("a", 2), ("b", 1), ("a", 1))])
    manifest = GroupedKFold(n_folds=2).to_manifest(windows)
    tests = {tuple(test.tolist()) for _, test in apply_manifest(manifest, windows)}
    assert tests == {(0, 1, 3), (2,)}


def test_manifest_is_applied_to_uncut_recordings() -> None:
    """A position is a recording's, not a sample's."""
    recordings = Dataset([Recording({"subject": name}, 1000) for name in "aba"])
    manifest = GroupedKFold(n_folds=2).to_manifest(recordings)
    tests = {tuple(test.tolist()) for _, test in apply_manifest(manifest, recordings)}
    assert tests == {(0, 2), (1,)}


def test_manifest_is_applied_to_braindecode_s_own() -> None:
    """To recordings, and to the windows that they are cut into."""
    import mne
    from braindecode.datasets import BaseConcatDataset, RawDataset
    from braindecode.preprocessing import create_fixed_length_windows

    info = mne.create_info(["Cz"], 100, "eeg")
    recordings = BaseConcatDataset(
        [
            RawDataset(mne.io.RawArray(np.zeros((1, n)), info, verbose="ERROR"), {"subject": name})
            for name, n in (("a", 400), ("b", 200), ("a", 200))
        ]
    )
    windows = create_fixed_length_windows(
        recordings, window_size_samples=200, window_stride_samples=200, on_last_window="drop"
    )
    manifest = GroupedKFold(n_folds=2).to_manifest(windows)
    assert {(0, 1, 3), (2,)} == {tuple(test) for _, test in apply_manifest(manifest, windows)}
    assert {(0, 2), (1,)} == {tuple(test) for _, test in apply_manifest(manifest, recordings)}


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (Dataset([Windows({"subject": "a"}, 2), Recording({"subject": "b"}, 9)]), "some .* not"),
        (Dataset([Windows({"name": "a"}, 2)]), "no column 'subject'"),
        (Dataset([Windows(None, 2)]), "no column 'subject'"),
        (Dataset([]), "no column 'subject'"),
    ],
)
def test_dataset_whose_subjects_are_unknown_is_refused(dataset: Dataset, message: str) -> None:
    """Half cut, or without a description."""
    with pytest.raises(ConfigError, match=message):
        GroupedKFold(n_folds=2).to_manifest(dataset)


@pytest.mark.parametrize(
    ("subjects", "message"),
    [
        (SUBJECTS[SUBJECTS != "sub-03"], "^subject 'sub-03' of the manifest is not in the table"),
        ([*SUBJECTS, "sub-99"], "^subject 'sub-99' of the table is not in the manifest"),
        (["a", "b"], "subjects 'sub-00', .* of the manifest .*'a', 'b' of the table are not in"),
    ],
)
def test_other_subjects_are_refused_by_name(subjects: list, message: str) -> None:
    """Some missing, some new, or all others."""
    with pytest.raises(ConfigError, match=message):
        apply_manifest(manifest_of(SPLITTERS["grouped"]), pd.DataFrame({"subject": subjects}))


def _swap(manifest: dict[str, Any]) -> None:
    fold = manifest["folds"][0]
    fold["train_subjects"][0], fold["test_subjects"][0] = (
        fold["test_subjects"][0],
        fold["train_subjects"][0],
    )


@pytest.mark.parametrize(
    "tamper",
    [
        _swap,
        lambda manifest: manifest.update(seed=8),
        lambda manifest: manifest["arguments"].update(n_folds=5),
        lambda manifest: manifest.update(splitter="last-subjects"),
        lambda manifest: manifest["folds"].pop(),
        lambda manifest: manifest.update(more=1),
    ],
    ids=["subjects swapped", "seed", "argument", "splitter", "fold gone", "field added"],
)
def test_manifest_that_was_edited_is_refused(tamper: Callable[[dict[str, Any]], None]) -> None:
    """Whatever was changed, its checksum tells."""
    manifest = manifest_of(SPLITTERS["grouped"])
    tamper(manifest)
    with pytest.raises(ConfigError, match="was edited after it was made: its sha256 is"):
        apply_manifest(manifest, TABLE)


@pytest.mark.parametrize(
    ("tamper", "message"),
    [
        (
            lambda folds: folds[1]["train_subjects"].append(folds[1]["test_subjects"][0]),
            "fold 'fold-1' .*'sub-.*' in train and test",
        ),
        (
            lambda folds: folds[1]["test_subjects"].append(folds[1]["test_subjects"][0]),
            "fold 'fold-1' names subject 'sub-.*' twice",
        ),
        (lambda folds: folds[1]["test_subjects"].clear(), r"folds\[1\].test_subjects is \[\]"),
        (lambda folds: folds[1]["train_subjects"].clear(), r"folds\[1\].train_subjects is \[\]"),
        (lambda folds: folds[1]["train_subjects"].pop(), "fold 'fold-1' .* other subjects than"),
        (lambda folds: folds[1].update(name="fold-0"), "two folds are called 'fold-0'"),
        (list.clear, r"folds is \[\]"),
    ],
)
def test_manifest_whose_folds_leak_is_refused(tamper: Callable[[list], None], message: str) -> None:
    """Whoever wrote it, and though its checksum is right."""
    manifest = manifest_of(SPLITTERS["grouped"])
    tamper(manifest["folds"])
    manifest["sha256"] = checksum(manifest)
    with pytest.raises(ConfigError, match=message):
        apply_manifest(manifest, TABLE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 2}, "schema_version is 2: .* reads 1"),
        ({"schema_version": None}, "schema_version is None: .* reads 1"),
        ({"folds": 3}, "folds is 3"),
        ({"folds": [{"name": "x", "train_subjects": [1], "test_subjects": []}]}, "is 1"),
        ({"sha256": "abc"}, "sha256 is 'abc'"),
        ({"arguments": {"n_folds": float("nan")}}, "not JSON compliant"),
    ],
)
def test_foreign_manifest_is_refused(change: dict[str, Any], message: str) -> None:
    """With the first field that cannot be."""
    with pytest.raises(ConfigError, match=message):
        apply_manifest({**manifest_of(SPLITTERS["grouped"]), **change}, TABLE)


@pytest.mark.parametrize("foreign", [{}, {"split": {"folds": []}}, [], "manifest.json", None])
def test_what_is_no_manifest_is_refused(foreign: object) -> None:
    """Another JSON file, a list, or a path."""
    with pytest.raises(ConfigError, match="no split manifest"):
        apply_manifest(foreign, TABLE)


@pytest.mark.parametrize("name", ["splitter", "arguments", "seed", "versions", "folds", "sha256"])
def test_manifest_that_lacks_a_field_is_refused(name: str) -> None:
    """And the field named."""
    manifest = manifest_of(SPLITTERS["grouped"])
    del manifest[name]
    with pytest.raises(ConfigError, match=f"{name} is missing"):
        apply_manifest(manifest, TABLE)


def test_stratified_manifest_needs_targets() -> None:
    """As its folds do."""
    with pytest.raises(ConfigError, match="y is None"):
        StratifiedGroupedKFold().to_manifest(TABLE)
