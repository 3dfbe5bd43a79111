"""Verdicts: what an interval decides, what many claims cost, and what cannot be claimed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pfactor_bench.claims import check_claim, gate_failures, judge, required
from pfactor_bench.claims.student import central_quantile, outside
from pfactor_bench.errors import ConfigError
from pfactor_bench.types import Claim, Interval, Measurement, Requirement, Verdict


def claim(requirement: Requirement, *, name: str = "m/skill", identifier: str = "c") -> Claim:
    """Return a claim about one measurement."""
    return Claim(id=identifier, text="", measurement=name, requirement=requirement, level="gate")


def measured(
    value: float | None = 0.2,
    ends: tuple[float, float] | None = (0.1, 0.3),
    *,
    n: int | None = 100,
    name: str = "m/skill",
    se: float | None = None,
    df: int | None = None,
) -> Measurement:
    """Return a measurement with an interval."""
    ci = ends and Interval(low=ends[0], high=ends[1], level=0.95, method="made up", se=se, df=df)
    return Measurement(
        name=name,
        case="m",
        value=value,
        ci=ci or None,
        n_subjects=n,
        missing_because="it is gone" if value is None else None,
    )


def verdict(requirement: Requirement, measurement: Measurement) -> Verdict:
    """Judge one claim alone."""
    return judge([claim(requirement)], [measurement])[0]


@pytest.mark.parametrize(
    ("requirement", "status"),
    [
        (Requirement(above=0.05), "holds"),
        (Requirement(above=0.15), "inconclusive"),
        (Requirement(above=0.35), "fails"),
        (Requirement(below=0.35), "holds"),
        (Requirement(below=0.25), "inconclusive"),
        (Requirement(below=0.05), "fails"),
        (Requirement(near=0.2, margin=0.15), "holds"),
        (Requirement(near=0.2, margin=0.05), "inconclusive"),
        (Requirement(near=0.6, margin=0.1), "fails"),
    ],
    ids=str,
)
def test_interval_decides_three_ways(requirement: Requirement, status: str) -> None:
    """The whole interval on one side, or neither."""
    assert status == verdict(requirement, measured()).status


def test_margin_turns_above_into_no_worse_than() -> None:
    """An interval that dips below 0 by less than the margin is no worse than 0."""
    dipping = measured(0.05, (-0.02, 0.12))
    assert "holds" == verdict(Requirement(above=0.0, margin=0.03), dipping).status


def test_touching_the_threshold_is_inconclusive() -> None:
    """To clear means to lie beyond, not at."""
    assert "inconclusive" == verdict(Requirement(above=0.1), measured()).status


@pytest.mark.parametrize("n", [2, 4, 7])
def test_few_subjects_never_hold(n: int) -> None:
    """However narrow their interval looks."""
    assert "inconclusive" == verdict(Requirement(above=0.0), measured(n=n)).status


def test_few_subjects_can_fail() -> None:
    """Seven subjects may show that a claim is wrong."""
    assert "fails" == verdict(Requirement(above=0.5), measured(n=7)).status


@pytest.mark.parametrize(
    ("measurement", "reason"),
    [
        (measured(None), "it is gone"),
        (measured(ends=None, n=2), "no interval can be given for 2 subjects"),
        (measured(name="other"), "was not measured"),
    ],
    ids=["no value", "no interval", "not measured"],
)
def test_missing_evidence_is_inconclusive_with_its_reason(
    measurement: Measurement, reason: str
) -> None:
    """Nothing is silently passed over."""
    found = verdict(Requirement(above=0.0), measurement)
    assert ("inconclusive", True) == (found.status, reason in found.explanation)


def test_count_is_compared_without_an_interval() -> None:
    """What rests on no sample of subjects has no sampling error."""
    assert "holds" == verdict(Requirement(above=3.0), measured(4.0, None, n=None)).status


def test_reproduction_allows_its_tolerance_despite_binary_fractions() -> None:
    """0.477 ± 0.002 admits 0.479, whatever floats say."""
    requirement = Requirement(equals=0.477, tolerance=0.002)
    assert "holds" == verdict(requirement, measured(0.479, None)).status


def test_reproduction_beyond_its_tolerance_fails() -> None:
    """One more is too much."""
    requirement = Requirement(equals=0.477, tolerance=0.002)
    assert "fails" == verdict(requirement, measured(0.480, None)).status


def test_least_subjects_are_those_that_the_far_end_of_the_interval_needs() -> None:
    """That is n × ((1.96 + 0.84) × se / far end)², as every textbook has it."""
    found = verdict(Requirement(above=0.0), measured(-0.1, (-0.25, 0.1), n=50, se=0.1))
    assert 393 == found.subjects_needed


def test_inconclusive_names_the_least_subjects_in_words() -> None:
    """The number is in the sentence that a report prints, and promises nothing."""
    found = verdict(Requirement(above=0.0), measured(-0.1, (-0.25, 0.1), n=50, se=0.1))
    assert (
        "at least 393 subjects would be needed to show that it holds, with 80% power, if it does"
        in found.explanation
    )


@pytest.mark.parametrize(
    "measurement",
    [
        measured(0.1, (-0.1, 0.3), n=50, se=0.1),
        measured(0.01, (-3.0, 0.9), n=4, se=0.5),
        measured(-0.1, (-0.25, 0.1), n=50),
    ],
    ids=["as many might do", "fewer than 8 subjects", "no standard error"],
)
def test_no_number_of_subjects_is_made_up(measurement: Measurement) -> None:
    """An interval that leaves everything open says nothing about how many subjects close it."""
    found = verdict(Requirement(above=0.0), measurement)
    assert (None, True) == (
        found.subjects_needed,
        "how many subjects would settle it cannot be told" in found.explanation,
    )


@given(
    value=st.floats(-2, 2),
    half=st.floats(0.01, 2),
    n=st.integers(2, 500),
    side=st.sampled_from(["above", "below", "near"]),
)
def test_nobody_is_told_how_many_subjects_show_that_a_claim_fails(
    value: float, half: float, n: int, side: str
) -> None:
    """A model that learns from more subjects may hold where it failed."""
    requirement = Requirement(**{side: 0.0}, margin=0.1)
    found = verdict(requirement, measured(value, (value - half, value + half), n=n, se=half / 2))
    assert "show that it fails" not in found.explanation


def test_equivalence_needs_the_subjects_of_its_own_margin() -> None:
    """At best the truth lies in the middle: n × ((1.96 + 0.84) × se / margin)²."""
    requirement = Requirement(near=0.0, margin=0.05)
    found = verdict(requirement, measured(0.0, (-0.2, 0.2), n=50, se=0.1))
    assert 1570 == found.subjects_needed


def test_claim_on_a_misspelt_measurement_names_the_one_that_may_be_meant() -> None:
    """Whoever wrote the suite cannot know all names."""
    (found,) = judge(
        [Claim(id="a", text="a", measurement="x/skil", requirement=Requirement(above=0.0))],
        [measured(name="x/skill"), measured(name="x/mse")],
    )
    assert found.explanation == "x/skil was not measured: did you mean 'x/skill'?"


def test_interval_over_seeds_is_settled_by_seeds() -> None:
    """However many subjects there are, they do not make it narrower."""
    name = "m-vs-n/seed_skill_difference"
    (found,) = judge(
        [claim(Requirement(above=0.0), name=name)],
        [measured(0.1, (-0.1, 0.3), name=name, df=1)],
    )
    assert (found.subjects_needed, "over 2 runs, and only more of them" in found.explanation) == (
        None,
        True,
    )


def test_missing_degrees_of_freedom_are_not_those_of_the_subjects() -> None:
    """A record that does not say over how many seeds an interval is decides nothing about them."""
    name = "m-vs-n/seed_skill_difference"
    (found,) = judge([claim(Requirement(above=0.0), name=name)], [measured(name=name)])
    assert ("inconclusive", True) == (found.status, "remeasure it" in found.explanation)


def test_note_says_why_there_is_no_interval() -> None:
    """Such as for r pooled over folds."""
    found = verdict(Requirement(above=0.0), replace(measured(ends=None), note="it is pooled"))
    assert found.explanation == "no interval can be given for 100 subjects: it is pooled"


def test_decided_claim_asks_for_no_subjects() -> None:
    """Nothing is left to settle."""
    assert verdict(Requirement(above=0.0), measured()).subjects_needed is None


def many(reaches: list[float], *, degrees: list[int]) -> list[str]:
    """Judge claims whose values lie so many half-widths above 0; return the statuses."""
    names = [f"m{i}/skill" for i in range(len(reaches))]
    claims = [claim(Requirement(above=0.0), name=name, identifier=name) for name in names]
    measurements = [
        measured(reach, (reach - 1, reach + 1), name=name, df=df)
        for name, reach, df in zip(names, reaches, degrees, strict=True)
    ]
    return [found.status for found in judge(claims, measurements)]


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(st.floats(0.01, 6.0), st.sampled_from([1, 2, 4, 30, 99])), min_size=1, max_size=12
    )
)
def test_verdicts_are_those_of_holm(claims: list[tuple[float, int]]) -> None:
    """Same rejections as statsmodels at 5 %, each interval with its own degrees of freedom."""
    from scipy.stats import t
    from statsmodels.stats.multitest import multipletests

    p_values = [2 * t.sf(reach * t.ppf(0.975, df), df) for reach, df in claims]
    # Claims as clear as each other but for rounding may stand in either order.
    assume(not claims or min(np.diff(sorted(p_values)), default=1) > 1e-9)
    rejected = multipletests(p_values, alpha=0.05, method="holm")[0]
    reaches, degrees = map(list, zip(*claims, strict=True))
    assert ["holds" if r else "inconclusive" for r in rejected] == many(reaches, degrees=degrees)


def test_four_null_claims_over_two_seeds_are_rarely_wrong() -> None:
    """At most 5 % of suites have any wrong verdict; with the subjects' degrees 14.7 % had."""
    rng = np.random.default_rng(0)
    seeds = rng.standard_normal((2_000, 4, 2))
    half = 12.706 * seeds.std(axis=2, ddof=1) / np.sqrt(2)
    reaches = np.abs(seeds.mean(axis=2)) / half
    wrong = sum("holds" in many(row.tolist(), degrees=[1] * 4) for row in reaches)
    assert wrong <= 0.05 * 2_000 + 3 * np.sqrt(2_000 * 0.05 * 0.95)


