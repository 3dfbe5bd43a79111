"""Write planted leaks and clean studies as plain arrays, which any tool can read.

    python benchmarks/rivals/export.py FOLDER

One ``.npz`` for each scene, of its first fold: features, scores, subjects, sessions, sample ranges,
train and test positions, and each person's squared error without and with the leak.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from pfactor_bench.detection.leaks import planted_leaks
from pfactor_bench.detection.recipes import Recipe
from pfactor_bench.detection.scenes import clean_scene, play
from pfactor_bench.studies.honest import band_features

#: Studies that leaks are planted in; each is exported without any leak as well.
HOSTS = tuple(
    Recipe(family="ridge", protocol="4-fold", cohort=cohort, cohort_seed=seed, seed=seed)
    for seed in range(2)
    for cohort in ("synthetic", "no signal")
)


def main(folder: Path) -> None:
    """Export every leak in every host, and the hosts."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, host in enumerate(tqdm(HOSTS)):
        clean = clean_scene(host)
        played = play(clean)
        _write(folder / f"clean-{number}.npz", clean, played, played, kind=0, leak="")
        for leak in planted_leaks().values():
            leaky = leak.plant(clean, leak.full_dose)
            name = leak.name.replace(" ", "-").replace(",", "")
            _write(
                folder / f"{leak.kind:02d}-{name}-{number}.npz",
                leaky,
                play(leaky),
                played,
                kind=leak.kind,
                leak=leak.name,
            )


def _write(path, scene, played, clean, *, kind, leak):
    fold, cohort = played.split.folds[0], scene.cohort
    people, before, after = _errors(clean, played, cohort)
    np.savez(
        path,
        features=band_features(cohort.X),
        y=cohort.y,
        subject=cohort.subjects,
        session=cohort.table["session"].to_numpy(dtype=str),
        start=cohort.table["start"].to_numpy(),
        stop=cohort.table["stop"].to_numpy(),
        train=fold.train,
        test=fold.test,
        people=people,
        error_clean=before,
        error_leaky=after,
        kind=kind,
        leak=leak,
    )


def _errors(clean, played, cohort):
    """Return people of both tables and their squared errors without and with the leak."""
    rows = cohort.table.set_index("sample_id")["subject"]
    truth = dict(zip(cohort.subjects, cohort.y, strict=True))
    sides = []
    for one in (clean, played):
        table = one.table[one.table["role"] == "test"]
        by_person = table.groupby(table["sample_id"].map(rows))["y_pred"].mean()
        sides.append({name: (pred - truth[name]) ** 2 for name, pred in by_person.items()})
    people = sorted(set(sides[0]) & set(sides[1]))
    return np.array(people), *(np.array([side[name] for name in people]) for side in sides)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
