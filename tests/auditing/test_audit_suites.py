"""Our own regimes pass through the door of strangers, and known failures are kept in a ledger."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from regime_suites import suite_of
from suites_for_tests import TINY_SUITE

from pfactor_bench.auditing.regimes import audit_regime
from pfactor_bench.config import load_suite
from pfactor_bench.errors import ConfigError, UnknownNameError
from pfactor_bench.pipeline.stages import Run
from pfactor_bench.testing import read_expected_failures, settle
from pfactor_bench.types import Finding

if TYPE_CHECKING:
    from pfactor_bench.auditing.result import Audit
    from pfactor_bench.types import CheckStatus

SUITES = Path(__file__).parents[2] / "suites"


def _audited(folder: Path, split: str) -> Audit:
    """Audit the tiny suite's regime with another split."""
    path = folder / "tiny.yaml"
    path.write_text(TINY_SUITE.replace("{kind: last-subjects}", split), encoding="utf-8")
    suite = load_suite(path)
    prepared = Run(suite, device="cpu")
    return audit_regime(prepared, suite.cases[0])


def test_regime_is_audited_clean(tmp_path: Path) -> None:
    """A regime that holds subjects out does not notice what is changed about them."""
    assert _audited(tmp_path, "{kind: last-subjects}").verdict == "clean"


def test_suite_split_is_the_one_audited(tmp_path: Path) -> None:
    """A suite that splits by window is accused of it."""
    assert _audited(tmp_path, "{kind: random-windows, n_folds: 2}").verdict == "leaky"


def test_pretrained_regime_is_audited_clean(tmp_path: Path) -> None:
    """A regime that starts from an encoder is audited with the suite's encoders."""
    suite = suite_of(tmp_path)
    prepared = Run(suite, device="cpu", out=tmp_path)
    (case, *_) = (case for case in suite.cases if case.start == "linear-probe")
    assert audit_regime(prepared, case).verdict == "clean"


def _finding(status: CheckStatus, code: str = "LK003") -> Finding:
    return Finding(code=code, title="looks", kinds=(3,), status=status, explanation="seen")


def test_pass_settles_quietly() -> None:
    """A check that passes ends nothing."""
    assert settle([_finding("pass"), _finding("not_applicable", "LK004")]) is None


@pytest.mark.parametrize("status", ["fail", "error"])
def test_failure_is_settled_with_its_code(status: CheckStatus) -> None:
    """Among many checks, the one that failed is named."""
    with pytest.raises(pytest.fail.Exception, match="LK003 looks: seen"):
        settle([_finding("pass", "LK004"), _finding(status)])


def test_unexpected_failure_beside_an_expected_one_fails() -> None:
    """An entry for one check excuses no other."""
    with pytest.raises(pytest.fail.Exception, match="LK004"):
        settle([_finding("fail"), _finding("fail", "LK004")], {"LK003": "we know"})


def test_stale_entry_beside_an_expected_failure_fails() -> None:
    """A failure that was expected hides no entry that has to go."""
    with pytest.raises(pytest.fail.Exception, match="LK004 was expected to fail"):
        settle([_finding("fail"), _finding("pass", "LK004")], {"LK003": "a", "LK004": "b"})


def test_only_inapplicable_checks_skip() -> None:
    """Nothing was looked at, so nothing has passed."""
    with pytest.raises(pytest.skip.Exception, match="seen"):
        settle([_finding("not_applicable")])


def test_ledger_is_read_by_test(tmp_path: Path) -> None:
    """Each test has its own expected failures."""
    path = tmp_path / "ledger.yaml"
    path.write_text("mine/from-scratch/audit: {LK101: we know}\n", encoding="utf-8")
    assert read_expected_failures(path) == {"mine/from-scratch/audit": {"LK101": "we know"}}


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("mine: {LK0O3: we know}", UnknownNameError, "unknown check 'LK0O3'"),
        ("mine: LK003", ConfigError, "expected a section of keys"),
        ("mine: {LK003: }", ConfigError, "expected text"),
    ],
)
def test_broken_ledger_is_refused(
    text: str, error: type[Exception], message: str, tmp_path: Path
) -> None:
    """A mistyped entry would never be stale."""
    path = tmp_path / "ledger.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(error, match=message):
        read_expected_failures(path)


def test_our_ledger_names_our_suites() -> None:
    """An entry of a suite that is gone would never be stale."""
    suites = {
        load_suite(path).name
        for path in SUITES.glob("*.yaml")
        if path.name != "expected_failures.yaml"
    }
    ledger = read_expected_failures(SUITES / "expected_failures.yaml")
    assert {where.partition("/")[0] for where in ledger} <= suites


def test_every_regime_has_one_audit() -> None:
    """Two seeds of a regime are audited once, under a readable id."""
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", str(SUITES / "test_leakage.py"), "--collect-only", "-q"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    ids = [line.partition("::")[2] for line in listed.splitlines() if "::test_audit" in line]
    assert ids == ["test_audit[case-study/from-scratch/audit]"]
