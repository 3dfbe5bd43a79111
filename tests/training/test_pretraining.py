"""Pretraining: who is trained on, what the manifest says, and when an encoder is used again."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from regime_suites import REGIME_SUITE, SHARED_SOURCE, suite_of

from pfactor_bench.checks import catalogue, run_check
from pfactor_bench.cohorts import COHORTS
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.errors import CheckpointError, ConfigError, ModelError, OutputError
from pfactor_bench.execution.cases import compute
from pfactor_bench.execution.preparation import encoders_of
from pfactor_bench.pipeline.stages import Run
from pfactor_bench.records.record import find_measurement
from pfactor_bench.training.pretraining import pretraining

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pfactor_bench.training.pretraining.checkpoints import Encoder

OUTSIDE = SHARED_SOURCE.replace("kind: target", "kind: target\n  subjects: outside-fold")
ALLOWED = SHARED_SOURCE.replace("kind: target", "kind: target\n  allow_shared_subjects: true")

TASKS = """\
source:
  kind: tasks
  tasks: [rest, arithmetic]
  subjects: outside-fold
  cohort: {kind: two-tasks}
  budget: {epochs: 1}
"""
STORED = "source: {kind: checkpoint, path: encoder.safetensors}\n"


def with_source(source: str) -> str:
    """Return the tiny suite with another source."""
    start, end = REGIME_SUITE.index("source:"), REGIME_SUITE.index("regimes:")
    return REGIME_SUITE[:start] + source + REGIME_SUITE[end:]


def offer(monkeypatch: pytest.MonkeyPatch, name: str, cohort: Callable) -> None:
    """Register a cohort for the length of a test."""
    monkeypatch.setitem(COHORTS._entries, name, cohort)  # noqa: SLF001 - none can be unregistered


def prepared_of(folder: Path, text: str = REGIME_SUITE):
    """Prepare a suite whose report goes into `folder`."""
    return Run(suite_of(folder, text), device="cpu", out=folder / "out").prepare()


def encoders(folder: Path, text: str = REGIME_SUITE) -> Mapping[str, Encoder]:
    """Return the encoders of the suite's linear probe."""
    prepared = prepared_of(folder, text)
    return encoders_of(prepared, prepared.suite.cases[-1])


@pytest.fixture
def two_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offer a cohort in which arithmetic has a strong rhythm and rest has none."""

    def cohort(*, task: str = "rest"):
        loud = synthetic(n_subjects=8, n_windows=3, seed=3, amplitude=0.3)
        if task == "rest":
            return loud
        return replace(loud, X=loud.X + 1, fingerprint=task)

    offer(monkeypatch, "two-tasks", cohort)


def test_folds_of_other_subjects_share_one_encoder(tmp_path: Path) -> None:
    """Nobody of the source is ever held out, so there is one thing to make."""
    assert len({one.manifest["sha256"] for one in encoders(tmp_path).values()}) == 1


def test_encoder_that_folds_share_is_read_once(tmp_path: Path) -> None:
    """So that what it makes of windows is computed once, too."""
    first, second = encoders(tmp_path).values()
    assert first is second


def test_encoder_that_another_run_is_making_is_waited_for(tmp_path: Path, monkeypatch) -> None:
    """A folder of encoders may be shared: two that write at once could mix tensors and manifest."""
    made = []
    original = pretraining._pretrain  # noqa: SLF001

    def slow(recipe, subjects):
        made.append(subjects)
        time.sleep(0.3)
        return original(recipe, subjects)

    monkeypatch.setattr(pretraining, "_pretrain", slow)
    prepared = prepared_of(tmp_path)
    with ThreadPoolExecutor(2) as threads:
        both = list(threads.map(encoders_of, [prepared] * 2, [prepared.suite.cases[-1]] * 2))
    assert len(made) == 1
    assert both[0]["fold-0"].manifest == both[1]["fold-0"].manifest


def test_manifest_names_all_subjects_trained_on(tmp_path: Path) -> None:
    """What the leak check reads."""
    manifest = encoders(tmp_path)["fold-0"].manifest
    assert [f"source-{number:02d}" for number in range(5)] == manifest["subjects"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", 0),
        ("task", {"kind": "target", "tasks": []}),
        ("cohort_fingerprint", synthetic(n_subjects=5, n_windows=3, seed=7, prefix="source")),
    ],
)
def test_manifest_says_what_encoder_was_made_from(tmp_path: Path, key: str, value) -> None:
    """So that it can be made again."""
    expected = getattr(value, "fingerprint", value)
    assert expected == encoders(tmp_path)["fold-0"].manifest[key]


def test_encoder_is_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a step of training."""
    first = encoders(tmp_path)
    monkeypatch.setattr(pretraining, "fit", None)
    second = encoders(tmp_path)
    assert first["fold-0"].manifest == second["fold-0"].manifest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("budget: {epochs: 1}\nregimes", "budget: {epochs: 2}\nregimes"),
        ("seed: 7", "seed: 8"),
        ("n_subjects: 5", "n_subjects: 6"),
        ("  name: EEGNet", "  name: EEGNet\n  args: {F1: 4}"),
        ("kind: target", "kind: target\n  seed: 1"),
    ],
)
def test_changed_input_makes_another_encoder(tmp_path: Path, old: str, new: str) -> None:
    """Budget, cohort, model and seed are all part of its name."""
    encoders(tmp_path)
    assert old in REGIME_SUITE
    encoders(tmp_path, REGIME_SUITE.replace(old, new))
    assert len(list((tmp_path / "out" / "encoders").glob("*.safetensors"))) == 2


