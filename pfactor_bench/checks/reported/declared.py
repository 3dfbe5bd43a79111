"""Checks of what was written down: exclusions, seeds, evaluations, whose predictions they are."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, passed, warned
from pfactor_bench.checks.engine.registry import check

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.config.declared import Exclusions
    from pfactor_bench.types import Cohort, Scalar, Split

__all__ = ["held_out_fingerprint"]

#: From so many different settings on, a test set has become a validation set.
_MANY_USES = 10


def held_out_fingerprint(cohort: Cohort, split: Split) -> str:
    """Return the sha256 of a cohort and of who is held out of it, the key of a ledger."""
    digest = hashlib.sha256(cohort.fingerprint.encode())
    for fold in split.folds:
        digest.update("\x1f".join(np.unique(cohort.subjects[fold.test]).tolist()).encode())
        digest.update(b"\x1e")
    return digest.hexdigest()


@check("LK013", kinds=(13,))
def exclusions_as_declared(cohort: Cohort, exclusions: Exclusions) -> Outcome:
    """Exclusions: who is left out against the list that was fixed before any result.

    How it is detected
    ------------------
    `--declare FILE` names who is `excluded` and why, the `sha256` of that list as written down
    beforehand, and maybe `all_subjects`. The hash must fit the list, nobody on it may be in the
    cohort, every reason must say something, and all other subjects must be there.

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
    excluded, present = exclusions.excluded, set(cohort.subjects.tolist())
    if exclusions.digest != exclusions.sha256:
        return failed(
            "the exclusion list is not the one whose hash was written down",
            [{"sha256": exclusions.digest, "written_down": exclusions.sha256}],
        )
    problems: list[dict[str, Scalar]] = [
        {"subject": name, "problem": "is on the list and in the cohort"}
        for name in sorted(present & set(excluded))
    ]
    problems += [
        {"subject": name, "problem": "is left out without a reason"}
        for name, reason in excluded.items()
        if not reason.strip()
    ]
    problems += [
        {"subject": name, "problem": "is missing and not on the list"}
        for name in sorted(set(exclusions.all_subjects) - present - set(excluded))
    ]
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
def test_set_reuse(cohort: Cohort, split: Split, ledger: Sequence[Mapping[str, str]]) -> Outcome:
    """Test-set reuse: how many settings have been evaluated on the same held-out subjects.

    How it is detected
    ------------------
    Every run of a suite adds a line to `evaluations.jsonl` in its report's folder: who was held
    out, and a hash of all that the suite trains. Different settings evaluated on these held-out
    subjects are counted; 10 or more are a warning.

    Why it matters
    --------------
    Every evaluation on a test set that leads to a change turns it a little into a validation set.

    How to fix it
    -------------
    Develop on validation subjects, and keep subjects that nobody has evaluated on for the last run.

    What it cannot see
    ------------------
    Evaluations that left no line: in another folder, by other code, or by other groups on a public
    data set.

    Source
    ------
    Dwork et al. 2015, doi:10.1126/science.aaa9375.
    """
    mine = held_out_fingerprint(cohort, split)
    settings = sorted({entry["setting"] for entry in ledger if entry["held_out"] == mine})
    said = f"settings evaluated on these held-out subjects: {len(settings)}"
    if len(settings) >= _MANY_USES:
        return warned(said, [{"setting": setting} for setting in settings])
    return passed(said)


@check("LK028", kinds=(28, 36))
def predictions_of_this_cohort(cohort: Cohort, made_from: Sequence[str]) -> Outcome:
    """Stale predictions: those that were made from another state of the cohort.

    How it is detected
    ------------------
    Saved predictions name the cohort that they were made from in a column `fingerprint`, as a run's
    `predictions.parquet` does: the sha256 over its content, targets included. It must be the
    fingerprint of the cohort that they are audited on.

    Why it matters
    --------------
    Predictions that outlive a change of targets, signal or subjects belong to another experiment,
    and no number that is computed from both is true of either.

    How to fix it
    -------------
    Predict again from the cohort as it is now, and keep its fingerprint beside whatever is stored.

    What it cannot see
    ------------------
    Tables without the column. Of a re-executable study LK106 and LK109 see whether its
    predictions follow the data.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804.
    """
    stale = [
        {"made_from": one[:12], "cohort": cohort.fingerprint[:12]}
        for one in made_from
        if one != cohort.fingerprint
    ]
    if stale:
        return failed("the predictions were made from another state of the cohort", stale)
    return passed("the predictions were made from this very cohort")
