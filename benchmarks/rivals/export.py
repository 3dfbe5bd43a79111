"""Write injected leaks and clean studies as plain arrays, which any tool can read.

    python benchmarks/rivals/export.py FOLDER [--data DIR] [--minutes 4]

One ``.npz`` for each scene, of its first fold: features, targets, subjects, sessions, sample
ranges, train and test positions; of all folds each subject's squared error here and in the clean
twin; and the study's r in permuted studies. A scene that is there already is kept, so that a run
that is stopped goes on. The clean twin of a clean study is the same study with another seed.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path

import numpy as np
from tqdm import tqdm

from benchmarks.detection.honest import band_features
from benchmarks.detection.leaks import injected_leaks
from benchmarks.detection.parts import Log, predict_folds
from benchmarks.detection.plan import clean_recipes
from benchmarks.detection.recipes import Recipe, can_be_injected
from benchmarks.detection.scenes import clean_scene, crosses, play
from pfactor_bench.errors import StudyError
from pfactor_bench.seeds import seed_for
from pfactor_bench.statistics.metrics import pearson_r, subject_means
from pfactor_bench.studies.changes import permute_targets
from pfactor_bench.studies.contract import read_answer, table_columns

#: Studies that leaks are injected in.
HOSTS = tuple(
    Recipe(family=family, protocol="4-fold", cohort=cohort, cohort_seed=seed, seed=seed)
    for seed, (family, cohort) in enumerate(
        (
            ("ridge", "synthetic"),
            ("ridge", "no signal"),
            ("forest", "synthetic"),
            ("kNN", "no signal"),
        )
    )
)
#: Permuted studies, as many as Leakly asks for at least; every so many clean studies are permuted.
N_PERMUTED, EVERY = 100, 4
#: Kinds that show in who is there and what is validated on, not in a prediction.
_NOT_IN_PREDICTIONS = frozenset({13, 20, 30})


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A scene that is to be exported: a host, what is injected, and whether it is permuted."""

    name: str
    host: Recipe
    leak: str = ""
    permuted: bool = True


def places() -> list[Place]:
    """Return all scenes: every leak in every host that can have it, and clean studies."""
    injected = [
        Place(name=f"{leak.kind:02d}-{_file(leak.name)}-{number}", host=host, leak=leak.name)
        for leak in injected_leaks().values()
        for number, host in enumerate(HOSTS)
        if can_be_injected(leak, host.family)
    ]
    # Named by what they are, so that whoever stops early has a sample of all.
    drawn = {
        recipe: seed_for("rivals", recipe.id)
        for recipe in sorted(clean_recipes(), key=attrgetter("id"))
    }
    return injected + [
        Place(name=f"clean-{number:010d}", host=recipe, permuted=number % EVERY == 0)
        for recipe, number in sorted(drawn.items(), key=lambda entry: entry[1])
    ]


def _file(name: str) -> str:
    return name.replace(" ", "-").replace(",", "")


def main() -> None:
    """Export what is missing, for as long as is allowed."""
    options = _parser().parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    began, everything = time.monotonic(), places()
    left = [one for one in everything if not (options.folder / f"{one.name}.npz").exists()]
    if options.data is None:
        left = [one for one in left if one.host.cohort != "EEGMAT"]
    for place in tqdm(left, unit="scene"):
        if time.monotonic() - began > 60 * options.minutes:
            break
        _export(place, options.folder / f"{place.name}.npz", options.data)
    print(f"{len(list(options.folder.glob('*.npz')))} of {len(everything)} scenes are exported")


def _export(place: Place, path: Path, data: Path | None) -> None:
    clean = clean_scene(place.host, data)
    played = play(clean)
    if place.leak:
        leak = injected_leaks()[place.leak]
        scene = leak.plant(clean, leak.full_severity)
        here, twin = play(scene), played
        there = leak.kind in _NOT_IN_PREDICTIONS or crosses(scene, here, twin)
        kind = leak.kind
    else:
        other = clean_scene(replace(place.host, seed=place.host.seed + 1), data)
        scene, here, twin = clean, played, play(other)
        there, kind = True, 0
    fold, cohort = here.split.folds[0], scene.cohort
    subjects, before, after = _errors(twin, here, cohort)
    content = {
        "features": band_features(cohort.X),
        "y": cohort.y,
        "subject": cohort.subjects,
        "session": cohort.table["session"].to_numpy(dtype=str),
        "start": cohort.table["start"].to_numpy(),
        "stop": cohort.table["stop"].to_numpy(),
        "train": fold.train,
        "test": fold.test,
        "subjects": subjects,
        "error_clean": before,
        "error_here": after,
        "permuted_r": _permuted(scene) if place.permuted else np.zeros(0),
        "kind": kind,
        "leak": place.leak,
        "there": there,
        "recipe": json.dumps(place.host.to_dict()),
    }
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as stream:
        np.savez(stream, **content)
    unfinished.rename(path)


def _errors(twin, here, cohort):
    """Return the subjects of both tables and their squared errors in the twin and here."""
    rows = cohort.table.set_index("sample_id")["subject"]
    truth = dict(zip(cohort.subjects, cohort.y, strict=True))
    sides = []
    for one in (twin, here):
        table = one.table[one.table["role"] == "test"]
        by_subject = table.groupby(table["sample_id"].map(rows))["y_pred"].mean()
        sides.append({name: (pred - truth[name]) ** 2 for name, pred in by_subject.items()})
    subjects = sorted(set(sides[0]) & set(sides[1]))
    return np.array(subjects), *(np.array([side[name] for name in subjects]) for side in sides)


def _permuted(scene) -> np.ndarray:
    """Return the study's r over subjects in permuted studies, nothing if it cannot do them all."""
    seen = scene.parts.inputs(scene.cohort)  # the same whatever the targets are
    parts = replace(scene.parts, inputs=lambda _cohort: seen)
    found = []
    for draw in range(N_PERMUTED):
        cohort = permute_targets(scene.cohort, np.random.default_rng(seed_for("rivals", draw)))
        table = predict_folds(parts, cohort, scene.recipe.seed, Log())
        try:
            found.append(_r(read_answer(table_columns(table), cohort), cohort))
        except StudyError:  # it drops whoever it predicts badly, now a whole fold
            return np.zeros(0)
    return np.array(found)


def _r(answer, cohort) -> float:
    positions = np.concatenate([fold.positions for fold in answer.folds])
    y_pred = np.concatenate([fold.y_pred for fold in answer.folds])
    subjects = cohort.subjects[positions]
    truth, predicted = (subject_means(subjects, one)[1] for one in (cohort.y[positions], y_pred))
    # Where the targets are all equal, nothing was found either.
    return pearson_r(truth, predicted).value or 0.0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    data = os.environ.get("PFACTOR_BENCH_DATA")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument(
        "--data",
        type=lambda text: Path(text).resolve(),
        default=Path(data).resolve() if data else None,
        metavar="DIR",
        help="folder that holds eegmat; without it clean studies of real EEG are left out",
    )
    parser.add_argument("--minutes", type=float, default=4.0, help="begin no scene after so many")
    return parser


if __name__ == "__main__":
    main()