def test_encoder_does_not_depend_on_what_ran_before(tmp_path: Path) -> None:
    """Its seed is its own."""
    first = encoders(tmp_path)["fold-0"].manifest["sha256"]
    torch.manual_seed(99)
    (tmp_path / "elsewhere").mkdir()
    assert first == encoders(tmp_path / "elsewhere")["fold-0"].manifest["sha256"]


def test_cache_variable_names_folder_of_encoders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shared by all suites that are run with it."""
    monkeypatch.setenv("PFACTOR_BENCH_CACHE", str(tmp_path / "shared"))
    encoders(tmp_path)
    assert len(list((tmp_path / "shared").glob("*.safetensors"))) == 1


def test_suite_with_source_needs_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Encoders are kept, so there must be a place."""
    monkeypatch.delenv("PFACTOR_BENCH_CACHE", raising=False)
    with pytest.raises(OutputError, match="needs a folder for its encoders"):
        Run(suite_of(tmp_path), device="cpu").prepare()


def test_tampered_encoder_stops_the_run(tmp_path: Path) -> None:
    """It is not silently made again."""
    encoders(tmp_path)
    (path,) = (tmp_path / "out" / "encoders").glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="was truncated or changed"):
        encoders(tmp_path)


def test_source_that_shares_held_out_subjects_is_refused(tmp_path: Path) -> None:
    """With their names and three ways out."""
    with pytest.raises(
        ConfigError, match=r"shares \d subjects .*sub-0.*outside-fold.*allow_shared"
    ):
        prepared_of(tmp_path, SHARED_SOURCE)


def test_subjects_outside_fold_never_meet_held_out_ones(tmp_path: Path) -> None:
    """One encoder per fold."""
    prepared = prepared_of(tmp_path, OUTSIDE)
    shared = [
        np.intersect1d(prepared.pretrained_on[fold.name], prepared.cohort.subjects[fold.test])
        for fold in prepared.split.folds
    ]
    assert [0, 0] == [len(subjects) for subjects in shared]


def test_subjects_outside_fold_are_all_the_others(tmp_path: Path) -> None:
    """The source has five of the eight, and each fold holds out some of them."""
    made = encoders(tmp_path, OUTSIDE)
    subjects = [one.manifest["subjects"] for one in made.values()]
    assert sorted(f"sub-{number:02d}" for number in range(5)) == sorted(subjects[0] + subjects[1])


def test_signal_of_held_out_subjects_does_not_reach_encoder(tmp_path: Path) -> None:
    """Replaced by noise, it leaves every weight as it was."""
    prepared = prepared_of(tmp_path, OUTSIDE)
    case, source = prepared.suite.cases[-1], prepared.source
    before = encoders_of(prepared, case)["fold-0"]
    X = source.X.copy()
    X[~np.isin(source.subjects, before.manifest["subjects"])] = 7.0
    changed = prepared.but(source=replace(source, X=X), cache=tmp_path / "other")
    after = encoders_of(changed, case)["fold-0"]
    assert before.manifest["sha256"] == after.manifest["sha256"]


def test_shared_subjects_may_be_allowed(tmp_path: Path) -> None:
    """To measure what the leak gains."""
    assert len(encoders(tmp_path, ALLOWED)["fold-0"].manifest["subjects"]) == 5


@pytest.mark.skipif(
    "LK022" not in {entry.code for entry in catalogue()}, reason="there is no check for it"
)
@pytest.mark.parametrize(("text", "status"), [(ALLOWED, "fail"), (OUTSIDE, "pass")])
def test_check_finds_shared_subjects(tmp_path: Path, text: str, status: str) -> None:
    """Forcing it does not hide it."""
    prepared = prepared_of(tmp_path, text)
    made = encoders_of(prepared, prepared.suite.cases[-1])
    finding = run_check(
        "LK022",
        cohort=prepared.cohort,
        split=prepared.split,
        pretraining={fold: encoder.manifest for fold, encoder in made.items()},
    )
    assert status == finding.status


