"""The audit: run every check that applies to a target, and say what follows."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pfactor_bench.auditing.artefacts import available_artefacts
from pfactor_bench.auditing.targets import find_target
from pfactor_bench.checks import run_checks
from pfactor_bench.checks.engine.effort import DEFAULT, QUICK, THOROUGH, Effort
from pfactor_bench.checks.metamorphic.probe import Probe
from pfactor_bench.errors import StudyError
from pfactor_bench.splits.splitters import grouped_k_fold, last_subjects, random_windows
from pfactor_bench.studies.adapters import estimator_study, model_study, regime_study
from pfactor_bench.studies.harness import asker
from pfactor_bench.studies.inner_splits import record_inner_splits
from pfactor_bench.studies.network import question_network
from pfactor_bench.studies.sandbox import Failure, Limits
from pfactor_bench.studies.study_splits import record_study_splits
from pfactor_bench.types import Budget, Case, ModelSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pandas as pd

    from pfactor_bench.auditing.targets import Kind, Target
    from pfactor_bench.splits.splitters import Splitter
    from pfactor_bench.studies.contract import Answer, Study
    from pfactor_bench.types import Cohort, Finding

__all__ = ["DEFAULT", "QUICK", "THOROUGH", "Audit", "Effort", "audit"]

SCHEMA_VERSION = 1

AuditVerdict: TypeAlias = Literal["clean", "leaky", "inconclusive"]

_EXIT_CODES: dict[AuditVerdict, int] = {"clean": 0, "leaky": 1, "inconclusive": 3}

#: What a model is trained with while it is audited: the case study's budget.
_BUDGET = Budget(epochs=4)

#: How people are held out where the audit decides.
_SPLIT_HERE: dict[Kind, Splitter] = {
    "model": last_subjects(),
    "regime": last_subjects(),
    "estimator": grouped_k_fold(n_folds=3),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Audit:
    """What an audit found.

    Parameters
    ----------
    target, kind
        What was audited: its name, and whether it is a study, a model, an estimator or a table.
    cohort, fingerprint
        Name and fingerprint of the cohort it was audited on.
    seed
        Of the study and of all changes: the same seed repeats the audit.
    n_runs
        How often the target was run.
    findings
        One per check, in the order of their codes.
    """

    target: str
    kind: str
    cohort: str
    fingerprint: str
    seed: int
    n_runs: int
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> AuditVerdict:
        """``leaky`` if a check failed, ``inconclusive`` if one could not decide, else ``clean``.

        Clean means that none of the checks that applied found a leak, not that there is none.
        """
        statuses = {finding.status for finding in self.findings}
        if "fail" in statuses:
            return "leaky"
        return "inconclusive" if "error" in statuses else "clean"

    @property
    def exit_code(self) -> int:
        """0 clean, 1 leaky, 3 inconclusive; 2 is left for input that cannot be audited."""
        return _EXIT_CODES[self.verdict]

    def to_dict(self) -> dict[str, Any]:
        """Return the audit as plain values."""
        return {
            "schema_version": SCHEMA_VERSION,
            "target": self.target,
            "kind": self.kind,
            "cohort": self.cohort,
            "fingerprint": self.fingerprint,
            "seed": self.seed,
            "n_runs": self.n_runs,
            "verdict": self.verdict,
            "exit_code": self.exit_code,
            "findings": [asdict(finding) for finding in self.findings],
        }

    def to_json(self) -> str:
        """Return the audit as JSON."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def audit(
    target: object,
    cohort: Cohort | None = None,
    *,
    budget: Effort = DEFAULT,
    only: Iterable[str] | None = None,
    timeout: float | None = None,
    seed: int = 0,
    claims: Mapping[str, Any] | None = None,
    on_finding: Callable[[Finding], object] = lambda _finding: None,
) -> Audit:
    """Audit somebody's study, model, estimator or saved predictions for leaks.

    The target runs in processes of its own. They are handed cohorts and hand back predictions;
    true scores, comparisons and the verdict stay here.

    Parameters
    ----------
    target
        A study, a model factory, a scikit-learn regressor, a DataFrame of predictions, or where to
        find one: ``"path/file.py:study"``, ``"package.module:factory"``, ``"predictions.csv"``, or
        the name of a braindecode model.
    cohort
        What to audit it on; by default the case study's synthetic cohort.
    budget
        `QUICK`, `DEFAULT` or `THOROUGH`: how often the target may be run.
    only
        Codes of the checks to run; the others are reported as skipped.
    timeout
        Seconds that one run of the target may take; by default ten minutes.
    seed
        Handed to the target, and of all changes.
    claims
        What is claimed of saved predictions: metric to value, and maybe ``seeds`` and ``saliency``.
    on_finding
        Called with each finding as soon as there is one.

    Returns
    -------
    Audit

    Raises
    ------
    StudyError
        If there is no such target, it cannot be imported, its table breaks the contract, claims
        are made of something else than saved predictions, or the timeout leaves no time.
    UnknownNameError
        If `only` names a check that does not exist.
    """
    if timeout is not None and not timeout > 0:
        raise StudyError(f"timeout is {timeout!r}: give the seconds that a run may take, above 0")
    if cohort is None:
        from pfactor_bench.cohorts.synthetic import synthetic

        cohort = synthetic()
    limits = Limits() if timeout is None else Limits(seconds=timeout)
    found = find_target(target, limits)
    available: dict[str, object]
    if found.kind == "predictions":
        available, probe = available_artefacts(found.load(), cohort, claims or {}), None
    elif claims:
        raise StudyError(
            f"claims are compared with saved predictions, and {found.name!r} is a {found.kind}: "
            f"save what it predicts and audit the table"
        )
    else:
        available, probe = _available(found, cohort, budget, limits, seed)
    findings = run_checks(available, only=only, on_finding=on_finding)
    return Audit(
        target=found.name,
        kind=found.kind,
        cohort=cohort.name,
        fingerprint=cohort.fingerprint,
        seed=seed,
        n_runs=0 if probe is None else probe.n_runs,
        findings=findings,
    )


