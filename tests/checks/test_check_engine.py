"""The engine: what becomes of a check function, whatever it is given and whatever it does."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pfactor_bench.checks import catalogue, run_check, run_checks
from pfactor_bench.checks.engine import registry as _core
from pfactor_bench.checks.engine.outcomes import Outcome, failed, passed
from pfactor_bench.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pfactor_bench.types import Cohort, Finding, Split

_PAGE = """Find what is looked for.

How it is detected
------------------
Thus.

Why it matters
--------------
For this.

How to fix it
-------------
So.

What it cannot see
------------------
The rest.

Source
------
Here.
"""


@pytest.fixture
def injected() -> Iterator[Callable[[Callable[..., Outcome]], str]]:
    """Return a function that registers a check under a code of its own, for one test."""

    def register(function: Callable[..., Outcome]) -> str:
        function.__doc__ = function.__doc__ or _PAGE
        _core.check("LK999", kinds=(99,))(function)
        return "LK999"

    yield register
    _core.CHECKS.pop("LK999", None)


def test_every_check_is_reported_once_whatever_is_available() -> None:
    """With nothing available there is still one finding per check, in the order of codes."""
    assert [entry.code for entry in catalogue()] == [finding.code for finding in run_checks({})]


def test_codes_are_in_order() -> None:
    """The catalogue is sorted by code."""
    codes = [entry.code for entry in catalogue()]
    assert sorted(codes) == codes


def test_nothing_available_is_never_a_pass() -> None:
    """A check without its arguments does not apply."""
    assert {finding.status for finding in run_checks({})} == {"not_applicable"}


def test_reason_names_what_is_missing() -> None:
    """A check that does not apply says which argument was missing."""
    assert "not available: a cohort, a split" in run_check("LK002").explanation


def test_none_counts_as_missing(cohort: Cohort) -> None:
    """An argument of None is an argument that is not there."""
    assert run_check("LK003", cohort=cohort, split=None).status == "not_applicable"


def test_exception_is_an_error(injected: Callable[..., str]) -> None:
    """A check that raises is an error that names the exception."""

    def broken() -> Outcome:
        raise RuntimeError("no such thing")

    finding = run_check(injected(broken))
    assert (finding.status, "RuntimeError: no such thing" in finding.explanation) == ("error", True)


def test_what_was_not_asked_for_is_skipped(cohort: Cohort, split: Split) -> None:
    """Naming checks runs those and reports the others as skipped."""
    findings = run_checks({"cohort": cohort, "split": split}, only=["LK003"])
    ran = [finding.code for finding in findings if finding.status != "skipped"]
    assert ran == ["LK003"]


def test_unknown_code_suggests_a_known_one() -> None:
    """A mistyped code is refused with the closest one."""
    with pytest.raises(UnknownNameError, match="unknown check 'LK0003': did you mean 'LK003'"):
        run_checks({}, only=["LK0003"])


def test_unknown_argument_is_refused() -> None:
    """A mistyped argument would silently make checks inapplicable, so it is refused."""
    with pytest.raises(UnknownNameError, match="'cohrt': did you mean 'cohort'"):
        run_checks({"cohrt": 1})


def test_evidence_is_capped_and_counted(injected: Callable[..., str]) -> None:
    """A finding keeps the first rows of evidence and the number of all."""
    code = injected(lambda: failed("many", [{"row": row} for row in range(100)]))
    finding = run_check(code)
    assert (len(finding.evidence), finding.n_evidence) == (_core.EVIDENCE_ROWS, 100)


def test_fix_comes_from_the_catalogue(injected: Callable[..., str]) -> None:
    """A failing check without a fix of its own gives the catalogue's."""
    assert run_check(injected(lambda: failed("bad"))).fix == "So."


def test_pass_has_no_fix(injected: Callable[..., str]) -> None:
    """Where nothing is wrong there is nothing to fix."""
    assert not run_check(injected(lambda: passed("good"))).fix


def test_taken_code_is_refused(injected: Callable[..., str]) -> None:
    """A code means one check for ever."""
    injected(lambda: passed("good"))
    with pytest.raises(ValueError, match="check 'LK999' exists"):
        injected(lambda: passed("good"))


def test_unknown_parameter_is_refused(injected: Callable[..., str]) -> None:
    """A parameter that nothing is injected for is a mistake in the check."""
    with pytest.raises(ValueError, match="asks for 'weather', which is no argument"):
        injected(lambda weather: weather)


def test_incomplete_page_is_refused(injected: Callable[..., str]) -> None:
    """A check whose docstring lacks a section has no page in the catalogue."""

    def half() -> Outcome:
        """Find half."""
        return passed("good")

    with pytest.raises(ValueError, match="has no section 'How it is detected'"):
        injected(half)


def test_progress_is_told_in_order() -> None:
    """Each finding is handed over as soon as it is there."""
    seen: list[Finding] = []
    assert run_checks({}, on_finding=seen.append) == tuple(seen)


def test_listing_checks_imports_nothing_heavy() -> None:
    """The catalogue is made without torch, braindecode, pandas or scipy."""
    code = (
        "import sys, pfactor_bench.checks as c; c.catalogue();"
        "print({'torch', 'braindecode', 'pandas', 'scipy', 'sklearn'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
