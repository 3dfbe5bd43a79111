"""One scene through the audit, and what of it is counted."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from benchmarks.detection.parts import study_of
from benchmarks.detection.scenes import performance, play
from pfactor_bench.auditing.audit import DEFAULT
from pfactor_bench.auditing.result import Audit
from pfactor_bench.checks import run_checks
from pfactor_bench.checks.metamorphic.probe import Probe
from pfactor_bench.studies.harness import Runner
from pfactor_bench.studies.network import question_network
from pfactor_bench.studies.sandbox import Failure, Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import nn

    from benchmarks.detection.scenes import Played, Scene
    from pfactor_bench.auditing.audit import Effort
    from pfactor_bench.types import Finding

__all__ = ["WAYS", "Way", "crosses", "examine", "way_of"]

Way: TypeAlias = Literal["static", "metamorphic", "runtime", "statistical"]
WAYS: tuple[Way, ...] = ("static", "metamorphic", "runtime", "statistical")

#: Checks that look at what a run noted while it ran.
_RUNTIME = frozenset({"LK010", "LK020", "LK021", "LK023", "LK208"})
#: Checks that decide by a p-value.
_STATISTICAL = frozenset({"LK009", "LK016", "LK206", "LK401", "LK402"})


def way_of(code: str) -> Way:
    """Return how a check finds what it finds."""
    if code in _RUNTIME:
        return "runtime"
    if code in _STATISTICAL:
        return "statistical"
    return "metamorphic" if code.startswith(("LK1", "LK2")) else "static"


@dataclass(kw_only=True, slots=True)
class _Meter:
    """Counts the runs and the seconds that each check took."""

    probe: Probe
    runs: int = 0
    cost: dict[str, list[float]] | None = None

    def __call__(self, finding: Finding) -> None:
        spent = self.probe.n_runs - self.runs
        self.runs = self.probe.n_runs
        if self.cost is None:
            self.cost = {}
        if finding.status not in {"not_applicable", "skipped"}:
            self.cost[finding.code] = [spent, round(finding.seconds, 4)]


def examine(
    scene: Scene, *, effort: Effort = DEFAULT, only: Iterable[str] | None = None
) -> dict[str, Any]:
    """Audit a scene and return one row of the record.

    Parameters
    ----------
    scene
        A clean or a leaky one.
    effort
        Of the audit.
    only
        Codes of the checks to run; all by default.

    Returns
    -------
    dict
        ``verdict``; ``statuses`` and ``explanations`` of checks that failed, warned or could not
        decide; ``cost``, by check the reruns and seconds; ``n_runs``; ``seconds``; ``r``,
        ``skill`` and ``n_subjects`` as the study would report them.
    """
    began = time.perf_counter()
    played = play(scene)
    limits = Limits(seconds=300.0)
    probe = Probe(
        Runner(study_of(scene.parts), seed=scene.recipe.seed, limits=limits),
        scene.cohort,
        effort,
        scene.recipe.seed,
    )
    meter = _Meter(probe=probe)
    available: dict[str, object] = {
        **scene.declares(scene, played),
        "cohort": scene.cohort,
        "study": probe,
    }
    if scene.build is not None:
        available["model"] = question_network(partial(_factory, scene.build), scene.cohort, limits)
    if not isinstance(probe.answer, Failure):
        available["split"] = probe.answer.stated_split()
    meter.runs = probe.n_runs
    findings = run_checks(available, only=only, on_finding=meter)
    audit = Audit(
        target=scene.recipe.id,
        kind="study",
        cohort=scene.cohort.name,
        fingerprint=scene.cohort.fingerprint,
        seed=scene.recipe.seed,
        n_runs=probe.n_runs,
        findings=findings,
    )
    return {
        "verdict": audit.verdict,
        "statuses": {f.code: f.status for f in findings if f.status in {"fail", "warn", "error"}},
        "explanations": {f.code: f.explanation for f in findings if f.status in {"fail", "error"}},
        "cost": meter.cost or {},
        "n_runs": probe.n_runs,
        "seconds": round(time.perf_counter() - began, 3),
        "reported": _reported(scene, played),
    }


def _factory(build: Callable[[int, int], nn.Module]) -> Callable[..., nn.Module]:
    """Return a factory as the audit of a network takes it."""

    def factory(*, n_chans: int, n_times: int, **_rest: object) -> nn.Module:
        return build(n_chans, n_times)

    return factory


def _reported(scene: Scene, played: Played) -> dict[str, float]:
    found = performance(played.table, scene.cohort, played.split)
    return {"r": found.r, "skill": found.skill, "n_subjects": found.n_subjects}


def crosses(scene: Scene, played: Played, clean: Played) -> bool:
    """Say whether an injected leak is there at all: something crosses, or a prediction changed.

    A scaler fitted on every subject changes nothing for a model that only looks at ranks, and a
    subject under two names is no leak while both stand on one side.
    """
    if scene.twins is not None:
        return any(
            len(np.intersect1d(scene.twins[fold.train], scene.twins[fold.test]))
            for fold in played.split.folds
        )
    keys = ["sample_id", "fold"]
    before, after = (
        one.table.loc[one.table["role"] == "test"].set_index(keys)["y_pred"]
        for one in (clean, played)
    )
    if not before.index.sort_values().equals(after.index.sort_values()):
        return True
    spread = float(scene.cohort.y.std())
    return bool((before - after.reindex(before.index)).abs().max() > 1e-5 * spread)
