"""Checks of what only a declaration can tell: exclusions, seeds, uses of a test set, caches."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, passed, warned
from pfactor_bench.checks.engine.registry import check

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.types import Cohort, Scalar, Split

__all__ = ["exclusion_digest", "held_out_fingerprint"]

#: From so many different settings on, a test set has become a validation set.
_MANY_USES = 10


def exclusion_digest(excluded: Mapping[str, str]) -> str:
    """Return the sha256 of who is left out and why, to be written down before any result."""
    return hashlib.sha256(json.dumps(dict(sorted(excluded.items()))).encode()).hexdigest()


def held_out_fingerprint(cohort: Cohort, split: Split) -> str:
    """Return the sha256 of a cohort and of who is held out of it, the key of a ledger."""
    digest = hashlib.sha256(cohort.fingerprint.encode())
    for fold in split.folds:
        digest.update("\x1f".join(np.unique(cohort.subjects[fold.test]).tolist()).encode())
        digest.update(b"\x1e")
    return digest.hexdigest()


@check("LK013", kinds=(13,))
def exclusions_as_declared(cohort: Cohort, exclusions: Mapping[str, Any]) -> Outcome:
    """Compare who is left out with the list that was fixed before any result.

    How it is detected
    ------------------
    The manifest holds ``excluded`` (name to reason), its ``sha256`` as written down beforehand, and
    maybe ``all_subjects``. The hash must fit the list, nobody on it may be in the cohort, every
    reason must say something, and all other subjects must be there.

    Why it matters
    --------------
    Leaving out a few subjects after seeing how badly they are predicted improves any result.

    How to fix it
    -------------
    Decide on exclusions from the recordings alone, hash the list and register the hash.

    What it cannot see
    ------------------
    When the list was made: a hash is as old as the place where it is registered.

    Source
    ------
    Simmons et al. 2011, doi:10.1177/0956797611417632.
    """
    excluded: Mapping[str, str] = exclusions["excluded"]
    present = set(cohort.subjects.tolist())
    problems = [
        {"subject": name, "problem": "is on the list and in the cohort"}
        for name in sorted(present & set(excluded))
    ]
    problems += [
        {"subject": name, "problem": "is left out without a reason"}
        for name, reason in excluded.items()
        if not str(reason).strip()
    ]
    problems += [
        {"subject": name, "problem": "is missing and not on the list"}
        for name in sorted(set(exclusions.get("all_subjects", present)) - present - set(excluded))
    ]
    if exclusion_digest(excluded) != exclusions["sha256"]:
        return failed("the exclusion list is not the one whose hash was written down", problems)
    if problems:
        return failed(f"{len(problems)} subjects are not treated as the list says", problems)
    return passed(f"{len(excluded)} subjects are left out, as declared")


@check("LK019", kinds=(19,))
def all_seeds_reported(predictions: pd.DataFrame, declared_seeds: Sequence[int]) -> Outcome:
    """Find declared seeds without results, and results of undeclared seeds.

    How it is detected
    ------------------
    The seeds of the predictions, regime by regime, are compared with the declared ones.

    Why it matters
    --------------
    Training from five seeds and showing the best one is selection on the test set.

    How to fix it
    -------------
    Declare seeds before running, report each of them, and average over all.

    What it cannot see
    ------------------
    Seeds that were tried before the declaration.

    Source
    ------
    Bouthillier et al. 2021, arXiv:2103.03098.
    """
    if "seed" not in predictions.columns:
        return failed("the predictions do not say which seed they come from", [{"column": "seed"}])
    regimes = predictions["regime"] if "regime" in predictions.columns else "all"
    evidence: list[dict[str, Scalar]] = []
    for regime, rows in predictions.assign(_regime=regimes).groupby("_regime"):
        found, wanted = {int(seed) for seed in rows["seed"].unique()}, set(declared_seeds)
        evidence += [
            {"regime": str(regime), "seed": seed, "problem": problem}
            for seeds, problem in ((wanted - found, "missing"), (found - wanted, "not declared"))
            for seed in sorted(seeds)
        ]
    if evidence:
        return failed(f"{len(evidence)} seeds are missing or were not declared", evidence)
    return passed(f"all {len(declared_seeds)} declared seeds are reported")


@check("LK021", kinds=(21,), severity="weakness")
def test_set_worn_out(cohort: Cohort, split: Split, ledger: Sequence[Mapping[str, str]]) -> Outcome:
    """Count how many settings have been evaluated on the same held-out subjects.

    How it is detected
    ------------------
    A ledger has an entry ``{"held_out": fingerprint, "setting": hash}`` for each evaluation.
    Different settings evaluated on these held-out subjects are counted; 10 or more are a warning.

    Why it matters
    --------------
    Every evaluation on a test set that leads to a change turns it a little into a validation set.

    How to fix it
    -------------
    Develop on validation subjects, and keep subjects whom nobody has looked at for the last run.

    What it cannot see
    ------------------
    Evaluations that are not entered, such as those of other groups at a public data set.

    Source
    ------
    Dwork et al. 2015, doi:10.1126/science.aaa9375.
    """
    mine = held_out_fingerprint(cohort, split)
    settings = {entry["setting"] for entry in ledger if entry["held_out"] == mine}
    if len(settings) >= _MANY_USES:
        return warned(
            f"{len(settings)} settings have been evaluated on these held-out subjects",
            [{"setting": setting} for setting in sorted(settings)],
        )
    return passed(f"{len(settings)} settings have been evaluated on these held-out subjects")


@check("LK028", kinds=(28,))
def artefacts_of_this_cohort(cohort: Cohort, artefacts: Mapping[str, str]) -> Outcome:
    """Find stored artefacts that were made from another cohort.

    How it is detected
    ------------------
    Each artefact (features, splits, weights, predictions) states the fingerprint of the cohort it
    was made from, which must be this cohort's.

    Why it matters
    --------------
    A cache that outlives a change of data or split brings back numbers of another experiment, or
    subjects who are now held out.

    How to fix it
    -------------
    Put the cohort's fingerprint into the key of every cache, and delete what does not fit.

    What it cannot see
    ------------------
    Artefacts that state no fingerprint; LK106 sees predictions that do not follow the data.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804.
    """
    stale = [
        {"artefact": name, "made_from": fingerprint[:12], "cohort": cohort.fingerprint[:12]}
        for name, fingerprint in artefacts.items()
        if fingerprint != cohort.fingerprint
    ]
    if stale:
        return failed(f"{len(stale)} of {len(artefacts)} artefacts are of other data", stale)
    return passed(f"{len(artefacts)} artefacts were made from this cohort")
