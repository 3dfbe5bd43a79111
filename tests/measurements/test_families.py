"""A family of numbers says once what they are called and what they are."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import pfactor_bench.measurements
from pfactor_bench.measurements.family import Number, Place, Plan
from pfactor_bench.measurements.reference import reference_page
from pfactor_bench.measurements.suite import families
from pfactor_bench.records.migrations import migrate
from pfactor_bench.types import Case, ModelSpec

CHECKOUT = Path(__file__).parents[2]
RECORDS = sorted((CHECKOUT / "reports").glob("*/record.json"))
PLAN = Plan(
    cases=tuple(
        Case(regime=regime, model=ModelSpec(name="EEGNet"), seed=seed, start=regime)
        for regime in ("from-scratch", "linear-probe")
        for seed in (1, 2)
    ),
    baselines=("train-median",),
    saliency=("all-held-out",),
    n_folds=2,
    is_injected=True,
    contrasts=("source",),
)

#: All that a new metric takes, beside its test.
TOY = """
from pfactor_bench.measurements.family import Family, Number

BIAS = Number(name="{regime}/bias", words="mean of prediction minus target", interval="subjects")


def measure(run):
    for regime in run.regimes:
        difference = run.arrays[f"{regime}/y_pred"].mean(axis=0) - run.arrays["y_true"]
        yield BIAS.measured(float(difference.mean()), regime=regime, n_subjects=len(difference))


FAMILY = Family(order=99, title="Bias", numbers=(BIAS,), measure=measure)
"""


def test_committed_page_is_up_to_date() -> None:
    """After a change, ``python -m pfactor_bench.measurements.reference`` prints another."""
    assert (CHECKOUT / "docs" / "measurements.md").read_text(encoding="utf-8") == reference_page()


def test_a_metric_needs_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is measured, known beforehand and explained, and listed nowhere."""
    (tmp_path / "toy_metric.py").write_text(TOY, encoding="utf-8")
    path = [*pfactor_bench.measurements.__path__, str(tmp_path)]
    monkeypatch.setattr(pfactor_bench.measurements, "__path__", path)
    toy = families()[-1]
    run = SimpleNamespace(
        regimes=("from-scratch",),
        arrays={"from-scratch/y_pred": np.array([[1.0, 2.0]]), "y_true": np.array([0.5, 0.5])},
    )
    (measured,) = toy.measure(run)
    assert (measured.name, measured.value) == ("from-scratch/bias", 1.0)
    assert "from-scratch/bias" in [name for one in toy.numbers for name in one.names(PLAN)]
    assert "`<regime>/bias`" in reference_page()


def test_no_two_families_have_one_place() -> None:
    """Their order in a record is not left to their names."""
    assert max(Counter(family.order for family in families()).values()) == 1


def test_no_two_numbers_have_one_name() -> None:
    """Whatever a plan holds."""
    names = Counter(n for f in families() for one in f.numbers for n in one.names(PLAN))
    assert [name for name, times in names.items() if times > 1] == []


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.parent.name)
def test_units_and_intervals_are_those_that_were_stated(path: Path) -> None:
    """Of every number of every published report."""
    record = migrate(json.loads(path.read_text(encoding="utf-8")))
    definition = record["suite"]["definition"]
    plan = Plan(
        cases=tuple(
            Case(
                regime=one["regime"],
                model=ModelSpec(name=one["model"], args=one["model_args"]),
                seed=one["seed"],
                start=one["start"],
            )
            for one in record["cases"]
        ),
        baselines=tuple(definition.get("baselines", ())),
        saliency=tuple(one["chosen_by"] for one in record["cases"][0]["saliency"]),
        n_folds=len(record["split"]["folds"]),
        is_injected=bool(record["cohort"]["injected"]),
        contrasts=("source",),
    )
    stated = {n: one for f in families() for one in f.numbers for n in one.names(plan)}
    for measured in record["measurements"]:
        number = stated[measured["name"]]
        assert measured["unit"] == number.unit
        assert number.interval or measured["ci"] is None, measured["name"]


def test_places_are_filled_in_every_way() -> None:
    """From left to right."""
    number = Number(
        name="{regime}/{kind}", words="", places={"kind": Place(words="", values=lambda _: "ab")}
    )
    assert list(number.names(PLAN)) == [
        "from-scratch/a",
        "from-scratch/b",
        "linear-probe/a",
        "linear-probe/b",
    ]


def test_number_belongs_to_what_its_name_says() -> None:
    """The case is the name without its last part, unless the number says otherwise."""
    plain = Number(name="{regime}/sd_ratio", words="")
    nested = Number(name="{regime}/variance/all", words="", case="{regime}", unit="target²")
    assert plain.measured(1.0, regime="m/probe").case == "m/probe"
    found = nested.measured(None, regime="probe", missing_because="too few")
    assert (found.name, found.case, found.unit) == ("probe/variance/all", "probe", "target²")
