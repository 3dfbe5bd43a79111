"""Injected leaks are there, clean studies are clean, and a killed measurement goes on."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from benchmarks.detection.cohorts import fingerprinted
from benchmarks.detection.examine import WAYS, crosses, examine, way_of
from benchmarks.detection.figure import draw_matrix, draw_severities
from benchmarks.detection.honest import band_features
from benchmarks.detection.inflation import paired_difference
from benchmarks.detection.leaks import injected_leaks
from benchmarks.detection.numbers import filled
from benchmarks.detection.plan import Cell, full_plan, quick_plan
from benchmarks.detection.recipes import Recipe
from benchmarks.detection.report import report_text
from benchmarks.detection.run import read_rows, run_cell, run_plan
from benchmarks.detection.scenes import Played, Scene, clean_scene, play
from benchmarks.detection.summary import exact_rate, summarise
from pfactor_bench.checks import catalogue
from pfactor_bench.checks.engine.kinds import KINDS
from pfactor_bench.cohorts.synthetic import synthetic

CHECKOUT = Path(__file__).parents[2]
PUBLISHED = CHECKOUT / "reports" / "detection"

_RECIPE = Recipe(family="ridge", protocol="4-fold")


@pytest.fixture(scope="module")
def clean() -> tuple[Scene, Played]:
    """Return a clean scene and a run of it."""
    scene = clean_scene(_RECIPE)
    return scene, play(scene)


@pytest.fixture(scope="module")
def clean_network() -> tuple[Scene, Played]:
    """Return a clean scene of a small network and a run of it."""
    scene = clean_scene(Recipe(family="small CNN", protocol="hold-out"))
    return scene, play(scene)


@pytest.fixture(scope="module")
def quick_rows(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Return the results of the quick plan."""
    results = tmp_path_factory.mktemp("detection") / "audits.jsonl"
    assert run_plan(quick_plan(), results) == 0
    return read_rows(results)


#: Tried in tests/checks/test_check_tricky.py, tests/studies/test_declaration.py, and from tables.
_LATER = {36, 37, 40}


def test_every_kind_can_be_injected() -> None:
    """All kinds of the catalogue, by at least one leak each, but for those that came later."""
    assert {leak.kind for leak in injected_leaks().values()} == set(KINDS) - _LATER


def test_every_check_finds_its_things_in_one_way() -> None:
    """The columns of the matrix hold all checks."""
    assert {way_of(entry.code) for entry in catalogue()} == set(WAYS)


@pytest.mark.parametrize(
    "name", [name for name, leak in injected_leaks().items() if not leak.declared_only]
)
def test_leak_is_there_at_full_severity(
    name: str, clean: tuple[Scene, Played], clean_network: tuple[Scene, Played]
) -> None:
    """Something stands in train and test, a prediction changes, or subjects and choices do."""
    leak = injected_leaks()[name]
    scene, played = clean_network if leak.needs == "network" else clean
    leaky = leak.plant(scene, leak.full_severity)
    replayed = play(leaky)
    fewer = leaky.cohort.n_subjects < scene.cohort.n_subjects
    other_choices = len(replayed.log.inner) > len(played.log.inner)
    assert crosses(leaky, replayed, played) or fewer or other_choices


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("BatchNorm in train mode", {"LK102", "LK201"}),
        ("outputs remembered", {"LK102", "LK202"}),
        ("pretrained on every subject", {"LK102"}),
    ],
)
def test_leak_of_a_network_is_found(
    name: str, codes: set[str], clean_network: tuple[Scene, Played]
) -> None:
    """By its predictions for other subjects, and where it can be by the network alone."""
    found = examine(injected_leaks()[name].plant(clean_network[0], 1.0), only=codes)
    assert {code for code, status in found["statuses"].items() if status == "fail"} == codes


def test_clean_network_is_not_accused(clean_network: tuple[Scene, Played]) -> None:
    """By any check that looks for what is injected in networks."""
    assert examine(clean_network[0], only={"LK102", "LK201", "LK202"})["statuses"] == {}


