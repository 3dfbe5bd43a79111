"""Saved predictions: what a study handed in, as a file, and numbers that are claimed of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.detection.leaks import injected_leaks
from benchmarks.detection.recipes import can_be_injected
from benchmarks.detection.scenes import clean_scene, crosses, performance, play
from benchmarks.detection.study_door import HOSTS
from benchmarks.detection.trials import Trial
from pfactor_bench.auditing.audit import audit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from benchmarks.detection.recipes import Recipe
    from benchmarks.detection.scenes import Played, Scene
    from pfactor_bench.auditing.result import Audit

__all__ = ["predictions_trials"]

#: By what is wrong: its kind, the claims beside the table, and what stands in its columns.
_SAID: dict[str, tuple[int, Callable[[float, int], dict[str, Any]], dict[str, Any]]] = {
    "best of many evaluations": (17, lambda r, _n: {"best_r": f"{r:.3f}"}, {}),
    "seeds not reported": (19, lambda _r, _n: {"seeds": ["0", "1", "2"]}, {"seed": 0}),
    "windows counted as subjects": (26, lambda _r, n: {"n_subjects": f"{n}"}, {}),
    "predictions of other data": (28, lambda r, _n: {"r": f"{r:.3f}"}, {"fingerprint": "0" * 64}),
    "number of another table": (31, lambda r, _n: {"r": f"{r - 0.2:.3f}"}, {}),
    "circular explanation": (33, lambda _r, _n: {"saliency": "smallest-error"}, {}),
}


def predictions_trials() -> Iterator[Trial]:
    """Yield the output of clean and leaky studies, and honest output with something wrong said."""
    for host in HOSTS:
        yield Trial(door="predictions", host=host.id, enter=partial(_enter, host, ""))
        for leak in injected_leaks().values():
            # Who is left out is declared of a cohort, and what was validated on shows nowhere.
            if leak.kind not in {13, 20} and can_be_injected(leak, host.family):
                enter = partial(_enter, host, leak.name)
                yield Trial(
                    door="predictions",
                    host=host.id,
                    enter=enter,
                    leak=leak.name,
                    kinds=(leak.kind,),
                )
        for name, (kind, _, _) in _SAID.items():
            enter = partial(_enter, host, name)
            yield Trial(door="predictions", host=host.id, enter=enter, leak=name, kinds=(kind,))


def _enter(host: Recipe, injected: str, folder: Path) -> Audit | None:
    clean = clean_scene(host)
    scene, leak = clean, injected_leaks().get(injected)
    if leak is not None:
        scene = leak.plant(clean, leak.full_severity)
    played = play(scene)
    if leak is not None and leak.kind != 30 and not crosses(scene, played, play(clean)):  # noqa: PLR2004 - selective sampling
        return None
    _, claims, columns = _SAID.get(injected, (0, _honest_claims, {}))
    path = folder / "predictions.csv"
    played.table.assign(**columns).to_csv(path, index=False)
    said = claims(_r(played, scene), int((played.table["role"] == "test").sum()))
    return audit(str(path), scene.cohort, claims=said, progress=False)


def _honest_claims(r: float, _n: int) -> dict[str, str]:
    return {"r": f"{r:.3f}"}


def _r(played: Played, scene: Scene) -> float:
    return performance(played.table, scene.cohort, played.split).r
