"""For other test suites: every leakage check of a target as a test of its own.

>>> from pfactor_bench.testing import parametrize_with_checks
>>> @parametrize_with_checks([my_study], expected_failures={"LK003": "a pilot, split by window"})
... def test_no_leak(leak_check):
...     leak_check()
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pfactor_bench.auditing.audit import Effort, audit
from pfactor_bench.checks import catalogue
from pfactor_bench.config.file import read_section
from pfactor_bench.config.parse import parse
from pfactor_bench.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pfactor_bench.auditing.result import Audit
    from pfactor_bench.types import Cohort, Finding

__all__ = ["parametrize_with_checks", "read_expected_failures", "settle"]


def parametrize_with_checks(
    targets: Sequence[object],
    *,
    cohort: Cohort | None = None,
    effort: Effort | str = "default",
    expected_failures: Mapping[str, str] | None = None,
) -> pytest.MarkDecorator:
    """Return a decorator that runs a test once for each target and check.

    The test takes one argument, ``leak_check``, and calls it. A target is audited once, when its
    first check runs.

    Parameters
    ----------
    targets
        As for `pfactor_bench.auditing.audit.audit`.
    cohort, effort
        As there.
    expected_failures
        Codes of checks that are known to fail, with the reason. One that does not fail is a
        failure: the entry is stale.

    Raises
    ------
    UnknownNameError
        If an expected failure is no check.
    """
    expected = dict(expected_failures or {})
    codes = [entry.code for entry in catalogue()]
    _require_checks(expected)
    cases = []
    for number, target in enumerate(targets):
        run = cache(lambda target=target: audit(target, cohort, effort=effort, progress=False))
        name = target if isinstance(target, str) else getattr(target, "__name__", f"target{number}")
        cases += [
            pytest.param(_leak_check(run, code, expected), id=f"{name}-{code}") for code in codes
        ]
    return pytest.mark.parametrize("leak_check", cases)


def read_expected_failures(path: Path | str) -> dict[str, dict[str, str]]:
    """Read a ledger of expected failures: test, then check, then the reason.

    Parameters
    ----------
    path
        A YAML file such as ``my-suite: {LK003: a pilot, split by window}``.

    Returns
    -------
    dict
        From a test's id to what `settle` takes.

    Raises
    ------
    ConfigError
        If it is no such file.
    UnknownNameError
        If an entry names no check.
    """
    ledger = parse(read_section(Path(path)), dict[str, dict[str, str]])
    for entries in ledger.values():
        _require_checks(entries)
    return ledger


def settle(findings: Iterable[Finding], expected: Mapping[str, str] | None = None) -> None:
    """End a test by what checks have found: it passes, fails, is expected to fail, or skipped.

    Parameters
    ----------
    findings
        Of one check or of many.
    expected
        Codes of checks that are known to fail, with the reason. One that is among the findings and
        does not fail is a failure: the entry is stale.
    """
    findings, expected = tuple(findings), expected or {}
    wrong = {one.code: one for one in findings if one.status in {"fail", "error"}}
    for one in findings:
        if one.code in expected and one.code not in wrong:
            reason = expected[one.code]
            pytest.fail(
                f"{one.code} was expected to fail ({reason}) and does not: remove the entry"
            )
    told = [
        f"{code} {one.title}: {one.explanation}. {one.fix}"
        for code, one in wrong.items()
        if code not in expected
    ]
    if told:
        pytest.fail("\n".join(told))
    if wrong:
        pytest.xfail(
            "; ".join(f"{expected[code]}: {one.explanation}" for code, one in wrong.items())
        )
    if all(one.status in {"not_applicable", "skipped"} for one in findings):
        pytest.skip("; ".join(dict.fromkeys(one.explanation for one in findings)))


def _require_checks(codes: Iterable[str]) -> None:
    known = [entry.code for entry in catalogue()]
    for code in codes:
        if code not in known:
            raise UnknownNameError("check", code, known)


def _leak_check(
    run: Callable[[], Audit], code: str, expected: Mapping[str, str]
) -> Callable[[], None]:
    return lambda: settle((one for one in run().findings if one.code == code), expected)
