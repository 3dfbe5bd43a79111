"""Sections that came with a figure of their own: subjects, chance, uncertainty, time, citation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pfactor_bench.report.sections import (
    cohort,
    permutations,
    split,
    timing,
    variance_components,
)
from pfactor_bench.report.sections.citation import bibtex
from pfactor_bench.report.sections.timing import speeds
from pfactor_bench.types import Measurement, Timing

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record


@pytest.fixture
def full(record: Record) -> Record:
    """Return the record with everything that the figures can show."""
    all_subjects = [f"sub-{number:02d}" for number in range(18)]
    subjects = {
        "subjects": all_subjects,
        "targets": [number / 10 - 1 for number in range(18)],
        "n_windows": [24] * 18,
    }
    more = (
        Measurement(name="from-scratch/permuted_r_share", case="from-scratch", value=0.41),
        Measurement(name="from-scratch/variance/subjects", case="from-scratch", value=0.16),
        Measurement(name="from-scratch/variance/seed", case="from-scratch", value=0.02),
        Measurement(
            name="from-scratch/variance/fold",
            case="from-scratch",
            value=None,
            missing_because="there is one fold",
        ),
    )
    timings = tuple(
        Timing(name=f"from-scratch/seed-{seed}/fold-0/train", device="cpu", seconds=s, windows=100)
        for seed, s in ((42, 1.0), (43, 2.0))
    )
    return replace(
        record,
        cohort={**record.cohort, "subjects": subjects},
        measurements=(*record.measurements, *more),
        timings=timings,
    )


def test_every_figure_is_drawn_twice_the_same(full: Record) -> None:
    """In both formats."""
    arrays = {"from-scratch/permuted_r": np.linspace(-0.9, 0.9, 50)}

    def drawn() -> dict[str, bytes]:
        return (
            split.FIGURE.draw(full, {})
            | cohort.FIGURE.draw(full, {})
            | permutations.FIGURE.draw(full, arrays)
            | variance_components.FIGURE.draw(full, {})
            | timing.FIGURE.draw(full, {})
        )

    names = {name.partition(".")[0] for name in drawn()}
    assert {"split", "cohort", "permutations", "variance", "timing"} == names
    assert drawn() == drawn()


def test_uncertainty_is_no_reason_for_fewer_subjects(full: Record) -> None:
    """A component that looks like none is told to be a guess."""
    assert "no reason to do with fewer of either" in variance_components.SECTION.shown(full)


def test_split_says_who_is_where(record: Record) -> None:
    """To a reader who cannot see the diagram."""
    assert split.FIGURE.alt(record) == (
        "Who is trained on and who is held out: fold-0 trains on 14 subjects and holds out 4. "
        "Nobody is in train and test, and nobody is held out twice."
    )


def test_split_names_an_overlap(record: Record) -> None:
    """A leak is seen without the checks."""
    fold = {**record.split["folds"][0], "test_subjects": ["sub-00", "sub-14"]}
    leaky = replace(record, split={**record.split, "folds": [fold]})
    assert "1 subject stands in train and test" in split.FIGURE.alt(leaky)


def test_split_of_many_subjects_and_folds_is_drawn(record: Record) -> None:
    """Leave-one-out over a large cohort: no names, and not every fold named."""
    names = [f"p{number}" for number in range(120)]
    folds = [
        {
            "name": f"fold-{number}",
            "train_subjects": [other for other in names if other != name],
            "test_subjects": [name],
        }
        for number, name in enumerate(names)
    ]
    assert split.FIGURE.draw(replace(record, split={"name": "loso", "folds": folds}), {})[
        "split.svg"
    ]


def test_cohort_is_described_in_numbers(full: Record) -> None:
    """Range, mean, spread, windows."""
    assert cohort.FIGURE.alt(full).startswith(
        "p_factor of 18 subjects runs from -1.000 to 0.700, mean"
    )
    assert "24 windows each" in cohort.FIGURE.alt(full)


def test_record_of_the_first_schema_has_no_overview(record: Record) -> None:
    """Nobody's target is invented."""
    unknown = replace(record, cohort={**record.cohort, "subjects": None})
    assert "cohort.png" not in cohort.SECTION.shown(unknown)
    assert cohort.FIGURE.draw(unknown, {}) == {}


def test_chance_stands_beside_r(full: Record) -> None:
    """In the table and for those who cannot see the figure."""
    section = permutations.SECTION.shown(full)
    assert "41% of permutations are at least as high" in section
    assert "| from-scratch | 0.234 |" in section.replace("  ", "")


def test_without_permutations_there_is_no_section(record: Record) -> None:
    """An older record has none."""
    assert permutations.SECTION.shown(record) == ""
    assert permutations.FIGURE.draw(record, {}) == {}


def test_largest_source_of_uncertainty_is_named(full: Record) -> None:
    """And one without a value keeps its reason."""
    section = variance_components.SECTION.shown(full)
    assert "The most comes from subjects in from-scratch" in section
    assert "there is one fold" in section


def test_unknown_spread_is_not_drawn(record: Record) -> None:
    """A table of reasons needs no figure."""
    assert variance_components.FIGURE.draw(record, {}) == {}


def test_speeds_are_gathered_by_regime_and_device(full: Record) -> None:
    """A dot for each training."""
    assert speeds(full) == {("from-scratch", "cpu"): [100.0, 50.0]}
    assert "75 windows/s at the median of 2 trainings, 50 to 100" in timing.SECTION.shown(full)


def test_a_single_training_is_not_drawn(record: Record) -> None:
    """One dot shows no spread."""
    assert timing.FIGURE.draw(record, {}) == {}


def test_citation_holds_title_version_commit_and_year(record: Record) -> None:
    """One line for a bibliography."""
    assert bibtex(record) == (
        "@misc{pfactor-bench-small-2026, title = {{A small suite}}, "
        "author = {{The pfactor-bench developers}}, "
        "howpublished = {Report of pfactor-bench 0.1.0}, "
        f"note = {{commit {'c' * 12}, schema 5}}, year = {{2026}}}}"
    )


@pytest.mark.parametrize("title", ["{", "}", "a_b & 50% of $x$ #1", "\\input{x}", "~^"])
def test_citation_keeps_its_braces_balanced(record: Record, title: str) -> None:
    """Whatever the suite is called, BibTeX reads one entry."""
    entry = bibtex(replace(record, suite={**record.suite, "title": title, "name": title}))
    depths = np.cumsum([(c == "{") - (c == "}") for c in entry])
    assert depths[-1] == 0
    assert (depths[entry.index("{") : -1] > 0).all()
