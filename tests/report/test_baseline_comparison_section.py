"""The baseline comparison's plot: every predictor with its interval, the same bytes each time."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from pfactor_bench.records.record import ARRAYS_FILE
from pfactor_bench.report import render
from pfactor_bench.report.figures.baseline_comparison import skill_axis
from pfactor_bench.report.sections import confounds
from pfactor_bench.report.sections.baseline_comparison import FIGURE, SECTION
from pfactor_bench.types import Interval, Measurement

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from pfactor_bench.records.record import Record

HOSTILE = "$x_1$ <b>&]]>--\x1b[31m\u202e\x00 中|" + "long " * 50


def skill(name: str, value: float, low: float, high: float) -> Measurement:
    """Return the skill of a predictor on the four subjects of the record."""
    interval = Interval(low=low, high=high, level=0.95, method="by hand")
    return Measurement(
        name=f"{name}/skill", case=name, value=value, ci=interval, n_subjects=4, note=None
    )


def with_baselines(record: Record, *baselines: Measurement) -> Record:
    """Return the record with simple predictors beside its regime."""
    return replace(
        record,
        suite={
            **record.suite,
            "definition": {"baselines": [baseline.case for baseline in baselines]},
        },
        measurements=(*record.measurements, *baselines),
    )


@pytest.fixture
def baseline_comparison(record: Record) -> Record:
    """Return a record whose regime stands between a poor predictor and a good one."""
    return with_baselines(
        record, skill("train-median", -0.15, -0.8, 0.3), skill("matched-filter", 0.95, 0.9, 0.99)
    )


def svg(record: Record) -> str:
    """Return the plot as text, in which matplotlib keeps every word as a comment."""
    return FIGURE.draw(record, {})["baselines.svg"].decode()


def words(record: Record) -> list[str]:
    """Return the plot's texts."""
    return re.findall(r"<!-- (.+?) -->", svg(record))


def test_two_drawings_of_one_record_are_byte_identical(baseline_comparison: Record) -> None:
    """Nothing random and no date enters the plot."""
    assert FIGURE.draw(baseline_comparison, {}) == FIGURE.draw(baseline_comparison, {})


def test_another_matplotlibrc_gives_the_same_plot(baseline_comparison: Record) -> None:
    """A user's own settings do not change a published plot."""
    import matplotlib as mpl

    expected = FIGURE.draw(baseline_comparison, {})
    with mpl.rc_context({"lines.linewidth": 9, "font.size": 30, "axes.grid": True}):
        assert expected == FIGURE.draw(baseline_comparison, {})


def test_every_predictor_is_named(baseline_comparison: Record) -> None:
    """Baselines and regimes alike."""
    assert {"train-median", "from-scratch", "matched-filter"} <= {*words(baseline_comparison)}


def test_best_predictor_is_named_last_from_the_bottom(baseline_comparison: Record) -> None:
    """A baseline comparison is climbed upwards."""
    named = [
        word for word in words(baseline_comparison) if word in {"train-median", "matched-filter"}
    ]
    assert ["train-median", "matched-filter"] == named


def test_title_says_how_many_subjects(baseline_comparison: Record) -> None:
    """Four subjects are few, and a reader must see it."""
    assert "Skill on 4 held-out subjects" in words(baseline_comparison)


def test_numbers_stand_beside_the_dots(baseline_comparison: Record) -> None:
    """With the interval, also where the axis cuts it."""
    assert "−0.15  [−0.80, 0.30]" in words(baseline_comparison)


def test_predictor_without_interval_is_said(record: Record) -> None:
    """A dot alone must not look exact."""
    bare = replace(skill("train-median", -0.15, 0, 0), ci=None)
    assert "−0.15  no interval" in words(with_baselines(record, bare))


def test_interval_that_runs_out_ends_in_an_arrow(record: Record) -> None:
    """The axis is cut at twice the train mean's error."""
    cut = with_baselines(record, skill("train-median", -0.15, -40.0, 0.3))
    assert 'id="beyond-low"' in svg(cut)


def test_interval_that_fits_has_no_arrow(baseline_comparison: Record) -> None:
    """An arrow says that something is not shown."""
    assert "beyond-low" not in svg(baseline_comparison)


