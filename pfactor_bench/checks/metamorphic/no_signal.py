"""A metamorphic check of where skill comes from: a cohort without signal."""

from __future__ import annotations

from math import factorial, prod
from typing import TYPE_CHECKING

from pfactor_bench.checks.engine.outcomes import failed, not_applicable, passed, undecided, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.checks.metamorphic.skill import (
    predicted_by_subject,
    skill_within_folds,
    swappable,
)
from pfactor_bench.studies.changes import replace_all_signal
from pfactor_bench.studies.sandbox import Failure
from pfactor_bench.studies.swaps import swap_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.checks.metamorphic.probe import Probe
    from pfactor_bench.types import Cohort

__all__: list[str] = []

#: Noise may look like skill by chance this often.
_ALPHA = 0.001
#: And in further draws this often.
_AGREES = 0.01


@check("LK105", kinds=(15, 16, 35))
def skill_needs_signal(study: Probe) -> Outcome:
    """Skill without signal: none may survive in noise.

    How it is detected
    ------------------
    Every window becomes noise, and subjects swap the columns that are declared as inputs; targets
    and all other columns stay. Predictions of several draws of noise are averaged per subject,
    since draws that share a leak share their predictions, and centred within folds, as targets are.
    Their correlation is compared with 10,000 permutations of the subjects of each fold; the check
    fails at p < 0.001, if as many further draws agree at p < 0.01.

    Why it matters
    --------------
    Skill that survives without any brain signal comes from somewhere else: the target or a variable
    derived from it among the inputs, age or sex, the number of windows, the order of files, or the
    place in time of windows that were cut at a response.

    How to fix it
    -------------
    Give the model nothing but the signal; report a confound model beside it.

    What it cannot see
    ------------------
    Confounds that act through the signal, such as age; and little skill in few subjects.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L2; Spisak 2022,
    doi:10.1093/gigascience/giac082.
    """
    if (obstacle := study.obstacle()) is not None:
        return obstacle
    drawn = _drawn(study, [_without_declared(study, one) for one in study.noise()])
    if isinstance(drawn, Failure):
        return undecided(f"the study fails on noise: {drawn.reason}")
    names = sorted(set.intersection(*(set(one) for one in drawn)))
    groups = swappable(study.folds, names)
    if 1 / prod(factorial(min(len(group), 20)) for group in groups) > _ALPHA:
        return not_applicable("too few subjects are predicted for skill to be told from chance")
    r, p = skill_within_folds(study, drawn, names, groups)
    if p < _ALPHA:
        return _confirmed(study, names, groups, r)
    return passed(
        f"no skill survives in noise: r = {r:.2f} within folds (p = {p:.2g}, {len(drawn)} draws)"
    )


def _confirmed(
    study: Probe, names: Sequence[str], groups: list[NDArray[np.int64]], r_first: float
) -> Outcome:
    """Fail if further draws of noise agree: one set of draws may look like skill by chance."""
    draws = range(len(study.noise()))
    noise = [replace_all_signal(study.cohort, study.rng("more noise", draw)) for draw in draws]
    more = _drawn(study, [_without_declared(study, one) for one in noise])
    if isinstance(more, Failure) or any(set(names) - set(one) for one in more):
        return undecided("the study does not predict the same subjects in further draws of noise")
    r, p = skill_within_folds(study, more, names, groups)
    if p > _AGREES:
        return passed(f"no skill survives in noise: r = {r:.2f} within folds in further draws")
    if study.declared.knows_own_targets:
        return warned(
            f"skill survives in noise, r = {r:.2f} within folds, as it may where labelled windows "
            f"of held-out subjects are declared ({study.declared.access})",
            fix="Report what the labelled windows achieve without any signal beside the result.",
        )
    return failed(
        f"the study predicts the targets of subjects whose signal is pure noise: r = {r_first:.2f} "
        f"within folds over {len(names)} subjects, and {r:.2f} in further draws",
        [{"draws": len(more), "n": len(names), "r": r_first, "r_again": r, "p_again": p}],
    )


def _without_declared(study: Probe, noise: Cohort) -> Cohort:
    """Swap the columns that the study declares as well: their skill is no leak."""
    names = [name for name in study.declared.inputs if name in noise.table.columns]
    return swap_columns(noise, names) if names else noise


def _drawn(study: Probe, noise: Sequence[Cohort]) -> list[dict[str, float]] | Failure:
    """Return each subject's mean prediction in each draw of noise."""
    found = []
    for answer in study.ask(noise):
        if isinstance(answer, Failure):
            return answer
        found.append(predicted_by_subject(study, answer))
    return found