def _available(
    target: Target, cohort: Cohort, effort: Effort, limits: Limits, seed: int
) -> tuple[dict[str, object], Probe]:
    """Return what the checks can look at when a target can be run."""
    probe = Probe(asker(_study(target), seed=seed, limits=limits), cohort, effort, seed)
    available: dict[str, object] = {"cohort": cohort, "study": probe}
    if not isinstance(probe.answer, Failure):
        available["split"] = probe.answer.stated_split()
        available["predictions"] = _predictions(probe.answer, cohort)
    if target.kind in {"model", "regime"}:
        available["model"] = question_network(target.load, cohort, limits)
    if target.kind in _SPLIT_HERE:
        available["paired"] = partial(
            _by_person_and_by_window, target, cohort, effort, limits, seed
        )
    if target.kind == "estimator":
        fold = grouped_k_fold(n_folds=3)(cohort.subjects).folds[0]
        splits = record_inner_splits(target.load, cohort, fold, seed, limits)
        # An estimator that makes no splits has none to be checked.
        available["inner_splits"] = splits or None
    if target.kind == "study" and not isinstance(probe.answer, Failure):
        splits = record_study_splits(_study(target), cohort, seed, limits)
        available["inner_splits"] = splits or None
    return available, probe


def _study(target: Target) -> Study:
    """Return the target as a study; models and estimators are trained on people."""
    if target.kind in _SPLIT_HERE:
        return _study_on(target, _SPLIT_HERE[target.kind])

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        table: pd.DataFrame = target.load()(cohort, seed=seed)
        return table

    return study


def _study_on(target: Target, splitter: Splitter) -> Study:
    """Return a model or an estimator as a study on a split of the audit's choice."""
    if target.kind == "regime":
        target.load()  # an unknown name is refused before anything runs
        case = Case(regime="from-scratch", model=ModelSpec(name=target.name), seed=0)
        return regime_study(case, lambda cohort: splitter(cohort.subjects), _BUDGET)
    if target.kind == "model":
        return model_study(target.load, splitter, _BUDGET)
    return estimator_study(target.load, splitter)


def _by_person_and_by_window(
    target: Target, cohort: Cohort, effort: Effort, limits: Limits, seed: int
) -> tuple[Answer | Failure, Answer | Failure] | None:
    """Train a target on people and on windows held out; None where the effort allows for none."""
    if not effort.paired_folds:
        return None
    rules = (
        grouped_k_fold(n_folds=effort.paired_folds),
        random_windows(n_folds=effort.paired_folds),
    )
    clean, leaky = (
        asker(_study_on(target, rule), seed=seed, limits=limits)([cohort])[0] for rule in rules
    )
    return clean, leaky


def _predictions(answer: Answer, cohort: Cohort) -> pd.DataFrame:
    """Return an answer as the contract's table."""
    import pandas as pd

    names = cohort.table["sample_id"].to_numpy()
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "sample_id": names[fold.positions],
                    "fold": fold.name,
                    "role": "test",
                    "y_pred": fold.y_pred,
                }
            )
            for fold in answer.folds
        ],
        ignore_index=True,
    )
