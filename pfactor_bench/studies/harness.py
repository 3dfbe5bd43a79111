"""Studies run in processes of their own, their answers checked in this one."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import random
import sys
import warnings
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.errors import StudyError
from pfactor_bench.studies.contract import read_answer, table_columns
from pfactor_bench.studies.sandbox import Failure, run_jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pfactor_bench.studies.contract import Answer, Study
    from pfactor_bench.studies.sandbox import Limits
    from pfactor_bench.types import Cohort

__all__ = ["asker", "forget_seeds", "heavy_modules", "to_json", "warm"]

#: Importing from these takes seconds: what a target has imported is imported here as well, before
#: further forks. They load most of their submodules late, so that their names alone save little.
_HEAVY = frozenset(
    {"braindecode", "joblib", "mne", "pandas", "scipy", "sklearn", "skorch", "torch"}
)


def asker(
    study: Study, *, seed: int, limits: Limits
) -> Callable[[Sequence[Cohort]], list[Answer | Failure]]:
    """Return a function that runs a study on each of several cohorts.

    Parameters
    ----------
    study
        As in the contract.
    seed
        Handed to it, the same every time.
    limits
        What each run may use.

    Returns
    -------
    callable
        From cohorts to an answer or a failure each. It never raises because of the study.
    """

    def ask(cohorts: Sequence[Cohort]) -> list[Answer | Failure]:
        jobs = [partial(_run_study, study, cohort, seed) for cohort in cohorts]
        replies = run_jobs(jobs, limits)
        return [_read(reply, cohort) for reply, cohort in zip(replies, cohorts, strict=True)]

    return ask


def forget_seeds() -> None:
    """Seed every global random stream anew: a fork would repeat what its parent draws."""
    random.seed()
    np.random.seed(None)  # noqa: NPY002 - the global stream is what must differ
    if "torch" in sys.modules:
        sys.modules["torch"].seed()


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


def _run_study(study: Study, cohort: Cohort, seed: int) -> bytes:
    """Run in the child: everything but the returned bytes is lost."""
    from pfactor_bench.studies.changes import changed

    forget_seeds()
    folder = os.getcwd()  # noqa: PTH109 - what the study changes is the process's, not a path's
    columns = table_columns(study(cohort, seed=seed))
    notes = []
    if changed(cohort).fingerprint != cohort.fingerprint:
        notes.append("it changes the cohort that it is handed: copy before changing")
    if os.getcwd() != folder:  # noqa: PTH109
        notes.append("it changes the working directory: use absolute paths instead")
    return to_json({"columns": columns, "notes": notes, "modules": heavy_modules()})


def _read(reply: bytes | Failure, cohort: Cohort) -> Answer | Failure:
    if isinstance(reply, Failure):
        return reply
    try:
        content = json.loads(reply)
        warm(content["modules"])
        return read_answer(content["columns"], cohort, content["notes"])
    except StudyError as error:
        return Failure(reason=str(error))
    except (ValueError, KeyError, TypeError) as error:
        return Failure(reason=f"its answer cannot be read: {error}")


def _plain(value: object) -> object:
    item = getattr(value, "item", None)
    return item() if callable(item) else str(value)
