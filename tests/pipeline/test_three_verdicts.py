"""The verdicts of three fixed cohorts: one learnable, one that is not, and four subjects."""

from __future__ import annotations

from pathlib import Path

import pytest
from regime_suites import suite_of

from pfactor_bench.claims import judge
from pfactor_bench.pipeline.run import run
from pfactor_bench.records.record import Record, read_record

REPORTS = Path(__file__).parents[2] / "reports"

NULL_SUITE = """\
name: nothing-injected
title: Nothing to be found
question: Is nothing taken for something?
cohort: {kind: synthetic, n_subjects: 24, n_windows: 6, amplitude: 0, subject_offset: 0, seed: SEED}
split: {kind: grouped-k-fold, n_folds: 3}
model: {name: EEGNet}
regimes: [from-scratch]
seeds: [1, 2]
budget: {epochs: 3, batch_size: 16}
claims:
  - id: beats-train-mean
    text: Nothing beats the mean here.
    measurement: from-scratch/skill
    above: 0
"""


def beats_the_mean(record: Record) -> tuple[str, int | None]:
    """Judge a record's claim now, whatever it was judged when it was written."""
    verdicts = {v.claim: v for v in judge(record.claims, record.measurements)}
    verdict = verdicts["beats-train-mean"]
    return verdict.status, verdict.subjects_needed


def test_learnable_cohort_beats_the_mean() -> None:
    """The positive control, as its published predictions are measured."""
    assert ("holds", None) == beats_the_mean(read_record(REPORTS / "learnable"))


def test_case_study_is_inconclusive_and_names_no_number_of_subjects() -> None:
    """Four held-out subjects carry nothing, not even a guess at how many would."""
    assert ("inconclusive", None) == beats_the_mean(read_record(REPORTS / "case-study"))


@pytest.mark.parametrize("seed", [0, 1])
def test_null_cohort_never_beats_the_mean(tmp_path: Path, seed: int) -> None:
    """A whole suite, trained on noise."""
    suite = suite_of(tmp_path, NULL_SUITE.replace("SEED", str(seed)))
    record = run(suite, out=tmp_path / "out", data_dir=None, device="cpu")
    assert beats_the_mean(record)[0] in {"inconclusive", "fails"}
