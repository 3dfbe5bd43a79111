"""For other people's test suites: every leakage check of a target as a test of its own.

>>> from pfactor_bench.testing import parametrize_with_checks
>>> @parametrize_with_checks([my_study], expected_failures={"LK035": "a pilot with 4 people"})
... def test_no_leak(leak_check):
...     leak_check()
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from pfactor_bench.auditing.audit import DEFAULT, Effort, audit
from pfactor_bench.checks import catalogue
from pfactor_bench.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pfactor_bench.auditing.audit import Audit
    from pfactor_bench.types import Cohort

__all__ = ["parametrize_with_checks"]


def parametrize_with_checks(
    targets: Sequence[object],
    *,
    cohort: Cohort | None = None,
    budget: Effort = DEFAULT,
    expected_failures: Mapping[str, str] | None = None,
) -> pytest.MarkDecorator:
    """Return a decorator that runs a test once for each target and check.

    The test takes one argument, ``leak_check``, and calls it. A target is audited once, when its
    first check runs.

    Parameters
    ----------
    targets
        As for `pfactor_bench.auditing.audit.audit`.
    cohort, budget
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
    for code in expected:
        if code not in codes:
            raise UnknownNameError("check", code, codes)
    cases = []
    for number, target in enumerate(targets):
        run = cache(lambda target=target: audit(target, cohort, budget=budget))
        name = target if isinstance(target, str) else getattr(target, "__name__", f"target{number}")
        cases += [
            pytest.param(_leak_check(run, code, expected.get(code)), id=f"{name}-{code}")
            for code in codes
        ]
    return pytest.mark.parametrize("leak_check", cases)


def _leak_check(run: Callable[[], Audit], code: str, expected: str | None) -> Callable[[], None]:
    def leak_check() -> None:
        finding = next(one for one in run().findings if one.code == code)
        wrong = finding.status in {"fail", "error"}
        if expected is not None and wrong:
            pytest.xfail(f"{expected}: {finding.explanation}")
        if expected is not None:
            pytest.fail(f"{code} was expected to fail ({expected}) and does not: remove the entry")
        if finding.status in {"not_applicable", "skipped"}:
            pytest.skip(finding.explanation)
        if wrong:
            pytest.fail(f"{finding.explanation}. {finding.fix}")

    return leak_check