@pytest.mark.parametrize(
    ("what", "replaced"),
    [
        ("channels", {"ch_names": ("A", "B")}),
        ("sampling rate in Hz", {"sfreq": 250.0}),
        ("unit", {"unit": "V"}),
    ],
)
def test_source_of_other_windows_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, replaced: dict
) -> None:
    """An encoder's filters would mean something else there."""
    other = replace(synthetic(n_subjects=5, n_windows=3, prefix="source"), **replaced)
    offer(monkeypatch, "other", lambda: other)
    text = with_source("source: {kind: target, cohort: {kind: other}, budget: {epochs: 1}}\n")
    with pytest.raises(ConfigError, match=f"the source's {what} .* differ"):
        prepared_of(tmp_path, text)


@pytest.mark.usefixtures("two_tasks")
def test_tasks_are_learnt_as_a_contrast(tmp_path: Path) -> None:
    """The loss of one epoch is near that of guessing, log 2."""
    loss = encoders(tmp_path, with_source(TASKS))["fold-0"].manifest["train_loss"][0]
    assert loss == pytest.approx(np.log(2), abs=0.3)


@pytest.mark.usefixtures("two_tasks")
def test_auc_is_measured_for_all_subjects_once(tmp_path: Path) -> None:
    """By the encoder that has not seen them."""
    made = encoders(tmp_path, with_source(TASKS))
    subjects = [subject for one in made.values() for subject in one.manifest["held_out_auc"]]
    assert [f"sub-{number:02d}" for number in range(8)] == sorted(subjects)


@pytest.mark.usefixtures("two_tasks")
def test_auc_stands_in_the_record(tmp_path: Path) -> None:
    """Over subjects, with an interval where they differ."""
    prepared = prepared_of(tmp_path, with_source(TASKS))
    record = prepared.whole_record()
    assert find_measurement(record, "source/auc").n_subjects == 8


@pytest.mark.parametrize("tasks", ["[rest]", "[rest, rest2, rest3]"])
def test_contrast_needs_two_tasks(tmp_path: Path, tasks: str, two_tasks: None) -> None:  # noqa: ARG001
    """Neither one nor three can be told apart by one number."""
    text = with_source(TASKS.replace("[rest, arithmetic]", tasks))
    with pytest.raises(ConfigError, match="give two, such as"):
        prepared_of(tmp_path, text)


def stored_encoder(folder: Path, **changes: object) -> None:
    """Put an encoder of the tiny suite beside it, its manifest changed."""
    made = encoders(folder)["fold-0"]
    (path,) = (folder / "out" / "encoders").glob("*.safetensors")
    (folder / "encoder.safetensors").write_bytes(path.read_bytes())
    manifest = json.dumps({**made.manifest, **changes})
    (folder / "encoder.json").write_text(manifest, encoding="utf-8")


def test_stored_encoder_is_taken_for_every_fold(tmp_path: Path) -> None:
    """As it was made elsewhere."""
    stored_encoder(tmp_path)
    taken = encoders(tmp_path, with_source(STORED))
    assert {"fold-0", "fold-1"} == taken.keys()


def test_stored_encoder_that_saw_held_out_subjects_is_refused(tmp_path: Path) -> None:
    """Its manifest says so."""
    stored_encoder(tmp_path, subjects=["sub-03"])
    with pytest.raises(ConfigError, match="shares 1 subjects with those held out"):
        prepared_of(tmp_path, with_source(STORED))


def test_stored_encoder_of_another_model_is_refused_before_training(tmp_path: Path) -> None:
    """When the suite is prepared."""
    stored_encoder(tmp_path)
    with pytest.raises(ModelError, match="was made for another model"):
        prepared_of(tmp_path, with_source(STORED).replace("EEGNet", "ShallowFBCSPNet"))


def test_run_with_source_leaves_random_streams_alone(tmp_path: Path) -> None:
    """Preparing, pretraining and training alike."""
    torch.manual_seed(7)
    before = torch.get_rng_state()
    prepared = prepared_of(tmp_path)
    compute(prepared, prepared.suite.cases[-1])
    assert torch.equal(before, torch.get_rng_state())


def test_record_holds_every_manifest_once(tmp_path: Path) -> None:
    """With whom it was trained on."""
    prepared = prepared_of(tmp_path, OUTSIDE)
    record = prepared.whole_record()
    assert len(record.provenance["encoders"]) == 2
