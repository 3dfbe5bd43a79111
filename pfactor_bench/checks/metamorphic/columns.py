"""A metamorphic check of the table's columns: what else than the signal enters the predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, not_applicable, passed, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.checks.metamorphic.covariates import covariates_alone
from pfactor_bench.checks.metamorphic.relation import compare, evidence_of
from pfactor_bench.checks.static.inputs import tells_the_target
from pfactor_bench.studies import changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.checks.metamorphic.folds import ProbedFold
    from pfactor_bench.checks.metamorphic.probe import Probe
    from pfactor_bench.checks.metamorphic.relation import Trial
    from pfactor_bench.types import Cohort, Scalar

__all__: list[str] = []

#: These say which window it is; LK103 and LK104 look at names and places.
_NAMES = frozenset({"sample_id", "subject", "parent"})
#: Where in its recording a window lies: one input, not two.
_PLACE = ("start", "stop")


@check("LK110", kinds=(15, 16, 35))
def inputs_beside_the_signal(study: Probe, inputs: Sequence[str] = ()) -> Outcome:
    """Columns of the table as inputs: each one that enters a prediction is declared.

    How it is detected
    ------------------
    One column at a time, the subjects of a fold swap their values; start and stop go to other
    windows of other subjects. A prediction that moves is made from that column. It is as it should
    be where the study declares it among its inputs, and a warning where not. A column derived from
    the target fails. Of declared columns it is told what a ridge on them alone achieves in the
    study's own folds.

    Why it matters
    --------------
    A model that is given age or sex, or a window's place in a cued task, may owe its skill to them.
    A reader takes it for skill of the EEG.

    How to fix it
    -------------
    Declare what enters besides the signal, @pfactor_bench.declare(inputs=["age"]), and report what
    it achieves alone; or take it out.

    What it cannot see
    ------------------
    Covariates that reach a study by another way than the cohort's table.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L2.
    """
    if (obstacle := study.obstacle()) is not None:
        return obstacle
    fold = max(study.folds, key=lambda one: len(one.held_out))
    draws = _draws(study, fold)
    if not draws:
        return not_applicable("the table holds nothing that differs between held-out windows")
    study.ask([cohort for _, cohort in draws.values()])
    found = {name: compare(study, fold, [draw])[0] for name, draw in draws.items()}
    used = {name: trial for name, trial in found.items() if trial.moved and trial.same_draws}
    derived = [name for name in used if tells_the_target(study.cohort, name)]
    if derived:
        return failed(
            f"{derived[0]!r}, which tells the target, enters the predictions",
            _evidence(used, study),
        )
    undeclared = [name for name in used if name not in inputs]
    if undeclared:
        return warned(
            f"predictions are made from {' and '.join(map(repr, undeclared))} besides the signal, "
            f"and the study does not declare it",
            _evidence(used, study),
        )
    looked = f"({', '.join(found)} looked at)"
    if not used:
        return passed(f"no column enters a prediction {looked}")
    return passed(f"declared inputs: {', '.join(used)} {looked}{_alone(study, list(used))}")


def _alone(study: Probe, used: Sequence[str]) -> str:
    """Return, in a clause, what declared columns achieve without any signal."""
    skills = covariates_alone(study.cohort, study.folds, used)
    if skills is None:
        return ""
    alone, together = skills
    return f"; a ridge on them alone has skill {alone:.3f}, the study {together:.3f}"


def _draws(study: Probe, fold: ProbedFold) -> dict[str, tuple[str, Cohort]]:
    """Return a cohort for each column in which held-out windows have swapped its values."""
    table, rows = study.cohort.table, fold.answered.positions
    rows = rows[np.isin(study.cohort.subjects[rows], fold.held_out)]
    columns = [str(name) for name in table.columns if name not in {*_NAMES, *_PLACE}]
    draws = {}
    for name in columns:
        values = table[name].to_numpy()
        new = _values_swapped(values, study.cohort.subjects, rows)
        if not np.array_equal(new[rows].astype(str), values[rows].astype(str)):
            draws[name] = (f"{name} swapped", changes.with_columns(study.cohort, {name: new}))
    if set(_PLACE) <= set(table.columns):
        order = _places_swapped(study.cohort.subjects, rows)
        new_places = {name: table[name].to_numpy()[order] for name in _PLACE}
        draws["start"] = ("place swapped", changes.with_columns(study.cohort, new_places))
    return draws


def _values_swapped(
    values: NDArray[np.generic], subjects: NDArray[np.str_], rows: NDArray[np.int64]
) -> NDArray[np.generic]:
    """Give each subject's rows the value that the next subject with another one has."""
    new = values.copy()
    _, first = np.unique(subjects[rows], return_index=True)
    order = rows[first][np.argsort(values[rows][first].astype(str), kind="stable")]
    half = len(order) // 2
    for mine, other in zip(order, np.roll(order, half), strict=True):
        new[rows[subjects[rows] == subjects[mine]]] = values[other]
    return new


def _places_swapped(subjects: NDArray[np.str_], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where each window's place comes from: another subject's recording, half way round."""
    order, names = np.arange(len(subjects)), np.unique(subjects[rows])
    for name, other in zip(names, np.roll(names, 1), strict=True):
        mine, theirs = (rows[subjects[rows] == one] for one in (name, other))
        order[mine] = np.resize(np.roll(theirs, len(theirs) // 2), len(mine))
    return order


def _evidence(used: dict[str, Trial], study: Probe) -> list[dict[str, Scalar]]:
    return [{"column": name, **evidence_of([trial], study)[0]} for name, trial in used.items()]