def test_clean_scene_has_nothing_on_both_sides(clean: tuple[Scene, Played]) -> None:
    """The twin of every leak."""
    scene, played = clean
    subjects = scene.cohort.subjects
    for fold in played.split.folds:
        assert set(subjects[fold.train]) & set(subjects[fold.test]) == set()


def test_fingerprint_survives_a_target_of_each_window() -> None:
    """Whose window it is can be told after mean and deviation are gone; a constant could not."""
    plain = synthetic(n_subjects=18, n_windows=8, amplitude=0.0)
    shares = []
    for cohort in (plain, fingerprinted(plain, seed=0)):
        z = cohort.X - cohort.X.mean(axis=-1, keepdims=True)
        z = z / z.std(axis=-1, keepdims=True)
        features, subjects = band_features(z), cohort.subjects
        learnt = KNeighborsClassifier(1).fit(features[::2], subjects[::2])
        shares.append(float((learnt.predict(features[1::2]) == subjects[1::2]).mean()))
    assert shares[0] < 0.2
    assert shares[1] > 0.4  # chance is 1 in 18


@pytest.mark.parametrize("seed", [0, 5])
def test_declared_split_is_the_one_that_is_used(seed: int) -> None:
    """Whatever the study's seed."""
    recipe = Recipe(family="ridge", protocol="4-fold", seed=seed)
    row = run_cell(Cell(role="quick", recipe=recipe))
    assert row["statuses"] == {}


def test_plan_holds_200_distinct_clean_studies() -> None:
    """Family × cross-validation × preprocessing × cohort × seed."""
    assert len({cell.id for cell in full_plan() if cell.role == "clean"}) >= 200


def test_every_leak_is_planned_in_several_families() -> None:
    """At least two, wherever it can be injected at all."""
    families: dict[str, set[str]] = {}
    for cell in full_plan():
        if cell.role == "full severity":
            families.setdefault(str(cell.leak), set()).add(cell.recipe.family)
    assert set(families) == set(injected_leaks())
    assert min(len(found) for found in families.values()) >= 2


def test_every_kind_is_found_quickly(quick_rows: list[dict[str, Any]]) -> None:
    """One leak of each kind, by a check that names the kind."""
    kinds = {entry.code: entry.kinds for entry in catalogue()}
    missed = [
        row["id"]
        for row in quick_rows
        if "leak" in row
        and not any(
            row["kind"] in kinds[code] and status in {"fail", "warn"}
            for code, status in row["statuses"].items()
        )
    ]
    assert missed == []


def test_clean_studies_are_not_accused_quickly(quick_rows: list[dict[str, Any]]) -> None:
    """With everything declared that an honest researcher can declare."""
    assert ["clean"] * 2 == [row["verdict"] for row in quick_rows if "leak" not in row]


def test_killed_run_goes_on(tmp_path: Path) -> None:
    """A line that was cut short is measured again, a whole one is kept."""
    results, plan = tmp_path / "audits.jsonl", quick_plan()[-2:]
    assert run_plan(plan, results) == 0
    whole, cut = results.read_text(encoding="utf-8").splitlines()
    results.write_text(f"{whole}\n{cut[:40]}", encoding="utf-8")
    assert run_plan(plan, results) == 0
    assert [cell.id for cell in plan] == [row["id"] for row in read_rows(results)]
    assert results.read_text(encoding="utf-8").startswith(whole)


def test_run_out_of_time_says_what_is_left(tmp_path: Path) -> None:
    """And begins nothing."""
    assert run_plan(quick_plan(), tmp_path / "audits.jsonl", seconds=-1) == len(quick_plan())