@pytest.mark.parametrize(("reach", "status"), [(1.40, "inconclusive"), (1.49, "holds")])
def test_few_subjects_need_more_among_many_claims(reach: float, status: str) -> None:
    """Of 8 subjects, t at 1 − 0.05/5 lies 1.48 half-widths out; a normal quantile says 1.31."""
    assert many([reach, 0.0, 0.0, 0.0, 0.0], degrees=[7] * 5)[0] == status


@given(degrees=st.integers(1, 500), level=st.floats(0.5, 0.9999), distance=st.floats(0, 20))
def test_student_agrees_with_scipy(degrees: int, level: float, distance: float) -> None:
    """Quantiles and p-values, for odd and even degrees of freedom."""
    from scipy.stats import t

    assert central_quantile(level, degrees) == pytest.approx(t.ppf((1 + level) / 2, degrees))
    assert outside(distance, degrees) == pytest.approx(2 * t.sf(distance, degrees), abs=1e-12)


def test_claim_lost_among_many_says_so() -> None:
    """A reader must know that the claim alone would have held."""
    names = [f"m{i}/skill" for i in range(5)]
    claims = [claim(Requirement(above=0.0), name=name, identifier=name) for name in names]
    found = judge(claims, [measured(1.1, (0.1, 2.1), name=name) for name in names])
    assert "clears the threshold alone, but not among 5 claims (Holm)" in found[0].explanation


