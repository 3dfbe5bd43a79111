"""The audit: run every check that applies to a target, and say what follows."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pfactor_bench.auditing.artefacts import available_artefacts
from pfactor_bench.auditing.cohorts import cohort_of
from pfactor_bench.auditing.columns import find_columns
from pfactor_bench.auditing.placing import place_predictions
from pfactor_bench.auditing.progress import watched_audit
from pfactor_bench.auditing.result import Audit
from pfactor_bench.auditing.targets import find_target
from pfactor_bench.checks import run_checks
from pfactor_bench.checks.engine.effort import DEFAULT, QUICK, THOROUGH, Effort, effort_of
from pfactor_bench.checks.metamorphic.probe import Probe
from pfactor_bench.config.declared import read_exclusions
from pfactor_bench.errors import StudyError
from pfactor_bench.splits.splitters import grouped_k_fold, last_subjects, random_windows
from pfactor_bench.studies.adapters import estimator_study, model_study, regime_study
from pfactor_bench.studies.harness import Runner
from pfactor_bench.studies.inner_splits import record_inner_splits
from pfactor_bench.studies.network import question_network
from pfactor_bench.studies.replay import replay_subjects
from pfactor_bench.studies.sandbox import Failure, Limits
from pfactor_bench.studies.study_splits import record_study
from pfactor_bench.types import Budget, Case, ModelSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pandas as pd

    from pfactor_bench.auditing.targets import Kind, Target
    from pfactor_bench.splits.splitters import Splitter
    from pfactor_bench.studies.contract import Answer, Study
    from pfactor_bench.types import Cohort, Finding

__all__ = ["DEFAULT", "QUICK", "THOROUGH", "Effort", "audit"]


#: What a model is trained with while it is audited: the case study's budget.
_BUDGET = Budget(epochs=4)

#: How subjects are held out where the audit decides.
_SPLIT_HERE: dict[Kind, Splitter] = {
    "model": last_subjects(),
    "regime": last_subjects(),
    "estimator": grouped_k_fold(n_folds=3),
}


def audit(
    audited: object,
    cohort: object = None,
    /,
    *,
    target: str | None = None,
    data_dir: Path | str | None = None,
    effort: Effort | str = "default",
    only: Iterable[str] | None = None,
    timeout: float | None = None,
    seed: int = 0,
    claims: Mapping[str, Any] | None = None,
    columns: Mapping[str, str] | None = None,
    declare: Path | str | None = None,
    on_finding: Callable[[Finding], object] = lambda _finding: None,
    progress: bool = True,
) -> Audit:
    """Audit someone's study, model, estimator or saved predictions for leaks.

    The target runs in processes of its own. They are handed cohorts and hand back predictions;
    true targets, comparisons and the verdict stay here.

    Parameters
    ----------
    audited
        A study, a model factory, a scikit-learn regressor, predictions (a DataFrame or an array),
        or where to find one: ``"path/file.py:study"``, ``"package.module:factory"``,
        ``"predictions.csv"``, or the name of a braindecode model.
    cohort
        What to audit it on: a `Cohort`, the name of one, a suite's file, or a braindecode data set
        of windows; by default the case study's synthetic cohort.
    target
        Of braindecode's windows, the entry of their descriptions that is to be predicted.
    data_dir
        The folder of the data, where the cohort is given by name.
    effort
        ``"quick"``, ``"default"``, ``"thorough"`` or an `Effort`: how often it may be run.
    only
        Codes of the checks to run; the others are reported as skipped.
    timeout
        Seconds that one run of the target may take; by default ten minutes.
    seed
        Handed to the target, and of all changes.
    claims
        What is claimed of saved predictions: metric to value, and maybe ``seeds`` and ``saliency``.
    columns
        Of saved predictions, such as ``{"y_pred": "prediction"}``; others are found by their names.
    declare
        A file of declarations, such as who was to be left out: see `pfactor_bench.config.declared`.
    on_finding
        Called with each finding as soon as there is one.
    progress
        Whether a line on standard error tells how far it is, in a terminal or a notebook.

    Returns
    -------
    Audit

    Raises
    ------
    StudyError
        If there is no such target, it cannot be imported, its table breaks the contract, claims
        are made of something else than saved predictions, or the timeout leaves no time.
    CohortError, ConfigError
        If the cohort cannot be loaded or made.
    UnknownNameError
        If `only` names a check that does not exist, or `effort` no effort.
    """
    if timeout is not None and not timeout > 0:
        raise StudyError(f"timeout is {timeout!r}: give the seconds that a run may take, above 0")
    effort = effort_of(effort)
    exclusions = None if declare is None else read_exclusions(Path(declare))
    limits = Limits() if timeout is None else Limits(seconds=timeout)
    found = find_target(audited, limits)
    _refuse_for_others(found, {"claims": claims, "columns": columns})
    if found.kind == "predictions":
        find_columns(found.load(), columns or {})  # refused before a cohort is loaded
    cohort = cohort_of(cohort, target=target, data_dir=data_dir)
    available: dict[str, object]
    notes: tuple[str, ...] = ()
    with watched_audit(found.name, on_finding, wanted=progress) as tell:
        if found.kind == "predictions":
            table, note = place_predictions(found.load(), cohort, columns or {})
            available, probe = available_artefacts(table, cohort, claims or {}), None
            notes = (note,)
        else:
            available, probe = _available(found, cohort, effort, limits, seed)
        available["exclusions"] = exclusions
        findings = run_checks(available, only=only, on_finding=tell)
    return Audit(
        target=found.name,
        kind=found.kind,
        cohort=cohort.name,
        fingerprint=cohort.fingerprint,
        seed=seed,
        n_runs=0 if probe is None else probe.n_runs,
        findings=findings,
        notes=notes,
    )


def _refuse_for_others(target: Target, said: Mapping[str, object]) -> None:
    """Refuse what can be said of saved predictions only, of any other target."""
    for name, value in said.items():
        if value and target.kind != "predictions":
            raise StudyError(
                f"{name} are those of saved predictions, and {target.name!r} is a {target.kind}: "
                f"save what it predicts and audit the table"
            )


def _available(
    target: Target, cohort: Cohort, effort: Effort, limits: Limits, seed: int
) -> tuple[dict[str, object], Probe]:
    """Return what the checks can look at when a target can be run."""
    runner = Runner(_study(target), seed=seed, limits=limits)
    probe = Probe(runner, cohort, effort, seed, declared=target.declared)
    available: dict[str, object] = {
        "cohort": cohort,
        "study": probe,
        "inputs": target.declared.inputs or None,
    }
    if not isinstance(probe.answer, Failure):
        available["split"] = probe.answer.stated_split()
        available["predictions"] = _predictions(probe.answer, cohort)
    if target.kind in {"model", "regime"}:
        available["model"] = question_network(target.load, cohort, limits)
    if target.kind in _SPLIT_HERE:
        available["paired"] = partial(
            _by_subject_and_by_window, target, cohort, effort, limits, seed
        )
    if target.kind == "estimator":
        fold = grouped_k_fold(n_folds=3)(cohort.subjects).folds[0]
        splits = record_inner_splits(target.load, cohort, fold, seed, limits)
        # An estimator that makes no splits has none to be checked.
        available["inner_splits"] = splits or None
        available["replayed"] = replay_subjects(target.load, cohort, fold, seed, limits)
    if target.kind == "study" and not isinstance(probe.answer, Failure):
        recorded = record_study(_study(target), cohort, seed, limits)
        available["inner_splits"] = recorded.splits or None
        available["fits"] = recorded.fits or None
    return available, probe


def _study(target: Target) -> Study:
    """Return the target as a study; models and estimators are trained on subjects."""
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


def _by_subject_and_by_window(
    target: Target, cohort: Cohort, effort: Effort, limits: Limits, seed: int
) -> tuple[Answer | Failure, Answer | Failure] | None:
    """Train a target on subjects and on windows held out; None where the effort allows for none."""
    if not effort.paired_folds:
        return None
    rules = (
        grouped_k_fold(n_folds=effort.paired_folds),
        random_windows(n_folds=effort.paired_folds),
    )
    clean, leaky = (
        Runner(_study_on(target, rule), seed=seed, limits=limits)([cohort])[0] for rule in rules
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
