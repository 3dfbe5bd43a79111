"""A metamorphic check of channels: one that is no electrode's, and one that all skill rests on."""

from __future__ import annotations

from math import factorial, prod
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, not_applicable, passed, undecided, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.checks.metamorphic.relation import compare, describe, evidence_of
from pfactor_bench.checks.metamorphic.skill import (
    predicted_by_subject,
    skill_within_folds,
    swappable,
)
from pfactor_bench.checks.static.channels import TELLS, correlations_with_target, unlike_eeg
from pfactor_bench.studies.sandbox import Failure
from pfactor_bench.studies.swaps import swap_channels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.checks.metamorphic.probe import Probe
    from pfactor_bench.checks.metamorphic.relation import Trial
    from pfactor_bench.types import Scalar

__all__: list[str] = []

#: There is skill at all; without a channel there is none.
_SKILL, _NONE = 0.01, 0.05
#: Channels that keep so much of it suffice; one without which less is left is needed.
_SUFFICES, _NEEDED = 0.9, 0.5


@check("LK111", kinds=(34,))
def skill_of_one_channel(study: Probe) -> Outcome:
    """Channels in place of EEG: one that is no electrode's, or that all skill rests on.

    How it is detected
    ------------------
    Channels that record no electrode (LK037) are swapped between held-out subjects. If predictions
    move, the model reads them: that fails where the channel's mean is the target, and is a warning
    where not. Then, if there is skill, half of the channels are swapped between all subjects, and
    half of those that suffice, until one is left. If it keeps nine tenths of the skill and nothing
    is left without it, that is a warning: look at what it records.

    Why it matters
    --------------
    Eye movement in a cued task, a hand's position or a trigger is easily stored as EEG, and tells
    more than any electrode. Its skill is not the brain's.

    How to fix it
    -------------
    Take out what is no electrode's, and report the skill of the channel alone and of all others.

    What it cannot see
    ------------------
    A proxy that several channels share, such as eye movement in all frontal electrodes.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L2; Breiman 2001 on permuted inputs,
    doi:10.1023/A:1010933404324.
    """
    if (obstacle := study.obstacle()) is not None:
        return obstacle
    used = _used(study, list(unlike_eeg(study.cohort)))
    if not used:
        return _of_one_electrode(study)
    r = dict(zip(study.cohort.ch_names, correlations_with_target(study.cohort), strict=True))
    evidence: list[dict[str, Scalar]] = [
        {"channel": name, "r": round(float(r[name]), 3), **evidence_of([trial], study)[0]}
        for name, trial in used.items()
    ]
    if targets := [name for name in used if abs(r[name]) >= TELLS]:
        return failed(
            f"predictions are made from channel {targets[0]!r}, whose mean is the target: "
            f"{describe([used[targets[0]]], study)}",
            evidence,
        )
    return warned(
        f"predictions are made from channel {next(iter(used))!r}, which records no electrode",
        evidence,
    )


def _used(study: Probe, channels: Sequence[str]) -> dict[str, Trial]:
    """Return which of some channels move predictions when held-out subjects swap them."""
    fold = max(study.folds, key=lambda one: len(one.held_out))
    if len(fold.held_out) == 1:
        return {}
    swapped = [
        (f"{name} swapped", swap_channels(study.cohort, [name], fold.held_out)) for name in channels
    ]
    trials = compare(study, fold, swapped)
    return {
        name: trial
        for name, trial in zip(channels, trials, strict=True)
        if trial.moved and trial.same_draws
    }


def _of_one_electrode(study: Probe) -> Outcome:
    """Say whether all skill rests on one channel, which is halved to find."""
    found = _Skill(study)
    if not found.told:
        return not_applicable("too few subjects are predicted for skill to be told from chance")
    r, p = found.without([])
    if p > _SKILL:
        return not_applicable(f"there is no skill that could rest on a channel (r = {r:.2f})")
    names = list(study.cohort.ch_names)
    kept = names
    while len(kept) > 1:
        halves = kept[::2], kept[1::2]
        left = [found.without([one for one in names if one not in half])[0] for half in halves]
        if max(left) < _SUFFICES * r:
            return passed(f"no half of {len(kept)} channels keeps the skill of r = {r:.2f}")
        kept = halves[int(np.argmax(left))]
    rest, p_rest = found.without(kept)
    if found.failure:
        return undecided(f"the study fails when channels are swapped: {found.failure}")
    if rest > _NEEDED * r or p_rest < _NONE:
        return passed(f"without {kept[0]!r} the skill is r = {rest:.2f}, with all r = {r:.2f}")
    return warned(
        f"the skill rests on channel {kept[0]!r} alone: r = {r:.2f} with it, {rest:.2f} without; "
        f"see that it records an electrode",
        [{"channel": kept[0], "r": round(r, 3), "r_without": round(rest, 3), "p": p_rest}],
    )


class _Skill:
    """Skill over subjects when some channels are swapped between all of them."""

    def __init__(self, study: Probe) -> None:
        self._study = study
        assert not isinstance(study.answer, Failure)  # noqa: S101 - callers ask for obstacles first
        self._names = sorted(predicted_by_subject(study, study.answer))
        self._groups = swappable(study.folds, self._names)
        self.failure = ""

    @property
    def told(self) -> bool:
        """Whether there are subjects enough to tell skill from chance."""
        orders = prod(factorial(min(len(group), 20)) for group in self._groups)
        return 1 / orders <= _SKILL

    def without(self, channels: Sequence[str]) -> tuple[float, float]:
        """Return r within folds, and its p; no skill where the study gives no such answer."""
        study, cohort = self._study, self._study.cohort
        all_subjects = sorted(set(cohort.subjects.tolist()))
        changed = swap_channels(cohort, channels, all_subjects) if channels else cohort
        (answer,) = study.ask([changed]) if channels else [study.answer]
        if isinstance(answer, Failure):
            self.failure = answer.reason
            return 0.0, 1.0
        predicted = predicted_by_subject(study, answer)
        if set(self._names) - set(predicted):
            return 0.0, 1.0
        return skill_within_folds(study, [predicted], self._names, self._groups)
