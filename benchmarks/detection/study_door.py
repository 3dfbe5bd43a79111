"""The plain door: studies by the path of their file, nothing declared."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from itertools import product, zip_longest
from typing import TYPE_CHECKING, Any

import yaml

from benchmarks.detection import honest, leaky, tricky
from benchmarks.detection.leaks import injected_leaks
from benchmarks.detection.parts import study_of
from benchmarks.detection.recipes import Recipe, can_be_injected
from benchmarks.detection.scenes import clean_scene, crosses, play
from benchmarks.detection.trials import Trial
from pfactor_bench.auditing.audit import DEFAULT, QUICK, THOROUGH, audit
from pfactor_bench.checks import catalogue
from pfactor_bench.cohorts.synthetic import synthetic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

    from benchmarks.detection.leaks import Leak
    from benchmarks.detection.scenes import Scene
    from pfactor_bench.auditing.audit import Effort
    from pfactor_bench.auditing.result import Audit
    from pfactor_bench.config.declared import Exclusions
    from pfactor_bench.studies.contract import Study

__all__ = [
    "HOSTS",
    "clean_trial",
    "injected_study",
    "network_trials",
    "permutation_trials",
    "severity_trials",
    "small_trials",
    "study_trials",
]

#: What leaks are injected in.
HOSTS = (
    Recipe(family="ridge", protocol="4-fold"),
    Recipe(family="kNN", protocol="hold-out"),
    Recipe(family="ridge", protocol="hold-out", cohort="no signal", cohort_seed=1, seed=1),
)
#: A network takes minutes: it hosts what nothing else can.
_NETWORK = Recipe(family="small CNN", protocol="hold-out")
#: Kinds that need not change any prediction: who is left out, and what was validated on.
_NOT_IN_PREDICTIONS = frozenset({13, 20, 30})
#: Leaks that let a held-out subject's own target in, so that it helps when targets are permuted.
_PERMUTED = (
    "no held-out set",
    "subjects cut",
    "selected on every subject",
    "best epoch",
    "mixed across",
)


def small_trials() -> Iterator[Trial]:
    """Yield small studies, leaky and honest in turn, audited where they stand in this folder."""
    kinds = {entry.code: entry.kinds for entry in catalogue()}
    twin = "plain_ridge"
    injected = [(leaky, name, one.kinds) for name, one in leaky.INJECTED.items()]
    hidden = [(tricky, name, kinds[found_by]) for name, (_, found_by) in tricky.HIDDEN.items()]
    wrong = [_at(module, name, host=twin, kinds=those) for module, name, those in injected + hidden]
    right = [_at(honest, name, host=name) for name in honest.HONEST]
    right += [_at(tricky, name, host=name) for name in tricky.SUSPICIOUS]
    for pair in zip_longest(right, wrong):
        yield from filter(None, pair)


def study_trials() -> Iterator[Trial]:
    """Yield each leak in one study made of parts after the other."""
    for host in HOSTS:
        yield clean_trial(host)
        for leak in injected_leaks().values():
            if leak.needs != "network" and can_be_injected(leak, host.family):
                yield _trial(host, leak)


def network_trials() -> Iterator[Trial]:
    """Yield the leaks that only a network can have."""
    yield clean_trial(_NETWORK)
    for leak in injected_leaks().values():
        if leak.needs == "network":
            yield _trial(_NETWORK, leak)


def clean_trial(host: Recipe) -> Trial:
    """Return the audit of a clean study."""
    return Trial(door="study", host=host.id, enter=partial(_enter, host, "", 1.0, DEFAULT, None))


def severity_trials() -> Iterator[Trial]:
    """Yield every severity of every leak, by the quick audit and the checks that name the kind."""
    for leak, host in product(injected_leaks().values(), HOSTS[:2]):
        codes = tuple(
            entry.code
            for entry in catalogue()
            if leak.kind in entry.kinds and entry.code not in {"LK401", "LK402"}
        )
        for severity in leak.severities if can_be_injected(leak, host.family) else ():
            enter = partial(_enter, host, leak.name, severity, QUICK, codes)
            yield replace(_trial(host, leak), enter=enter, part="severity", severity=severity)


def permutation_trials() -> Iterator[Trial]:
    """Yield studies whose targets are permuted, up to 80 times, with and without leaks."""
    for host in HOSTS:
        enter = partial(_enter, host, "", 1.0, THOROUGH, ("LK401",))
        yield replace(clean_trial(host), enter=enter, part="permutation")
        for leak in map(injected_leaks().__getitem__, _PERMUTED):
            if can_be_injected(leak, host.family):
                enter = partial(_enter, host, leak.name, leak.full_severity, THOROUGH, ("LK401",))
                yield replace(_trial(host, leak), enter=enter, part="permutation")


def _trial(host: Recipe, leak: Leak) -> Trial:
    return Trial(
        door="study",
        host=host.id,
        enter=partial(_enter, host, leak.name, leak.full_severity, DEFAULT, None),
        leak=leak.name,
        kinds=(leak.kind,),
    )


def injected_study(host: Recipe, leak: str, severity: float) -> Study:
    """Return what a file that is written for an audit offers: a study with a leak in it."""
    return study_of(_scene(host, leak, severity).parts)


@lru_cache(maxsize=8)
def _scene(host: Recipe, leak: str, severity: float) -> Scene:
    clean = clean_scene(host)
    return injected_leaks()[leak].plant(clean, severity) if leak else clean


def _enter(  # noqa: PLR0917 - what an audit is told
    host: Recipe,
    leak: str,
    severity: float,
    effort: Effort,
    only: tuple[str, ...] | None,
    folder: Path,
) -> Audit | None:
    scene = _scene(host, leak, severity)
    if leak and injected_leaks()[leak].kind not in _NOT_IN_PREDICTIONS:
        clean = clean_scene(host)
        if not crosses(scene, play(scene), play(clean)):
            return None
    path = folder / "injected.py"
    path.write_text(
        "from benchmarks.detection.recipes import Recipe\n"
        "from benchmarks.detection.study_door import injected_study\n\n"
        f"study = injected_study({host!r}, {leak!r}, {severity!r})\n",
        encoding="utf-8",
    )
    declare = None if scene.exclusions is None else _declared(scene.exclusions, folder)
    return audit(
        f"{path}:study", scene.cohort, effort=effort, only=only, declare=declare, progress=False
    )


def _declared(exclusions: Exclusions, folder: Path) -> Path:
    path = folder / "declared.yaml"
    content: dict[str, Any] = {
        "excluded": exclusions.excluded,
        "sha256": exclusions.sha256,
        "all_subjects": list(exclusions.all_subjects),
    }
    path.write_text(yaml.safe_dump({"exclusions": content}), encoding="utf-8")
    return path


def _at(module: ModuleType, name: str, *, host: str, kinds: tuple[int, ...] = ()) -> Trial:
    target = f"{module.__file__}:{name}"

    def enter(_folder: Path) -> Audit:
        return audit(target, synthetic(n_subjects=18, n_windows=6, seed=5), progress=False)

    leak = name if kinds else ""
    return Trial(door="study", host=host, enter=enter, leak=leak, kinds=kinds)
