"""Regimes beside each other: the figure, and what every start adds."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pfactor_bench.report.figures import style
from pfactor_bench.report.figures.regime_comparison import draw
from pfactor_bench.report.sections.regime_comparison import FIGURE, SECTION
from pfactor_bench.types import Interval, Measurement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from pfactor_bench.records.record import Record

COMPARISON = "linear-probe-vs-from-scratch"


def difference(name: str, value: float, *, case: str = COMPARISON) -> Measurement:
    """Return how much skill a start adds."""
    interval = Interval(low=value - 0.1, high=value + 0.1, level=0.95, method="by hand")
    return Measurement(name=f"{case}/{name}", case=case, value=value, ci=interval, n_subjects=4)


@pytest.fixture
def compared(two_regimes) -> Record:
    """Return a record of two regimes with their paired difference."""
    record, _ = two_regimes
    seeds = [
        difference("skill_difference", value, case=f"{COMPARISON}/seed-{seed}")
        for seed, value in {42: 0.25, 43: 0.75}.items()
    ]
    pooled = [difference("skill_difference", 0.5), difference("seed_skill_difference", 0.501)]
    return replace(record, measurements=(*record.measurements, *pooled, *seeds))


def test_one_regime_is_not_compared(record: Record) -> None:
    """There is nothing beside it."""
    assert SECTION.shown(record) == ""


def test_two_regimes_are_drawn(compared: Record) -> None:
    """Whatever they are."""
    assert FIGURE.is_drawn(compared)


def test_difference_stands_once_with_both_intervals_and_seeds(compared: Record) -> None:
    """Over subjects, over seeds, seed by seed."""
    (row,) = (
        line for line in SECTION.shown(compared).splitlines() if line.startswith(f"| {COMPARISON}")
    )
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert [
        COMPARISON,
        "0.500 [0.400, 0.600]",
        "0.501 [0.401, 0.601]",
        "0.250 / 0.750",
    ] == cells


def test_folds_get_a_column_where_they_were_compared(compared: Record) -> None:
    """With what its interval is."""
    over_folds = difference("fold_skill_difference", 0.49)
    section = SECTION.shown(replace(compared, measurements=(*compared.measurements, over_folds)))
    (row,) = (line for line in section.splitlines() if line.startswith(f"| {COMPARISON}"))
    assert "0.490 [0.390, 0.590]" in row
    assert "corrected resampled t" in section
    assert "folds" not in SECTION.shown(compared)


def test_regimes_without_reference_are_drawn_without_table(two_regimes) -> None:
    """Six models from scratch have no start in common to differ from."""
    section = SECTION.shown(two_regimes[0])
    assert "comparison.png" in section
    assert "skill added" not in section


def test_same_record_gives_same_bytes(compared: Record) -> None:
    """In both formats."""
    assert FIGURE.draw(compared, {}) == FIGURE.draw(compared, {})


def test_figure_comes_in_two_formats(compared: Record) -> None:
    """One for the page and one for print."""
    assert {"comparison.svg", "comparison.png"} == FIGURE.draw(compared, {}).keys()


def drawn(record: Record) -> Figure:
    """Return the figure, laid out."""
    with style.house_style():
        drawing = draw(record, {})
        drawing.encode("comparison", description="")
    return drawing.figure


def with_skills(record: Record, skills: Sequence[float], *, first_seed: int = 42) -> Record:
    """Return the record with a case per skill in each of its regimes."""
    cases, found = [], []
    for regime in dict.fromkeys(case["regime"] for case in record.cases):
        one = next(case for case in record.cases if case["regime"] == regime)
        for seed, skill in enumerate(skills, first_seed):
            name = f"{regime}/seed-{seed}"
            cases.append({**one, "seed": seed, "id": name})
            found.append(Measurement(name=f"{name}/skill", case=name, value=skill, n_subjects=4))
    return replace(record, cases=tuple(cases), measurements=(*record.measurements, *found))


def test_every_seeds_mark_is_named(compared: Record) -> None:
    """A colour means nothing by itself."""
    seeds, _ = drawn(with_skills(compared, [0.1, -0.1, 0.3])).axes
    legend = seeds.get_legend()
    names = [text.get_text() for text in legend.get_texts()]
    assert ["seed", "42", "43", "44"] == names
    marks = {line.get_color() for line in legend.get_lines()[1:]}
    points = {line.get_color() for line in seeds.lines if line.get_marker() != "None"}
    assert marks == points


def test_seed_keeps_its_mark_where_another_is_missing(compared: Record) -> None:
    """A regime whose first seed failed has the second's colour for the second."""
    whole = with_skills(compared, [0.1, 0.3])
    seeds, _ = drawn(replace(whole, cases=whole.cases[1:])).axes
    of_second = [line.get_color() for line in seeds.lines if list(line.get_xdata()) == [0.3]]
    assert [of_second[0]] * 2 == of_second


@pytest.mark.parametrize("first_seed", [0, 2**31])
def test_many_seeds_stay_in_their_half(compared: Record, first_seed: int) -> None:
    """Those that do not fit are counted."""
    figure = drawn(with_skills(compared, [0.1] * 30, first_seed=first_seed))
    seeds, parameters = figure.axes
    first, *_, last = seeds.get_legend().get_texts()
    assert " more" in last.get_text()
    assert first.get_window_extent().x0 > 0
    assert last.get_window_extent().x1 < parameters.get_window_extent().x0


@pytest.mark.parametrize("skills", [(-0.156, 0.0211), (-0.21, 1.04), (-7.3, 0.4), (-0.0121, 0.004)])
def test_numbers_at_ticks_stand_apart(compared: Record, skills: tuple[float, ...]) -> None:
    """A long one and its neighbour."""
    (skill,) = (one for one in compared.measurements if one.name == "from-scratch/skill")
    rest = tuple(one for one in compared.measurements if not one.name.endswith("/skill"))
    pooled = [
        replace(skill, name=f"{regime}/skill", case=regime, value=0.0, ci=None)
        for regime in ("from-scratch", "linear-probe")
    ]
    seeds, parameters = drawn(
        with_skills(replace(compared, measurements=(*rest, *pooled)), skills)
    ).axes
    boxes = [label.get_window_extent() for label in seeds.get_xticklabels() if label.get_text()]
    shown = [box for box in boxes if seeds.bbox.x0 <= (box.x0 + box.x1) / 2 <= seeds.bbox.x1]
    assert len(shown) > 1
    assert all(left.x1 + 3 < right.x0 for left, right in itertools.pairwise(shown))
    numbers = [label.get_window_extent().x0 for label in parameters.get_yticklabels()]
    assert parameters.yaxis.label.get_window_extent().x1 < min(numbers)


@pytest.mark.parametrize("label", ["$x_1$ | <b>", "A" * 200])
def test_odd_label_is_drawn(compared: Record, label: str) -> None:
    """It comes from a suite, and may be anything."""
    cases = tuple({**case, "regime": label} for case in compared.cases[:1])
    assert FIGURE.draw(replace(compared, cases=(*cases, *compared.cases)), {})
