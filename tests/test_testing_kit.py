"""`parametrize_with_checks`: an audit inside someone else's test suite."""

from __future__ import annotations

import pytest

from benchmarks.detection.honest import plain_ridge
from benchmarks.detection.leaky import INJECTED
from pfactor_bench.checks import catalogue
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.errors import UnknownNameError
from pfactor_bench.testing import parametrize_with_checks

_COHORT = synthetic(n_subjects=9, n_windows=3)
_LEAKY = INJECTED["trained_on_everything"].study


def _check(target: object, code: str, **expected: str) -> object:
    mark = parametrize_with_checks(
        [target], cohort=_COHORT, effort="quick", expected_failures=expected
    )
    cases = mark.mark.args[1]
    return next(case.values[0] for case in cases if case.id.endswith(code))


def test_there_is_a_case_for_every_check() -> None:
    """Two targets make twice as many cases as there are checks."""
    mark = parametrize_with_checks([plain_ridge, _LEAKY], cohort=_COHORT)
    assert len(mark.mark.args[1]) == 2 * len(catalogue())


def test_pass_passes() -> None:
    """A check that passes lets the test pass."""
    assert _check(plain_ridge, "LK101")() is None


def test_leak_fails_the_test() -> None:
    """A leak fails the test with its explanation."""
    with pytest.raises(pytest.fail.Exception, match="trained on subjects that it predicts"):
        _check(_LEAKY, "LK101")()


def test_expected_failure_is_expected() -> None:
    """A known leak is an expected failure with its reason."""
    with pytest.raises(pytest.xfail.Exception, match="we know"):
        _check(_LEAKY, "LK101", LK101="we know")()


def test_stale_expected_failure_fails() -> None:
    """An expected failure that no longer fails has to go."""
    with pytest.raises(pytest.fail.Exception, match="remove the entry"):
        _check(plain_ridge, "LK101", LK101="we knew")()


def test_what_does_not_apply_is_skipped() -> None:
    """A check without its arguments skips the test with the reason."""
    with pytest.raises(pytest.skip.Exception, match="not available"):
        _check(plain_ridge, "LK020")()


def test_unknown_expected_failure_is_refused() -> None:
    """A mistyped code would never be stale, so it is refused."""
    with pytest.raises(UnknownNameError, match="unknown check 'LK0101'"):
        parametrize_with_checks([plain_ridge], expected_failures={"LK0101": "?"})
