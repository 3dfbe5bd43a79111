"""What CONTRIBUTING's table promises: one file, or one function, and its test; listed nowhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tiny_cases import tiny_suite

from benchmarks import detection
from benchmarks.detection import leaks
from pfactor_bench import cli, cohorts
from pfactor_bench.checks import catalogue, run_check, static
from pfactor_bench.checks.engine import registry
from pfactor_bench.checks.engine.catalogue import catalogue_page
from pfactor_bench.cli.main import main
from pfactor_bench.cohorts import COHORTS, load_cohort
from pfactor_bench.config import load_suite
from pfactor_bench.config.reference import suite_reference
from pfactor_bench.models.baselines import BASELINES
from pfactor_bench.models.regimes import REGIMES
from pfactor_bench.pipeline.run import run
from pfactor_bench.records.record import find_measurement
from pfactor_bench.splits.splitters import split_from_indices

if TYPE_CHECKING:
    from types import ModuleType

CHECK = '''
from pfactor_bench.checks.engine.outcomes import failed, passed
from pfactor_bench.checks.engine.registry import check


@check("LK999", kinds=(1,))
def toys(split):
    """A split that is called a toy.

    How it is detected
    ------------------
    By its name.

    Why it matters
    --------------
    It does not.

    How to fix it
    -------------
    Rename it.

    What it cannot see
    ------------------
    Other names.

    Source
    ------
    This test.
    """
    return failed("a toy") if split.name == "toy" else passed("no toy")
'''

COHORT = '''
from pfactor_bench.cohorts.synthetic import synthetic


def toy(*, n_subjects: int = 6):
    """Return some subjects.

    Parameters
    ----------
    n_subjects
        How many.
    """
    return synthetic(n_subjects=n_subjects, n_windows=2)
'''

COMMAND = """
GROUP = "audit"
HELP = "play with a toy"


def add_arguments(parser):
    parser.add_argument("--n", type=int)


def run(options):
    print(f"{options.n} toys")
    return 0
"""

REGIME = """
from pfactor_bench.models.regimes import regime


@regime("toy-regime", pretrained=False)
def toy_regime(model, head):
    return (model,)
"""

BASELINE = '''
import numpy as np
from pfactor_bench.models.baselines import BASELINES


@BASELINES.register("toy-baseline")
def toy_baseline(cohort, fold):
    """Predict one."""
    return np.ones(len(fold.test))
'''

LEAK = '''
from benchmarks.detection.leaks import leak


@leak("toy leak", kind=1)
def toy_leak(scene, severity):
    """Change nothing."""
    return scene
'''

CONTRIBUTING = Path(__file__).parents[1] / "CONTRIBUTING.md"


@pytest.fixture
def lies_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that lays a file into a folder of the package, for as long as a test."""

    def lay(package: ModuleType, text: str, *, name: str = "toy") -> None:
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])

    return lay


@pytest.fixture
def registers(monkeypatch: pytest.MonkeyPatch):
    """Return a function that adds to a registry what one function's text registers."""

    def add(table, text: str) -> None:
        monkeypatch.setattr(table, "_entries", dict(table._entries))  # noqa: SLF001
        exec(text, {})  # noqa: S102 - as if it stood in the module

    return add


def test_a_check_needs_one_file(lies_in, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is run, and has its page in the catalogue."""
    lies_in(static, CHECK)
    monkeypatch.setattr(registry, "CHECKS", dict(registry.CHECKS))
    split = split_from_indices("toy", [(range(2), range(2, 4))])
    assert run_check("LK999", split=split).status == "fail"
    assert "A split that is called a toy" in catalogue_page(catalogue())


def test_a_cohort_needs_one_file(lies_in, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A suite may name it, its keys are known and explained."""
    monkeypatch.setattr(COHORTS, "_entries", dict(COHORTS._entries))  # noqa: SLF001
    lies_in(cohorts, COHORT)
    cohorts.find_cohorts()
    suite = tiny_suite(tmp_path).path
    text = suite.read_text().replace("synthetic, n_subjects: 9, n_windows: 4", "toy, n_subjects: 7")
    suite.write_text(text)
    assert load_cohort(load_suite(suite).cohort, None).n_subjects == 7
    assert "n_subjects" in suite_reference()


def test_a_subcommand_needs_one_file(lies_in, capsys) -> None:
    """It is typed and listed by the name of its file."""
    lies_in(cli, COMMAND)
    assert main(["toy", "--n", "3"]) == 0
    with pytest.raises(SystemExit):
        main(["--help"])
    printed = capsys.readouterr().out
    assert printed.startswith("3 toys")
    assert re.search(r"toy +play with a toy", printed)


def test_a_regime_and_a_baseline_need_one_function(registers, tmp_path: Path) -> None:
    """They are trained, compared, measured and reported."""
    registers(REGIMES, REGIME)
    registers(BASELINES, BASELINE)
    tiny_suite(tmp_path, seeds=2, regimes="[from-scratch, toy-regime]")
    suite = tmp_path / "suite.yaml"
    suite.write_text(suite.read_text() + "baselines: [toy-baseline]\n")
    record = run(suite, out=tmp_path / "out", device="cpu", audit=False, progress=False)
    for name in ("toy-regime/skill", "toy-baseline/skill"):
        assert find_measurement(record, name).value is not None
    report = (tmp_path / "out" / "report.md").read_text()
    assert "toy-regime" in report
    assert "toy-baseline" in report


def test_a_injected_leak_needs_one_function(lies_in, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is injected with all the others, whatever module called injected it stands in."""
    monkeypatch.setattr(leaks, "_LEAKS", dict(leaks._LEAKS))  # noqa: SLF001
    lies_in(detection, LEAK, name="injected_toys")
    assert leaks.injected_leaks()["toy leak"].page == "Change nothing"


def _promises() -> dict[str, tuple[str, str]]:
    """Return the table's rows by what is added: what is written, and what correlates with it."""
    row = re.compile(r"^\| (an? .+?) \| (.+?) \| (.*?) ?\|$", re.MULTILINE)
    rows = row.findall(CONTRIBUTING.read_text())
    return {what: (written, beside) for what, written, beside in rows}


@pytest.mark.parametrize(
    "what",
    [
        "a leakage check",
        "a cohort",
        "a subcommand",
        "a regime",
        "a baseline",
        "a report section",
        "a measurement",
    ],
)
def test_table_promises_one_file_and_its_test(what: str) -> None:
    """What the toys here, of sections and of metrics keep."""
    written, beside = _promises()[what]
    assert written.startswith("one ")
    assert "registered in its" not in written
    assert len(re.findall(r"`tests/[^`]+`", beside)) == 1
