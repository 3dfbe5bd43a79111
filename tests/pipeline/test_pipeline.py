"""A suite from file to report: the case study's numbers, and nothing that varies by itself."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from pfactor_bench.config import load_suite
from pfactor_bench.errors import OutputError
from pfactor_bench.pipeline.run import run
from pfactor_bench.records.record import find_measurement, read_record

ROOT = Path(__file__).parents[2]

#: What the case study prints, to its three decimals.
REFERENCE = {
    "from-scratch/seed-42/train_mse": 0.915,
    "from-scratch/seed-42/val_mse": 0.477,
    "from-scratch/seed-42/val_r": -0.110,
    "from-scratch/seed-43/train_mse": 0.934,
    "from-scratch/seed-43/val_mse": 0.439,
    "from-scratch/seed-43/val_r": 0.134,
    "from-scratch/seed-43/pearson_r": 0.852,
    "from-scratch/seed-43/r2": 0.010,
    "from-scratch/seed-43/mae": 0.660,
    "from-scratch/best_val_r": 0.164,
}


@pytest.fixture(scope="module")
def case_study(tmp_path_factory):
    """Run the case study once; return its record and its folder."""
    folder = tmp_path_factory.mktemp("case-study")
    suite = load_suite(ROOT / "suites" / "case_study.yaml")
    return run(suite, out=folder, data_dir=None, device="cpu"), folder


@pytest.fixture(scope="module")
def plain_script(tmp_path_factory):
    """Run the plain script once; return its curves by seed."""
    path = ROOT / "benchmarks" / "plain_case_study.py"
    spec = importlib.util.spec_from_file_location("plain_case_study", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main(tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize("name", REFERENCE)
def test_reference_number_is_reproduced(case_study, name: str) -> None:
    """Within what rounding, instruction sets and thread counts are known to move."""
    record, _ = case_study
    assert find_measurement(record, name).value == pytest.approx(REFERENCE[name], abs=0.0015)


@pytest.mark.parametrize("seed", [42, 43])
@pytest.mark.parametrize("curve", ["train_mse", "val_mse", "val_r"])
def test_curve_equals_plain_scripts(case_study, plain_script, seed: int, curve: str) -> None:
    """On one machine the draws are the same, so the numbers agree to float32."""
    record, _ = case_study
    ours = find_measurement(record, f"from-scratch/seed-{seed}/{curve}").value
    assert ours == pytest.approx(plain_script[seed][curve][-1], abs=2e-6)


def test_saliency_by_error_peaks_at_cz(case_study) -> None:
    """As the case study prints for its last seed."""
    record, _ = case_study
    by_error = next(s for s in record.cases[-1]["saliency"] if s["chosen_by"] == "smallest-error")
    assert (by_error["peak_channel"], by_error["circular"]) == ("Cz", True)


def test_four_subjects_never_beat_the_mean(case_study) -> None:
    """Whatever the numbers: 4 subjects cannot carry the claim."""
    record, _ = case_study
    verdict = next(v for v in record.verdicts if v.claim == "beats-train-mean")
    assert verdict.status == "inconclusive"


def test_second_run_gives_identical_figure_and_numbers(case_study, tmp_path: Path) -> None:
    """Byte for byte, timings and dates aside."""
    _, first = case_study
    run(load_suite(ROOT / "suites" / "case_study.yaml"), out=tmp_path, data_dir=None, device="cpu")
    for name in ("figure.svg", "figure.png", "arrays.npz", "predictions.parquet"):
        assert (tmp_path / name).read_bytes() == (first / name).read_bytes(), name
    assert timeless(tmp_path) == timeless(first)


def timeless(folder: Path) -> dict:
    """Return a record without what says when and how fast."""
    record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    del record["timings"], record["provenance"]["date"]
    for finding in record["findings"]:
        del finding["seconds"]
    return record


def test_stored_record_reads_back_equal(case_study) -> None:
    """Nothing is lost between memory and disk."""
    record, folder = case_study
    assert read_record(folder) == record


def test_global_random_streams_are_left_alone(tiny_run) -> None:
    """A run must not reseed the program that calls it."""
    import numpy as np
    import torch

    np.random.seed(7)  # noqa: NPY002
    torch.manual_seed(7)
    before = (np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())  # noqa: NPY002
    tiny_run()
    assert before == (np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())  # noqa: NPY002


def test_unwritable_output_is_refused_before_any_work(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "taken").write_text("")
    suite = load_suite(ROOT / "suites" / "case_study.yaml")
    with pytest.raises(OutputError, match="choose another with --out"):
        run(suite, out=tmp_path / "taken", data_dir=None, device="cpu")
