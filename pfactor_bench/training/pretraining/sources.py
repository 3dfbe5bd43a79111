"""Source tasks: what an encoder is pretrained on, and on whom.

A kind of source task is one registered function from the declared task to windows with labels. To
add one, write such a function and register it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # pydantic reads the annotations of what a suite holds
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from pfactor_bench.errors import ConfigError
from pfactor_bench.registry import Registry
from pfactor_bench.types import Budget, Ingredient  # the same

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pfactor_bench.types import Cohort, Split

    #: Loads the source's cohort, some of its arguments replaced.
    LoadCohort: TypeAlias = Callable[..., Cohort]

#: Who of the source is trained on: every subject, or in each fold those whom it does not hold out.
Subjects: TypeAlias = Literal["all", "outside-fold"]

#: What the encoder learns: a number, or which of two tasks a window is from.
Label: TypeAlias = Literal["target", "task"]

_MAX_NAMES = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceTask:
    """A task to pretrain on, as a suite declares it.

    Parameters
    ----------
    kind
        What is learnt from it, a name in `SOURCES`.
    cohort
        Its own cohort.
    budget, seed
        Of pretraining.
    tasks
        The two tasks to tell apart, for kind ``"tasks"``.
    subjects
        ``"all"``, or ``"outside-fold"``: one encoder per fold, made from those whom the fold does
        not hold out, for a source of the very subjects that are studied.
    allow_shared_subjects
        Whether subjects may be pretrained on and held out all the same, to measure what it gains.
    """

    kind: str
    cohort: Ingredient
    budget: Budget
    seed: int = 0
    tasks: tuple[str, ...] = ()
    subjects: Subjects = "all"
    allow_shared_subjects: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredEncoder:
    """An encoder made elsewhere.

    Parameters
    ----------
    path
        A safetensors file with its manifest beside it.
    allow_shared_subjects
        Whether subjects may be pretrained on and held out all the same, to measure what it gains.
    """

    path: Path
    allow_shared_subjects: bool = False


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SourceWindows:
    """The windows of a source task with what is learnt from each.

    Parameters
    ----------
    X
        Float32, shape ``(n_windows, n_chans, n_times)``.
    y
        The subject's target, or 0 and 1 for the two tasks, float64, shape ``(n_windows,)``.
    label
        Which of the two it is.
    subjects
        Shape ``(n_windows,)``.
    sfreq, ch_names, unit
        As in `pfactor_bench.types.Cohort`.
    fingerprint
        Of the cohorts that they come from.
    """

    X: NDArray[np.float32]
    y: NDArray[np.float64]
    label: Label
    subjects: NDArray[np.str_]
    sfreq: float
    ch_names: tuple[str, ...]
    unit: str
    fingerprint: str


#: Makers of source windows.
SOURCES: Registry[Callable[[SourceTask, LoadCohort], SourceWindows]] = Registry("source")


@SOURCES.register("target")
def target_source(task: SourceTask, load: LoadCohort) -> SourceWindows:
    """Predict the source cohort's own target."""
    if task.tasks:
        raise ConfigError(
            f"source 'target' names tasks {list(task.tasks)!r}: leave them out, or use kind 'tasks'"
        )
    cohort = load()
    return SourceWindows(
        X=cohort.X,
        y=cohort.y,
        label="target",
        subjects=cohort.subjects,
        sfreq=cohort.sfreq,
        ch_names=cohort.ch_names,
        unit=cohort.unit,
        fingerprint=cohort.fingerprint,
    )


@SOURCES.register("tasks")
def tasks_source(task: SourceTask, load: LoadCohort) -> SourceWindows:
    """Tell windows of one task from windows of another, such as rest from arithmetic.

    The cohort is loaded once for each task; the targets that it is loaded with are not used.
    """
    if len(task.tasks) != 2 or task.tasks[0] == task.tasks[1]:  # noqa: PLR2004 - a contrast
        raise ConfigError(
            f"source 'tasks' names tasks {list(task.tasks)!r}: give two, such as "
            f"'tasks: [rest, arithmetic]'"
        )
    first, second = [load(task=name) for name in task.tasks]
    return SourceWindows(
        X=np.concatenate([first.X, second.X]),
        y=np.repeat([0.0, 1.0], [len(first.X), len(second.X)]),
        label="task",
        subjects=np.concatenate([first.subjects, second.subjects]),
        sfreq=first.sfreq,
        ch_names=first.ch_names,
        unit=first.unit,
        fingerprint=f"{first.fingerprint}+{second.fingerprint}",
    )


def check_windows_fit(windows: SourceWindows, cohort: Cohort) -> None:
    """Refuse a source whose windows are not of the target's kind.

    Raises
    ------
    ConfigError
        If channels, samples, rate or unit differ: an encoder's filters would mean something else.
    """
    pairs = {
        "channels": (list(windows.ch_names), list(cohort.ch_names)),
        "samples per window": (windows.X.shape[2], cohort.X.shape[2]),
        "sampling rate in Hz": (windows.sfreq, cohort.sfreq),
        "unit": (windows.unit, cohort.unit),
    }
    for what, (of_source, of_cohort) in pairs.items():
        if of_source != of_cohort:
            raise ConfigError(
                f"the source's {what} {of_source!r} differ from the cohort's {of_cohort!r}: an "
                f"encoder fits windows of one kind; prepare both alike"
            )


def subjects_for_fold(
    task: SourceTask, windows: SourceWindows, held_out: NDArray[np.str_]
) -> NDArray[np.str_]:
    """Return whom a fold's encoder is pretrained on, sorted.

    Parameters
    ----------
    task, windows
        The source.
    held_out
        The subjects that the fold holds out.

    Raises
    ------
    ConfigError
        If nobody is left.
    """
    subjects: NDArray[np.str_] = np.unique(windows.subjects)
    if task.subjects == "outside-fold":
        subjects = subjects[~np.isin(subjects, held_out)]
    if not len(subjects):
        raise ConfigError("the fold holds out every subject in the source: nobody to pretrain on")
    return subjects


def refuse_shared_subjects(
    subjects: NDArray[np.str_], cohort: Cohort, split: Split, *, fold_name: str
) -> None:
    """Refuse an encoder that was pretrained on subjects whom a fold holds out.

    Raises
    ------
    ConfigError
        With their names and what to do.
    """
    fold = next(fold for fold in split.folds if fold.name == fold_name)
    shared = np.intersect1d(subjects, cohort.subjects[fold.test])
    if len(shared):
        more = " …" if len(shared) > _MAX_NAMES else ""
        raise ConfigError(
            f"the source shares {len(shared)} subjects with those held out in {fold_name} "
            f"({', '.join(shared[:_MAX_NAMES])}{more}): an encoder that has seen them is not "
            f"tested on strangers. Set 'subjects: outside-fold', take other subjects, or say "
            f"'allow_shared_subjects: true' to measure what the leak gains"
        )