def test_second_name_on_one_side_is_no_leak() -> None:
    """A hold-out by name puts sub-17 beside sub-17_r2: nothing crosses, and nothing is counted."""
    hold_out = Recipe(family="ridge", protocol="hold-out")
    cell = Cell(role="severity", recipe=hold_out, leak="second name", severity=0.1)
    assert run_cell(cell)["crosses"] is False


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    """Return the published record."""
    found: dict[str, Any] = json.loads((PUBLISHED / "detection.json").read_text(encoding="utf-8"))
    return found


def test_published_report_is_its_records(record: dict[str, Any]) -> None:
    """Nothing in it was typed."""
    assert report_text(record) == (PUBLISHED / "report.md").read_text(encoding="utf-8")


def test_alt_texts_state_what_was_found(record: dict[str, Any]) -> None:
    """A reader who sees no figure learns how many kinds are found, and at what severity."""
    text = report_text(record)
    kinds = [kind for kind in record["kinds"] if kind["n"]]
    assert f"{sum(k['rate'] == 1 for k in kinds)} of {len(kinds)} kinds are always found" in text
    assert re.search(
        r"!\[.* at their weakest severity \d+ of \d+ leaks are found .*\]\(severities", text
    )


def test_published_figures_are_their_records(record: dict[str, Any]) -> None:
    """Nothing in them was drawn by hand."""
    drawn = {**draw_matrix(record), **draw_severities(record)}
    for name in ("matrix.svg", "severities.svg"):
        assert drawn[name] == (PUBLISHED / name).read_bytes()


def test_numbers_in_the_readme_are_the_records(record: dict[str, Any]) -> None:
    """``python -m benchmarks.detection`` writes them."""
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    assert filled(text, record) == text


@pytest.mark.parametrize(
    ("found", "n", "low", "high"), [(0, 10, 0.0, 0.3085), (10, 10, 0.6915, 1.0)]
)
def test_interval_of_a_rate_is_exact(found: int, n: int, low: float, high: float) -> None:
    """Clopper and Pearson's, at the ends of the scale: 1 − 0.025^(1/10)."""
    rate = exact_rate(found, n)
    assert (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4)) == (
        rate["low"],
        rate["high"],
    )


def test_quick_results_become_a_report(quick_rows: list[dict[str, Any]]) -> None:
    """Every kind has its row, found or not."""
    as_full = [{**row, "role": "full severity" if "leak" in row else "clean"} for row in quick_rows]
    text = report_text(summarise(as_full))
    for kind in set(KINDS) - _LATER:
        assert f" {KINDS[kind]} " in text


def test_leak_that_no_check_names_is_a_miss(quick_rows: list[dict[str, Any]]) -> None:
    """And stands in the list of misses with a reason."""
    row = next(row for row in quick_rows if row.get("kind") == 2)
    silent = {**row, "role": "full severity", "statuses": {}, "verdict": "clean"}
    (miss,) = summarise([silent])["misses"]
    assert miss["id"] == row["id"]
    assert "no prediction moved" in miss["why"]


def test_difference_of_a_model_with_itself_is_nothing() -> None:
    """Pairing leaves no spread."""
    rng = np.random.default_rng(0)
    truth, predictions = rng.normal(size=20), rng.normal(size=(2, 20))
    found = paired_difference(lambda y, p: float((y * p).mean()), truth, predictions, predictions)
    assert found == {"difference": 0.0, "low": 0.0, "high": 0.0}


def test_permuted_studies_are_told_leak_by_leak() -> None:
    """What can be found, what cannot, and which clean study was accused."""
    shared = {"role": "permutation", "n_runs": 20, "id": "permutation | ridge | plain"}
    rows = [
        {**shared, "statuses": {"LK401": "fail"}},
        {**shared, "statuses": {"LK401": "fail"}, "leak": "subjects cut", "kind": 3},
        {**shared, "statuses": {}, "leak": "age as input", "kind": 16},
    ]
    found = summarise(rows)["permutation"]
    assert [(one["leak"], one["expected"], one["found"]) for one in found["leaks"]] == [
        ("subjects cut", True, 1),
        ("age as input", False, 0),
    ]
    assert found["clean"]["accused"] == ["ridge | plain"]
