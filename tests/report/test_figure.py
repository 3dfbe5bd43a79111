"""The 3-panel figure: the same bytes for the same record, whatever the data are called."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from matplotlib.figure import Figure

from pfactor_bench.report.facts import train_mean_error
from pfactor_bench.report.figures.curves import draw_training
from pfactor_bench.report.figures.panels import Source
from pfactor_bench.report.figures.style import TRAIN, apart, label
from pfactor_bench.report.sections.figure import FIGURE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pfactor_bench.records.record import Record

    Arrays = dict[str, NDArray[Any]]

HOSTILE = "$x_1$ <b>&]]>--\x1b[31m\u202e\x00 中|" + "long " * 50


def test_two_drawings_of_one_record_are_byte_identical(record: Record, arrays: Arrays) -> None:
    """Nothing random and no date enters a figure."""
    assert FIGURE.draw(record, arrays) == FIGURE.draw(record, arrays)


def test_another_matplotlibrc_gives_the_same_figure(record: Record, arrays: Arrays) -> None:
    """A user's own settings do not change a published figure."""
    import matplotlib as mpl

    expected = FIGURE.draw(record, arrays)
    with mpl.rc_context({"lines.linewidth": 9, "font.size": 30, "axes.grid": True}):
        assert expected == FIGURE.draw(record, arrays)


def test_the_users_settings_are_left_alone(record: Record, arrays: Arrays) -> None:
    """Drawing leaves no trace in matplotlib's global state."""
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    FIGURE.draw(record, arrays)
    assert before == dict(mpl.rcParams)


def test_svg_is_well_formed(record: Record, arrays: Arrays) -> None:
    """The SVG parses as XML."""
    root = ET.fromstring(FIGURE.draw(record, arrays)["figure.svg"])  # noqa: S314
    assert root.tag == "{http://www.w3.org/2000/svg}svg"


def test_png_is_a_png(record: Record, arrays: Arrays) -> None:
    """The PNG begins as one."""
    assert FIGURE.draw(record, arrays)["figure.png"].startswith(b"\x89PNG\r\n\x1a\n")


def test_hostile_names_leave_the_svg_well_formed(record: Record, arrays: Arrays) -> None:
    """Markup, control characters and missing glyphs in names break nothing and warn of nothing."""
    hostile = replace(
        record,
        suite={**record.suite, "title": HOSTILE},
        cohort={**record.cohort, "target": HOSTILE, "unit": HOSTILE, "ch_names": [HOSTILE] * 3},
    )
    root = ET.fromstring(FIGURE.draw(hostile, arrays)["figure.svg"])  # noqa: S314
    assert root.tag.endswith("svg")


def test_dollar_signs_are_not_mathematics(record: Record, arrays: Arrays) -> None:
    r"""A target called ``$\frac$`` is drawn as it is written."""
    unbalanced = replace(record, cohort={**record.cohort, "target": r"$\frac$"})
    assert set(FIGURE.draw(unbalanced, arrays)) == {"figure.svg", "figure.png"}


def test_every_regime_has_a_row(
    record: Record, arrays: Arrays, two_regimes: tuple[Record, Arrays]
) -> None:
    """Two regimes make a figure twice as high as one."""

    def height(svg: bytes) -> float:
        return float(ET.fromstring(svg).attrib["viewBox"].split()[3])  # noqa: S314

    one = height(FIGURE.draw(record, arrays)["figure.svg"])
    assert 2 * one == pytest.approx(height(FIGURE.draw(*two_regimes)["figure.svg"]))


def test_a_record_without_saliency_is_drawn(record: Record, arrays: Arrays) -> None:
    """Saliency is optional in a suite."""
    without = replace(record, cases=tuple({**case, "saliency": []} for case in record.cases))
    assert set(FIGURE.draw(without, arrays)) == {"figure.svg", "figure.png"}


def test_a_single_epoch_and_a_single_seed_are_drawn(record: Record, arrays: Arrays) -> None:
    """The smallest budget there is needs no special case by the reader."""
    small = {
        name: values[:1, :, :1] if values.ndim == 3 and "saliency" not in name else values
        for name, values in arrays.items()
    }
    for name in ("seeds", "y_pred", "saliency/all-held-out"):
        small[f"from-scratch/{name}"] = arrays[f"from-scratch/{name}"][:1]
    one_seed = replace(record, cases=record.cases[:1])
    assert set(FIGURE.draw(one_seed, small)) == {"figure.svg", "figure.png"}


def test_a_model_without_gradients_is_drawn(record: Record, arrays: Arrays) -> None:
    """A saliency map of zeros has no exponent."""
    flat = {**arrays, "from-scratch/saliency/all-held-out": np.zeros((2, 3, 20))}
    assert set(FIGURE.draw(record, flat)) == {"figure.svg", "figure.png"}


def test_constant_true_targets_are_drawn(record: Record, arrays: Arrays) -> None:
    """Without spread in the truth there is no ratio to state."""
    constant = {**arrays, "y_true": np.zeros(4)}
    assert set(FIGURE.draw(record, constant)) == {"figure.svg", "figure.png"}


def test_a_montage_of_129_channels_is_drawn(record: Record, arrays: Arrays) -> None:
    """Not every channel can be named, the injected one is."""
    names = [f"E{number}" for number in range(1, 129)] + ["Cz"]
    many = {**arrays, "from-scratch/saliency/all-held-out": np.ones((2, 129, 20))}
    wide = replace(record, cohort={**record.cohort, "ch_names": names})
    assert b"<!-- Cz " in FIGURE.draw(wide, many)["figure.svg"]