def test_reproductions_do_not_count_among_the_claims() -> None:
    """Only what is inferred from subjects needs an adjustment."""
    claims = [claim(Requirement(above=0.0))]
    claims += [claim(Requirement(equals=0.2), identifier=f"r{i}") for i in range(9)]
    assert "holds" == judge(claims, [measured(0.11, (0.01, 0.21))])[0].status


@given(
    value=st.floats(-2, 2),
    below=st.floats(0, 2),
    above=st.floats(0, 2),
    threshold=st.floats(-2, 2),
    n=st.integers(2, 10_000),
)
def test_any_interval_gets_a_verdict(
    value: float, below: float, above: float, threshold: float, n: int
) -> None:
    """No numbers make judging stumble, zero widths and equal values included."""
    found = verdict(
        Requirement(above=threshold), measured(value, (value - below, value + above), n=n)
    )
    assert found.status in {"holds", "fails", "inconclusive"}


def test_gate_failures_are_gates_that_do_not_hold() -> None:
    """An inconclusive gate fails the run as well."""
    found = (
        Verdict(claim="a", status="holds", level="gate"),
        Verdict(claim="b", status="inconclusive", level="gate"),
        Verdict(claim="c", status="fails", level="report"),
    )
    assert found[1:2] == gate_failures(found)


