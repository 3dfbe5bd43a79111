"""What is run: clean studies, each leak in many of them, and weaker severities in a few."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from benchmarks.detection.families import FAMILIES
from benchmarks.detection.honest import HONEST
from benchmarks.detection.leaks import injected_leaks
from benchmarks.detection.recipes import Recipe
from pfactor_bench.seeds import seed_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.detection.leaks import Leak

__all__ = ["Cell", "can_be_injected", "full_plan", "quick_plan"]

Role: TypeAlias = Literal["clean", "full severity", "severity", "permutation", "quick"]

#: What a study does to its inputs and chooses on inner subjects.
_HABITS: tuple[dict[str, Any], ...] = (
    {},
    {"steps": ("scale", "components")},
    {"steps": ("select",)},
    {"augmented": True, "chosen": "stage"},
    {"steps": ("scale", "select"), "chosen": "setting"},
)
_QUICK_TO_TRAIN = ("ridge", "kNN", "forest")
#: Networks that are audited, and in how many clean studies and how many leaks of a kind.
_NETWORKS = {"small CNN": (10, 1), "ShallowFBCSPNet": (5, 1), "EEGConformer": (3, 1)}
#: Leaks that are injected in a braindecode network as well: one of each way to go wrong.
_IN_BRAINDECODE = (
    "subjects cut",
    "scaler on every subject",
    "selected on every subject",
    "mean of test targets",
    "best epoch",
    "weights kept",
    "statistics of the batch",
)
#: Leaks that let a held-out subject's own target in, so that it helps when targets are permuted.
_PERMUTED = (
    "no held-out set",
    "rows twice",
    "subjects cut",
    "selected on every subject",
    "best epoch",
    "best setting",
    "best seed",
    "mixed across",
)
#: Leaks that do not, by design: permuting the targets takes away what they tell.
_LOST = (
    "second name",
    "linked twice",
    "scaler on every subject",
    "mean of test targets",
    "age as input",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One audit that is run.

    Parameters
    ----------
    role
        What it is for.
    recipe
        The clean study.
    leak, severity
        What is injected, if anything.
    small
        The name of one of the small honest studies, which takes the recipe's place.
    """

    role: Role
    recipe: Recipe
    leak: str | None = None
    severity: float | None = None
    small: str | None = None

    @property
    def id(self) -> str:
        """The cell in one line, the key of its result."""
        what = self.small or self.recipe.family
        where = self.recipe.id if self.small is None else f"{what} | {self.recipe.cohort}"
        injected = (
            f" | {self.leak} {self.severity:g}" if self.leak and self.severity is not None else ""
        )
        return f"{self.role} | {where}{injected}"


def full_plan(leaks: dict[str, Leak] | None = None) -> list[Cell]:
    """Return every cell of the published matrix, those that matter most first."""
    known = dict(injected_leaks()) if leaks is None else leaks
    clean, injected = list(_clean()), list(_injected(known))
    needed = {cell.recipe for cell in injected}
    twins = [Cell(role="clean", recipe=one) for one in sorted(needed, key=lambda one: one.id)]
    first, second, *others = _by_round(injected)
    later = [cell for round_ in others for cell in round_]
    cells = [*twins, *first, *clean, *second, *_severities(known), *later, *_permuted(known)]
    # Once torch is loaded every process that is forked costs more: networks come last.
    return sorted(_distinct(cells), key=lambda cell: cell.recipe.family in _NETWORKS)


def _by_round(injected: list[Cell]) -> list[list[Cell]]:
    """Return the first study of every leak, the second, and so on."""
    rounds: list[list[Cell]] = []
    seen: dict[str | None, int] = {}
    for cell in injected:
        number = seen.get(cell.leak, 0)
        seen[cell.leak] = number + 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(cell)
    return rounds


def quick_plan() -> list[Cell]:
    """Return one leak of each kind and two clean studies, all of ridge on one cohort."""
    recipe = Recipe(family="ridge", protocol="4-fold")
    clean = [
        Cell(role="quick", recipe=recipe),
        Cell(role="quick", recipe=replace(recipe, protocol="hold-out", steps=("scale",))),
    ]
    within_reach = [
        leak
        for leak in injected_leaks().values()
        if not leak.beyond_reach and leak.needs != "network"
    ]
    by_kind = {leak.kind: leak for leak in within_reach}
    return clean + [
        Cell(role="quick", recipe=recipe, leak=leak.name, severity=leak.full_severity)
        for leak in by_kind.values()
    ]


def can_be_injected(leak: Leak, family: str) -> bool:
    """Say whether a family of models has what a leak needs."""
    found = FAMILIES[family]
    has = {"": True, "stages": found.has_stages, "network": found.build is not None}
    return has[leak.needs]


def _distinct(cells: list[Cell]) -> list[Cell]:
    return list({cell.id: cell for cell in cells}.values())


def _at_full_severity(leak: Leak, recipe: Recipe) -> Cell:
    return Cell(role="full severity", recipe=recipe, leak=leak.name, severity=leak.full_severity)


