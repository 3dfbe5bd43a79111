"""Verdicts: what an interval decides, what many claims cost, and what cannot be claimed."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
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
) -> Measurement:
    """Return a measurement with an interval."""
    ci = ends and Interval(low=ends[0], high=ends[1], level=0.95, method="made up", se=se)
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


def test_subjects_needed_follow_from_the_standard_error() -> None:
    """That is n × ((1.96 + 0.84) × se / distance)², as every textbook has it."""
    found = verdict(Requirement(above=0.0), measured(0.1, (-0.1, 0.3), n=50, se=0.1))
    assert 393 == found.subjects_needed


def test_subjects_needed_fall_back_on_the_half_width() -> None:
    """Without a standard error the half-width over 1.96 stands for it."""
    found = verdict(Requirement(above=0.0), measured(0.1, (-0.095996, 0.3), n=50))
    assert 393 == found.subjects_needed


def test_inconclusive_names_the_subjects_in_words() -> None:
    """The number is in the sentence that a report prints."""
    found = verdict(Requirement(above=0.0), measured(0.1, (-0.1, 0.3), n=50, se=0.1))
    assert "about 393 subjects show that it holds, with 80% power" in found.explanation


def test_claim_on_a_misspelt_measurement_names_the_one_that_may_be_meant() -> None:
    """Whoever wrote the suite cannot know all names."""
    (found,) = judge(
        [Claim(id="a", text="a", measurement="x/skil", requirement=Requirement(above=0.0))],
        [measured(name="x/skill"), measured(name="x/mse")],
    )
    assert found.explanation == "x/skil was not measured: did you mean 'x/skill'?"


def test_inconclusive_says_which_way_it_would_be_settled() -> None:
    """More subjects do not mend a value on the wrong side."""
    found = verdict(Requirement(above=0.0), measured(-0.1, (-0.3, 0.1), n=50, se=0.1))
    assert "about 393 subjects show that it fails" in found.explanation


def test_four_subjects_are_inconclusive_with_the_number_of_subjects() -> None:
    """The case study's held-out subjects: the interval clears 0, the sample does not suffice."""
    found = verdict(Requirement(above=0.0), measured(0.01, (-3.0, 0.9), n=4, se=0.5))
    assert ("inconclusive", True) == (found.status, (found.subjects_needed or 0) > 1000)


def test_value_on_the_threshold_is_settled_by_nobody() -> None:
    """No number of subjects tells a value from itself."""
    assert verdict(Requirement(above=0.2), measured()).subjects_needed is None


def test_hopeless_number_of_subjects_is_said_in_words() -> None:
    """A number that nobody will reach is not printed to the last digit."""
    found = verdict(Requirement(above=0.2 - 1e-9), measured())
    assert "over a million subjects" in found.explanation


def test_interval_over_seeds_is_settled_by_seeds() -> None:
    """However many subjects there are, they do not make it narrower."""
    name = "m-vs-n/seed_skill_difference"
    (found,) = judge(
        [claim(Requirement(above=0.0), name=name)], [measured(0.1, (-0.1, 0.3), name=name)]
    )
    assert (found.subjects_needed, "more of them would settle it" in found.explanation) == (
        None,
        True,
    )


def test_decided_claim_asks_for_no_subjects() -> None:
    """Nothing is left to settle."""
    assert verdict(Requirement(above=0.0), measured()).subjects_needed is None


def many(reaches: list[float], *, n: int = 100) -> list[str]:
    """Judge claims whose values lie so many half-widths above 0; return the statuses."""
    names = [f"m{i}/skill" for i in range(len(reaches))]
    claims = [claim(Requirement(above=0.0), name=name, identifier=name) for name in names]
    measurements = [
        measured(reach, (reach - 1, reach + 1), name=name, n=n)
        for name, reach in zip(names, reaches, strict=True)
    ]
    return [found.status for found in judge(claims, measurements)]


@settings(deadline=None, max_examples=15)
@given(st.lists(st.floats(0.01, 3.0), min_size=1, max_size=12))
def test_verdicts_are_those_of_holm(reaches: list[float]) -> None:
    """Same rejections as statsmodels at 5 %, the intervals being Student's of 100 subjects."""
    from scipy.stats import t
    from statsmodels.stats.multitest import multipletests

    p_values = [2 * t.sf(reach * t.ppf(0.975, 99), 99) for reach in reaches]
    rejected = multipletests(p_values, alpha=0.05, method="holm")[0]
    assert ["holds" if r else "inconclusive" for r in rejected] == many(reaches)


@pytest.mark.parametrize(("reach", "status"), [(1.40, "inconclusive"), (1.49, "holds")])
def test_few_subjects_need_more_among_many_claims(reach: float, status: str) -> None:
    """Of 8 subjects, t at 1 − 0.05/5 lies 1.48 half-widths out; a normal quantile says 1.31."""
    assert many([reach, 0.0, 0.0, 0.0, 0.0], n=8)[0] == status


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