@pytest.mark.parametrize(
    ("requirement", "words"),
    [
        (Requirement(above=0.1), "> 0.1"),
        (Requirement(above=0.0, margin=0.02), "> -0.02"),
        (Requirement(below=1.0), "< 1"),
        (Requirement(near=0.0, margin=0.1), "≈ 0 ± 0.1"),
        (Requirement(equals=0.5, tolerance=0.01), "= 0.5 ± 0.01"),
    ],
)
def test_requirement_in_words(requirement: Requirement, words: str) -> None:
    """As a table shows it."""
    assert words == required(requirement)


@pytest.mark.parametrize(
    "name", ["from-scratch/window_pearson_r", "from-scratch/seed-42/val_mse", "a/best_val_r"]
)
def test_inference_from_windows_is_refused(name: str) -> None:
    """Windows of one subject are no sample of subjects."""
    with pytest.raises(ConfigError, match="no sample of subjects"):
        check_claim(claim(Requirement(above=0.0), name=name))


def test_reproduction_of_a_window_level_number_is_allowed() -> None:
    """To print the case study's val_mse again is no inference."""
    check_claim(claim(Requirement(equals=0.477, tolerance=0.01), name="s/seed-42/val_mse"))


@pytest.mark.parametrize(
    ("requirement", "message"),
    [
        (Requirement(), "sets no requirement"),
        (Requirement(above=0.0, below=1.0), "sets above and below"),
        (Requirement(near=0.0), "without a margin"),
        (Requirement(above=0.0, margin=-1.0), "sets margin to -1.0: it cannot be negative"),
        (Requirement(equals=0.0, tolerance=-1.0), "sets tolerance to -1.0"),
        (Requirement(equals=0.0, margin=0.1), "margin with equals"),
        (Requirement(above=0.0, tolerance=0.1), "tolerance with above"),
        (Requirement(above=float("nan")), "sets above to nan: give a finite number"),
    ],
    ids=str,
)
def test_impossible_requirement_is_refused(requirement: Requirement, message: str) -> None:
    """The message names the claim's mistake."""
    with pytest.raises(ConfigError, match=message):
        check_claim(claim(requirement))


def test_judging_imports_no_numbers_library() -> None:
    """A threshold must be changed and judged again within a second."""
    program = (
        "import sys, pfactor_bench.claims; "
        "sys.exit(bool({'numpy', 'pandas', 'scipy', 'torch'} & set(sys.modules)))"
    )
    assert 0 == subprocess.run([sys.executable, "-c", program], check=False).returncode