def _clean() -> Iterator[Cell]:
    """Yield clean studies: everything that is quick, some networks, and the small ones."""
    for family, (number, habits), protocol, cohort in product(
        _QUICK_TO_TRAIN, enumerate(_HABITS), ("hold-out", "4-fold", "repeated"), _COHORTS
    ):
        if protocol == "repeated" and habits.get("chosen") == "setting":
            continue  # 24 forests a fold teach nothing new
        drawn = seed_for("clean", family, number, protocol, cohort)
        recipe = Recipe(
            family=family,
            protocol=protocol,
            cohort=cohort,
            cohort_seed=1 + drawn % 7,
            seed=drawn % 11,
            states_rows=bool(drawn % 3),
            **habits,
        )
        yield Cell(role="clean", recipe=recipe)
        if cohort != "EEGMAT":
            for again in range(1 if family == "forest" else 3):
                other = 10 * (again + 1) + 1 + drawn % 7
                yield Cell(
                    role="clean",
                    recipe=replace(recipe, cohort_seed=other, seed=again + 1 + recipe.seed),
                )
    for name, cohort in product(HONEST, _COHORTS):
        yield Cell(
            role="clean",
            recipe=Recipe(family="ridge", protocol="4-fold", cohort=cohort),
            small=name,
        )
    for family, (n_clean, _) in _NETWORKS.items():
        for number in range(n_clean):
            yield Cell(role="clean", recipe=_network_recipe(family, number))


_COHORTS = ("synthetic", "no signal", "EEGMAT")


def _network_recipe(family: str, number: int) -> Recipe:
    slow = family != "small CNN"
    return Recipe(
        family=family,
        protocol="hold-out" if slow or number % 2 else "4-fold",
        steps=((), ("scale",), ("select",), ("components",))[number % 4],
        cohort="synthetic" if slow else _COHORTS[number % 3],
        cohort_seed=1 + number,
        seed=number,
    )


def _injected(leaks: dict[str, Leak]) -> Iterator[Cell]:
    """Yield every leak in several studies of several families."""
    hosts = [
        Recipe(family=family, protocol=protocol, cohort=cohort, cohort_seed=seed, seed=seed)
        for seed, (family, protocol, cohort) in (
            (0, ("ridge", "4-fold", "synthetic")),
            (0, ("kNN", "hold-out", "synthetic")),
            (0, ("forest", "4-fold", "synthetic")),
            (1, ("ridge", "hold-out", "no signal")),
            (1, ("kNN", "4-fold", "synthetic")),
            (1, ("forest", "hold-out", "no signal")),
            (2, ("ridge", "4-fold", "EEGMAT")),
        )
    ]
    for leak in leaks.values():
        for host in hosts:
            if can_be_injected(leak, host.family):
                yield _at_full_severity(leak, host)
        if leak.declared_only:
            continue
        for family, (_, n_leaks) in _NETWORKS.items():
            if family == "small CNN" or leak.needs == "network" or leak.name in _IN_BRAINDECODE:
                for number in range(n_leaks):
                    bare = replace(_network_recipe(family, number), steps=())
                    yield _at_full_severity(
                        leak, replace(bare, cohort="synthetic", cohort_seed=number)
                    )
                    if leak.needs == "stages":
                        # Where there is something to learn, the last epoch is often the best.
                        yield _at_full_severity(leak, replace(bare, cohort="no signal"))


def _severities(leaks: dict[str, Leak]) -> Iterator[Cell]:
    """Yield every severity in three studies, with a quick audit of the checks that name it."""
    for leak in leaks.values():
        for severity, (seed, family) in product(
            leak.severities, enumerate(("ridge", "kNN", "ridge"))
        ):
            recipe = Recipe(family=family, protocol="4-fold", cohort_seed=20 + seed, seed=seed)
            yield Cell(role="severity", recipe=recipe, leak=leak.name, severity=severity)


def _permuted(leaks: dict[str, Leak]) -> Iterator[Cell]:
    """Yield leaks and clean studies whose whole study is permuted, up to 80 times."""
    hosts = [
        Recipe(family=family, protocol=protocol, cohort=cohort, cohort_seed=30 + seed, seed=seed)
        for seed, (family, protocol, cohort) in enumerate(
            (
                ("ridge", "4-fold", "no signal"),
                ("forest", "4-fold", "synthetic"),
                ("kNN", "hold-out", "no signal"),
                ("ridge", "repeated", "synthetic"),
            )
        )
    ]
    yield from (Cell(role="permutation", recipe=host) for host in hosts)
    for host, name in product(hosts, (*_PERMUTED, *_LOST)):
        if name in leaks and can_be_injected(leaks[name], host.family):
            severity = leaks[name].full_severity
            yield Cell(role="permutation", recipe=host, leak=name, severity=severity)
    for number, cell in enumerate(_clean()):
        if cell.small is None and cell.recipe.family in _QUICK_TO_TRAIN and not number % _EVERY:
            yield replace(cell, role="permutation")


#: Every so many clean studies are permuted as a whole.
_EVERY = 3
