"""Static checks of who subjects are: other names, and who took part in pretraining."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, passed, undecided, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.checks.static.near_duplicates import window_digests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.types import Cohort, Scalar, Split

__all__ = ["canonical_name"]


@check("LK004", kinds=(4,))
def two_names(cohort: Cohort, split: Split) -> Outcome:
    """Find subjects who stand in train and test under two names.

    How it is detected
    ------------------
    Names are brought to one form (case, a leading ``sub-``, leading zeros, and endings such as
    ``_mini`` or ``_r2`` are dropped), and windows are hashed. Two names of one form, or with one
    window in common, are one subject; across the split that fails, elsewhere it warns.

    Why it matters
    --------------
    When releases or subsets are merged, one subject may arrive twice. The split by name is then no
    split by subject.

    How to fix it
    -------------
    Map all names to one identifier per subject before the split, and drop the copy.

    What it cannot see
    ------------------
    One subject recorded twice under unrelated names.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L1.4.
    """
    names = np.unique(cohort.subjects)
    groups = _same_subject(cohort, names)
    subject = np.searchsorted(names, cohort.subjects)
    evidence: list[dict[str, Scalar]] = []
    for fold in split.folds:
        train, test = np.unique(subject[fold.train]), np.unique(subject[fold.test])
        evidence += [
            {"fold": fold.name, "held_out": str(names[one]), "trained_on": str(names[other])}
            for one in test
            for other in train[groups[train] == groups[one]]
            if one != other
        ]
    if evidence:
        return failed(
            f"{len(evidence)} held-out subjects are trained on under another name", evidence
        )
    twice = names[np.bincount(groups)[groups] > 1]
    if len(twice):
        return warned(
            f"{len(twice)} names look like subjects who are there twice, on one side of the split",
            [{"subject": str(name)} for name in twice],
        )
    return passed(f"{len(names)} names are {len(names)} subjects")


@check("LK022", kinds=(22,))
def pretrained_on_held_out(
    cohort: Cohort, split: Split, pretraining: Mapping[str, Mapping[str, Any]]
) -> Outcome:
    """Find held-out subjects among those that an encoder was pretrained on.

    How it is detected
    ------------------
    Each fold's pretraining manifest lists its ``subjects``; both lists are brought to one form of
    name and intersected with the subjects held out in that fold.

    Why it matters
    --------------
    An encoder that has seen a held-out subject, even without the target, fits that subject better
    than it will fit a stranger.

    How to fix it
    -------------
    Pretrain on other subjects, or anew in each fold on subjects outside it.

    What it cannot see
    ------------------
    Subjects whom the manifest does not list. An encoder without a manifest cannot be checked at
    all.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L1.
    """
    evidence: list[dict[str, Scalar]] = []
    for fold in split.folds:
        if fold.name not in pretraining:
            return undecided(f"the pretraining manifest says nothing about {fold.name!r}")
        seen = {canonical_name(str(name)) for name in pretraining[fold.name]["subjects"]}
        evidence += [
            {"fold": fold.name, "subject": str(name)}
            for name in np.unique(cohort.subjects[fold.test])
            if canonical_name(str(name)) in seen
        ]
    if evidence:
        return failed(f"{len(evidence)} held-out subjects took part in pretraining", evidence)
    return passed("nobody held out took part in pretraining")


def canonical_name(name: str) -> str:
    """Return a subject's name without what releases and subsets add to it."""
    name = re.sub(r"^sub[-_]?", "", name.strip().casefold())
    name = re.sub(r"[-_](mini|full|copy|r\d+|release[-_]?\d+)$", "", name)
    return name.lstrip("0") or "0"


def _same_subject(cohort: Cohort, names: NDArray[np.str_]) -> NDArray[np.int64]:
    """Return a number per name, equal for names that mean one subject."""
    groups = {name: name for name in names.tolist()}

    def root(name: str) -> str:
        while groups[name] != name:
            name = groups[name]
        return name

    first: dict[str, str] = {}
    marks = [(f"name {canonical_name(name)}", name) for name in names.tolist()]
    digests = window_digests(cohort)
    marks += [
        (digest, name)
        for digest, name in zip(digests, cohort.subjects.tolist(), strict=True)
        if digest
    ]
    for mark, name in marks:
        groups[root(name)] = root(first.setdefault(mark, name))
    _, numbers = np.unique([root(name) for name in names.tolist()], return_inverse=True)
    return numbers.astype(np.int64)
