"""A claim about a number that will not be measured is refused before anything is trained."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from suites_for_tests import TINY_SUITE

from pfactor_bench.cli.main import main
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.config import load_suite
from pfactor_bench.errors import ConfigError
from pfactor_bench.measurements.names import measurement_names, refuse_unknown_measurements
from pfactor_bench.pipeline.stages import Run
from pfactor_bench.training.pretraining.sources import SourceTask

if TYPE_CHECKING:
    from pfactor_bench.config import Suite

CHECKOUT = Path(__file__).parents[2]
SUITES = sorted(
    path for path in (CHECKOUT / "suites").glob("*.yaml") if path.name != "expected_failures.yaml"
)
RECORDS = sorted((CHECKOUT / "reports").glob("*/record.json"))


def ready(suite: Suite, *, n_folds: int) -> Run:
    """Return a suite as if its cohort had been loaded and divided, whose data may not be here."""
    cohort = synthetic(n_subjects=4, n_windows=1)
    is_simulated = suite.cohort.kind == "synthetic"
    is_contrast = isinstance(suite.source, SourceTask) and suite.source.kind == "tasks"
    return Run(suite).but(
        cohort=cohort if is_simulated else replace(cohort, injected=None),
        split=SimpleNamespace(folds=[None] * n_folds),
        source=SimpleNamespace(label="task" if is_contrast else "target"),
    )


def misspelt(folder: Path, name: str) -> Path:
    """Write the tiny suite with a claim about another measurement."""
    path = folder / "tiny.yaml"
    text = TINY_SUITE.replace("from-scratch/seed-1/train_mse", name)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("from-scratch/skil", "from-scratch/skill"),
        ("from-scratch/seed-1/trian_mse", "from-scratch/seed-1/train_mse"),
        ("from-scratch/seed-2/mse", "from-scratch/seed-1/mse"),
    ],
)
def test_misspelt_measurement_costs_no_training(
    name: str, meant: str, tmp_path: Path, capsys
) -> None:
    """The error says which claim, where it stands, and what may be meant."""
    suite = misspelt(tmp_path, name)
    line = suite.read_text(encoding="utf-8").splitlines().index("  - id: error") + 1
    out = tmp_path / "out"
    code = main(["run", str(suite), "--out", str(out), "--device", "cpu", "--workers", "1"])
    said = capsys.readouterr().err
    told = f"tiny.yaml:{line}: claim 'error' speaks of measurement {name!r}"
    assert (code, told in said, f"did you mean {meant!r}?" in said) == (2, True, True), said
    assert not list(out.rglob("*seed-1*"))


def test_misspelt_measurement_stops_a_pytest_session_too(tmp_path: Path) -> None:
    """Before the first case, whichever it is."""
    suite = load_suite(misspelt(tmp_path, "from-scratch/skil"))
    run = Run(suite, out=tmp_path / "out", device="cpu", patience=float("inf"))
    with pytest.raises(ConfigError, match="did you mean 'from-scratch/skill'"):
        run.result(suite.cases[0])


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.stem)
def test_claims_of_every_published_suite_are_accepted(path: Path) -> None:
    """Whether its data are at hand or not."""
    suite = load_suite(path)
    refuse_unknown_measurements(
        ready(suite, n_folds=1 if suite.split.kind == "last-subjects" else 2)
    )


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.parent.name)
def test_names_foreseen_are_those_measured(path: Path) -> None:
    """Every number of every published report, and no other."""
    record = json.loads(path.read_text(encoding="utf-8"))
    suite = next(one for one in map(load_suite, SUITES) if one.name == record["suite"]["name"])
    names = measurement_names(ready(suite, n_folds=len(record["split"]["folds"])))
    assert sorted(one["name"] for one in record["measurements"]) == sorted(names)


def test_run_that_lacks_nothing_measures_what_was_foreseen(tiny_report: Path) -> None:
    """Each once."""
    record = json.loads((tiny_report / "record.json").read_text(encoding="utf-8"))
    suite = load_suite(tiny_report.parent / "tiny.yaml")
    names = measurement_names(ready(suite, n_folds=1))
    assert sorted(one["name"] for one in record["measurements"]) == sorted(names)


def test_share_of_a_injected_signal_takes_one(tmp_path: Path) -> None:
    """Real recordings have none, whatever the run."""
    suite = load_suite(misspelt(tmp_path, "from-scratch/saliency_all-held-out_injected_share"))
    simulated = ready(suite, n_folds=1)
    refuse_unknown_measurements(simulated)
    real = simulated.but(cohort=replace(simulated.cohort, injected=None))
    with pytest.raises(ConfigError, match="which this suite does not make"):
        refuse_unknown_measurements(real)


@pytest.mark.parametrize("metric", ["confound/age", "permuted_r_share", "variance/fold"])
def test_number_that_data_may_be_too_poor_for_is_known(metric: str, tmp_path: Path) -> None:
    """It is missing after the run, with the reason; nobody misspelt it."""
    suite = load_suite(misspelt(tmp_path, f"from-scratch/{metric}"))
    refuse_unknown_measurements(Run(suite, device="cpu").prepare())
