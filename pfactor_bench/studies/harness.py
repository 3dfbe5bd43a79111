"""Studies run in processes of their own, their answers checked in this one."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

from pfactor_bench.errors import StudyError
from pfactor_bench.studies.contract import read_answer, table_columns
from pfactor_bench.studies.footprint import Footprint, leaving_nothing
from pfactor_bench.studies.randomness import Streams
from pfactor_bench.studies.sandbox import Failure, run_jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pfactor_bench.studies.contract import Answer, Study
    from pfactor_bench.studies.sandbox import Limits
    from pfactor_bench.types import Cohort

__all__ = ["Runner", "heavy_modules", "to_json", "warm"]

#: Importing from these takes seconds: what a target has imported is imported here as well, before
#: further forks. They load most of their submodules late, so that their names alone save little.
_HEAVY = frozenset(
    {"braindecode", "joblib", "mne", "pandas", "scipy", "sklearn", "skorch", "torch"}
)


class Runner:
    """Runs a study on cohorts, each time in a process that knows of no other run.

    Files that a run creates are removed after it. Once a run has created some, the others are run
    one after the other, so that none meets another's.

    Parameters
    ----------
    study
        As in the contract.
    seed
        Handed to it, the same every time.
    limits
        What each run may use.
    """

    def __init__(self, study: Study, *, seed: int, limits: Limits) -> None:
        self._study = study
        self._seed = seed
        self._limits = limits
        self._leaves_files = False

    def __call__(
        self, cohorts: Sequence[Cohort], *, salts: Sequence[int] = ()
    ) -> list[Answer | Failure]:
        """Return an answer or a failure for each cohort; nothing that the study does is raised.

        Parameters
        ----------
        cohorts
            What to run it on.
        salts
            Mixed into every seed that the study gives, one for each cohort, see
            `pfactor_bench.studies.randomness`; none leaves the seeds as they are.
        """
        jobs = [
            partial(_run_study, self._study, [cohort], self._seed, salt)
            for cohort, salt in zip(cohorts, salts or [0] * len(cohorts), strict=True)
        ]
        if not self._leaves_files:
            together = self._answers(jobs, [[cohort] for cohort in cohorts])
            # What one of several has left, another may have read.
            if self._found_no_files() or len(jobs) == 1:
                return [one for [one] in together]
        return [
            one
            for job, cohort in zip(jobs, cohorts, strict=True)
            for [one] in self._answers([job], [[cohort]])
        ]

    def _found_no_files(self) -> bool:
        return not self._leaves_files

    def in_one_process(self, cohorts: Sequence[Cohort]) -> list[Answer | Failure]:
        """Return the answers of runs that follow each other where each meets what others left."""
        job = partial(_run_study, self._study, cohorts, self._seed, 0)
        (answers,) = self._answers([job], [cohorts])
        return answers

    def _answers(
        self, jobs: Sequence[Callable[[], bytes]], cohorts: Sequence[Sequence[Cohort]]
    ) -> list[list[Answer | Failure]]:
        """Run jobs side by side and read their answers."""
        found: list[list[Answer | Failure]] = []
        for reply, those in zip(run_jobs(jobs, self._limits), cohorts, strict=True):
            if isinstance(reply, Failure):
                found.append([reply for _ in those])
                continue
            content = json.loads(reply)
            warm(content["modules"])
            self._leaves_files |= bool(content["created"])
            found.append(
                [_read(row, cohort) for row, cohort in zip(content["runs"], those, strict=True)]
            )
        return found


def heavy_modules() -> list[str]:
    """Return what has been imported of the packages that are slow to import, in its order."""
    return [name for name in list(sys.modules) if name.partition(".")[0] in _HEAVY]


def warm(modules: Sequence[str]) -> None:
    """Import slow modules here, so that the processes forked from now on need not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in modules:
            # A target names them: nothing else is imported here on its word. Some names in
            # sys.modules belong to no file.
            if name.partition(".")[0] in _HEAVY and name not in sys.modules:
                with contextlib.suppress(ImportError):
                    importlib.import_module(name)


def to_json(value: object) -> bytes:
    """Return plain values and NumPy's as JSON; what is neither becomes text."""
    return json.dumps(value, default=_plain).encode()


def _run_study(study: Study, cohorts: Sequence[Cohort], seed: int, salt: int) -> bytes:
    """Run in the child: everything but the returned bytes is lost."""
    with leaving_nothing() as footprint:
        runs = [_run_once(study, cohort, seed, salt, footprint) for cohort in cohorts]
        created = footprint.created
    return to_json({"runs": runs, "created": created, "modules": heavy_modules()})


def _run_once(
    study: Study, cohort: Cohort, seed: int, salt: int, footprint: Footprint
) -> dict[str, object]:
    from pfactor_bench.studies.changes import changed

    streams, folder = Streams(salt), os.getcwd()  # noqa: PTH109 - what the study changes is the process's
    columns = table_columns(study(cohort, seed=seed))
    notes = []
    if changed(cohort).fingerprint != cohort.fingerprint:
        notes.append("it changes the cohort that it is handed: copy before changing")
    if os.getcwd() != folder:  # noqa: PTH109
        notes.append("it changes the working directory: use absolute paths instead")
    if created := footprint.created:
        notes.append(
            f"it leaves {created[0]!r} behind, which was removed so that no other run finds it"
        )
    return {"columns": columns, "notes": notes, "ends": streams.ends()}


def _read(run: Mapping[str, Any], cohort: Cohort) -> Answer | Failure:
    try:
        return read_answer(run["columns"], cohort, run["notes"], ends=str(run["ends"]))
    except StudyError as error:
        return Failure(reason=str(error))
    except (ValueError, KeyError, TypeError) as error:
        return Failure(reason=f"its answer cannot be read: {error}")


def _plain(value: object) -> object:
    item = getattr(value, "item", None)
    return item() if callable(item) else str(value)