def test_circular_saliency_says_so(record: Record, arrays: Arrays) -> None:
    """A map over windows that the true targets chose is marked in the figure itself."""
    circular = {"chosen_by": "smallest-error", "circular": True, "peak_channel": "Cz"}
    arrays["from-scratch/saliency/smallest-error"] = np.ones((2, 3, 20))
    marked = replace(record, cases=tuple({**c, "saliency": [circular]} for c in record.cases))
    assert b"CIRCULAR" in FIGURE.draw(marked, arrays)["figure.svg"]


def test_skill_and_its_interval_stand_above_the_dots(record: Record, arrays: Arrays) -> None:
    """The middle panel states the number that the verdict rests on."""
    svg = FIGURE.draw(record, arrays)["figure.svg"].decode()
    assert "skill = 0.06, 95% interval [−0.76, 0.27]" in svg


def test_a_missing_interval_is_said(record: Record, arrays: Arrays) -> None:
    """A number without an interval is not left to look exact."""
    bare = tuple(replace(measurement, ci=None) for measurement in record.measurements)
    svg = FIGURE.draw(replace(record, measurements=bare), arrays)["figure.svg"].decode()
    assert "skill = 0.06, no interval" in svg


def test_a_missing_value_is_said(record: Record, arrays: Arrays) -> None:
    """A metric that could not be computed is named all the same."""
    svg = FIGURE.draw(replace(record, measurements=()), arrays)["figure.svg"].decode()
    assert "skill = no value" in svg


def test_train_means_that_differ_between_folds_are_a_band(record: Record, arrays: Arrays) -> None:
    """Every fold has its own train mean."""
    folds = {**arrays, "y_base": np.array([-0.1, -0.1, 0.1, 0.1])}
    assert "train means" in FIGURE.draw(record, folds)["figure.svg"].decode()


def test_alt_text_states_the_finding(record: Record) -> None:
    """Who cannot see the figure learns its numbers."""
    assert "r 0.234 [-1.000, 1.000], skill against the train mean 0.061" in FIGURE.alt(record)


def test_alt_text_names_the_saliency_peak(record: Record) -> None:
    """The right panel is told too."""
    assert "peaks at Cz" in FIGURE.alt(record)


def test_a_missing_glyph_is_replaced() -> None:
    """A character that the font lacks is shown as missing instead of warned about."""
    assert label("a中") == "a□"


def test_a_label_is_cut() -> None:
    """A name cannot run over the next panel."""
    assert label("x" * 99, limit=8) == "xxxxxxx…"


def test_labels_keep_apart() -> None:
    """Two lines that end at one height get two readable names, in their order."""
    low, high = apart([0.5, 0.51], 0.1)
    assert high - low == pytest.approx(0.1)


def test_labels_far_apart_stay() -> None:
    """Labels move only where they must."""
    assert apart([0.9, 0.1], 0.1) == [0.9, 0.1]


@pytest.fixture
def with_subjects(record: Record) -> Record:
    """Return the record with subjects' targets: one of them has most of the windows."""
    trained, held_out = (record.split["folds"][0][f"{side}_subjects"] for side in ("train", "test"))
    n_windows = [*[6] * 13, 336 - 78, *[24] * 4]
    targets = [*[0.0] * 13, 1.4, *[9.0] * 4]
    subjects = {"subjects": [*trained, *held_out], "targets": targets, "n_windows": n_windows}
    return replace(record, cohort={**record.cohort, "subjects": subjects})


def test_cost_of_the_train_mean_on_train_counts_subjects_then_windows(
    with_subjects: Record,
) -> None:
    """The mean is that of 14 subjects, 0.1; its error that of 336 windows."""
    assert train_mean_error(with_subjects) == pytest.approx((78 * 0.1**2 + 258 * 1.3**2) / 336)


def test_cost_of_the_train_mean_on_train_is_drawn_and_told(
    with_subjects: Record, arrays: Arrays
) -> None:
    """So that a training error can be told from having learnt something."""
    figure = Figure()
    lines = draw_training(*figure.subplots(2), Source(with_subjects, arrays, "from-scratch"))
    assert "dashed: predicting the train mean (blue: on train)" in lines
    errors = figure.axes[0]
    levels = {
        line.get_color(): line.get_ydata()[0]
        for line in errors.lines
        if line.get_linestyle() == "--"
    }
    assert levels[TRAIN] == train_mean_error(with_subjects)
    assert "on train" in [text.get_text() for text in errors.texts]
    assert "and on the windows trained on 1.300." in FIGURE.alt(with_subjects)


def test_record_without_subjectss_targets_tells_no_cost_on_train(
    record: Record, arrays: Arrays
) -> None:
    """It would be a guess."""
    figure = Figure()
    lines = draw_training(*figure.subplots(2), Source(record, arrays, "from-scratch"))
    assert train_mean_error(record) is None
    assert "dashed: predicting the train mean" in lines
    assert "windows trained on" not in FIGURE.alt(record)


def test_fold_that_leaves_windows_out_tells_no_cost_on_train(with_subjects: Record) -> None:
    """Whose they were is not in the record."""
    fold = {**with_subjects.split["folds"][0], "n_train_windows": 300}
    fewer = replace(with_subjects, split={**with_subjects.split, "folds": [fold]})
    assert train_mean_error(fewer) is None
