"""What a shell and a notebook show of a value: short, with what matters first, and escaped."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hostile import PAYLOADS, spoil

from pfactor_bench.auditing.result import Audit
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.config import Suite, load_suite
from pfactor_bench.types import Cohort, Finding

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record

_SUITE = Path(__file__).parents[2] / "suites" / "case_study.yaml"

#: What the pages are made of; anything else came from data.
_TAGS = {
    *("div", "b", "table", "thead", "tr", "th", "td", "ul", "li", "details", "summary"),
}


class _Page(HTMLParser):
    """The tags of some HTML, and its text outside and inside of what is folded."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.shown = self.folded = ""
        self._depth = 0
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert {name for name, _ in attrs} <= {"style"}
        self._depth += tag == "details"

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag == "details"

    def handle_data(self, data: str) -> None:
        if self._depth:
            self.folded += data
        else:
            self.shown += data


def _finding(status: str, code: str, **more: object) -> Finding:
    return Finding(
        code=code, title=f"title of {code}", kinds=(), status=status, explanation="says", **more
    )


@pytest.fixture
def cohort() -> Cohort:
    """Return a small cohort with a note."""
    return replace(synthetic(n_subjects=6, n_windows=2), notes=("2 subjects left out",))


@pytest.fixture
def result() -> Audit:
    """Return an audit that found a leak."""
    return Audit(
        target="study",
        kind="study",
        cohort="synthetic",
        fingerprint="a" * 64,
        seed=0,
        n_runs=14,
        findings=(
            _finding("pass", "LK001"),
            _finding("fail", "LK102", fix="fit inside the fold"),
            _finding("not_applicable", "LK200"),
        ),
    )


@pytest.fixture
def suite() -> Suite:
    """Return the case study's suite."""
    return load_suite(_SUITE)


def test_cohort_in_a_line(cohort: Cohort) -> None:
    """Not its arrays."""
    assert repr(cohort) == (
        "<Cohort 'synthetic': 6 subjects, 12 windows of 8 channels × 200 samples at 100 Hz, "
        "target 'p_factor'>"
    )


def test_audit_in_a_line(result: Audit) -> None:
    """The verdict, and which checks made it."""
    assert repr(result) == (
        "<Audit of 'study' on 'synthetic': leaky; 1 fail (LK102), 1 pass, 1 not applicable; "
        "14 runs>"
    )


def test_record_in_a_line(record: Record) -> None:
    """Its claims, and the checks that found something."""
    assert repr(record) == (
        "<Record of 'small': 1 claim inconclusive, 1 claim holds, 1 check fail>"
    )


def test_suite_in_a_line(suite: Suite) -> None:
    """What would be run."""
    assert repr(suite).startswith(
        "<Suite 'case-study': 2 cases of EEGConformer on cohort 'synthetic', "
    )


def test_audit_s_verdict_and_fix_are_shown(result: Audit) -> None:
    """What passed is folded."""
    page = _Page(result._repr_html_())
    assert "study: leaky, leaks found" in page.shown
    assert "fit inside the fold" in page.shown
    assert ("LK001" in page.shown, "LK001" in page.folded) == (False, True)


def test_record_s_verdicts_are_shown(record: Record) -> None:
    """Measurements are folded."""
    page = _Page(record._repr_html_())
    assert "It predicts better than the train mean." in page.shown
    assert "split by subject" in page.shown
    assert ("from-scratch/skill" in page.shown, "from-scratch/skill" in page.folded) == (
        False,
        True,
    )


def test_cohort_s_notes_are_shown(cohort: Cohort) -> None:
    """Whatever a reader must know; where it comes from is folded."""
    page = _Page(cohort._repr_html_())
    assert "2 subjects left out" in page.shown
    assert "sample_id" in page.folded


def test_suite_s_claims_are_shown(suite: Suite) -> None:
    """The file's content is folded."""
    page = _Page(suite._repr_html_())
    assert suite.claims[0].text in page.shown
    assert "weight_decay" in page.folded


def test_audit_as_a_table(result: Audit) -> None:
    """A row per check, found by its code."""
    table = result.to_frame()
    assert list(table.index) == ["LK001", "LK102", "LK200"]
    assert table.loc["LK102", "fix"] == "fit inside the fold"


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
@pytest.mark.parametrize("kind", ["cohort", "result", "record", "suite"])
def test_text_from_data_makes_no_markup(
    kind: str, payload: str, request: pytest.FixtureRequest
) -> None:
    """Not in HTML, and no control sequence reaches the terminal."""
    value = request.getfixturevalue(kind)
    if kind == "record":
        spoilt = spoil(value, payload)
    elif kind == "cohort":
        spoilt = replace(value, name=payload, target=payload, unit=payload, notes=(payload,))
    elif kind == "suite":
        spoilt = replace(value, name=payload, title=payload, definition={payload: payload})
    else:
        bad = replace(
            value.findings[1], explanation=payload, fix=payload, evidence=({"x": payload},)
        )
        spoilt = replace(value, target=payload, cohort=payload, findings=(bad,))
    page = _Page(spoilt._repr_html_())
    assert page.tags <= _TAGS
    assert all(one.isprintable() for one in page.shown + page.folded)
    assert repr(spoilt).isprintable()