def test_dot_that_runs_out_is_drawn_as_an_arrow(record: Record) -> None:
    """A predictor five times as wrong as the train mean does not squeeze all others."""
    lost = with_baselines(record, skill("train-median", -4.0, -9.0, -2.0))
    assert 'id="beyond-low"' in svg(lost)


def test_axis_is_cut_at_twice_the_train_means_error() -> None:
    """Below that, how much worse is of no interest."""
    low, _ = skill_axis([skill("a", -0.5, -40.0, 0.3)])
    assert -1.1 < low < -1.0


def test_axis_holds_what_is_not_cut() -> None:
    """Both ends of every interval, with a margin."""
    low, high = skill_axis([skill("a", 0.2, 0.1, 0.4)])
    assert (True, True) == (low < 0, high > 0.4)


def test_axis_of_equal_values_has_a_width() -> None:
    """A predictor that is the train mean has skill 0 without a spread."""
    low, high = skill_axis([skill("a", 0.0, 0.0, 0.0)])
    assert low < 0 < high


def test_hostile_names_leave_the_svg_well_formed(record: Record) -> None:
    """Markup, control characters and missing glyphs in names break nothing and warn of nothing."""
    hostile = with_baselines(record, skill(HOSTILE, 0.1, 0.0, 0.2))
    root = ET.fromstring(FIGURE.draw(hostile, {})["baselines.svg"])  # noqa: S314
    assert root.tag.endswith("svg")


def test_alt_text_states_the_finding(baseline_comparison: Record) -> None:
    """Who cannot see the plot learns where the regime stands."""
    expected = (
        "from-scratch was not shown to beat the train mean: skill 0.061 [-0.762, 0.271], above "
        "train-median and below matched-filter."
    )
    assert expected in FIGURE.alt(baseline_comparison)


def test_alt_text_tells_every_baseline(baseline_comparison: Record) -> None:
    """Best first, as the plot is read."""
    expected = "matched-filter 0.950 [0.900, 0.990], from-scratch 0.061"
    assert expected in FIGURE.alt(baseline_comparison)


def test_report_embeds_the_plot_above_its_table(baseline_comparison: Record) -> None:
    """What is seen first comes first."""
    section = SECTION.shown(baseline_comparison)
    assert 0 < section.index("](baselines.png)") < section.index("| predictor")


def test_ceiling_is_called_no_rival(baseline_comparison: Record, record: Record) -> None:
    """Only where it stands on the baseline comparison."""
    said = "matched-filter is told where the signal was injected"
    assert said in SECTION.shown(baseline_comparison)
    without = with_baselines(record, skill("train-median", -0.15, -0.8, 0.3))
    assert said not in SECTION.shown(without)


def test_confounds_that_a_check_warns_of_and_no_test_covers_are_named(record: Record) -> None:
    """A table of four confounds is not all of them."""
    row = {"proxy": "count_quality", "rank_r": 0.8}
    warning = replace(record.findings[0], code="LK016", status="warn", evidence=(row,))
    tested = Measurement(name="from-scratch/confound/age", case="from-scratch", value=0.5)
    told = replace(record, findings=(warning,), measurements=(*record.measurements, tested))
    assert "Not tested, though LK016 warns of it: count_quality." in confounds.SECTION.shown(told)
    silent = replace(told, findings=())
    assert "LK016" not in confounds.SECTION.shown(silent)


def test_report_without_a_plot_embeds_none(record: Record) -> None:
    """One baseline that could not be fitted leaves a single baseline."""
    failed = Measurement(
        name="demographics/skill", case="demographics", value=None, missing_because="no ages"
    )
    assert "baselines.png" not in SECTION.shown(with_baselines(record, failed))


def test_render_writes_the_plot(
    baseline_comparison: Record, arrays: dict[str, NDArray[Any]], tmp_path: Path
) -> None:
    """As vector graphics and as pixels."""
    np.savez(tmp_path / ARRAYS_FILE, **arrays)
    render(baseline_comparison, tmp_path)
    assert {"baselines.svg", "baselines.png"} <= {path.name for path in tmp_path.iterdir()}


def test_render_draws_no_plot_of_a_single_baseline(
    record: Record, arrays: dict[str, NDArray[Any]], tmp_path: Path
) -> None:
    """One dot beside the train mean is in the figure already."""
    np.savez(tmp_path / ARRAYS_FILE, **arrays)
    render(record, tmp_path)
    assert not (tmp_path / "baselines.png").exists()
