"""Every error that a user can cause, each with its fix in the message."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "CheckpointError",
    "CohortError",
    "ConfigError",
    "EnvironmentProblemError",
    "ExecutionError",
    "ModelError",
    "OutputError",
    "PfactorBenchError",
    "RecordError",
    "StudyError",
    "UnknownNameError",
    "did_you_mean",
]


class PfactorBenchError(Exception):
    """Base of all errors that the command line shows without a traceback."""


class ConfigError(PfactorBenchError):
    """A suite file says something that cannot be run."""


class UnknownNameError(ConfigError):
    """A name that nothing is registered under."""

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        super().__init__(f"unknown {what} {name!r}{did_you_mean(name, known)}")


class CohortError(PfactorBenchError):
    """A cohort cannot be loaded, or holds data that nothing can be learnt from."""


class ModelError(PfactorBenchError):
    """A model cannot be built for this cohort."""


class CheckpointError(PfactorBenchError):
    """A stored encoder cannot be trusted or read."""


class StudyError(PfactorBenchError):
    """A study broke its contract."""


class RecordError(PfactorBenchError):
    """A stored record cannot be read."""


class OutputError(PfactorBenchError):
    """Results cannot be written where they were asked for."""


class ExecutionError(PfactorBenchError):
    """What cases run on cannot be reached, or was lost for good."""


class EnvironmentProblemError(PfactorBenchError):
    """The installed packages do not work together."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of an error message that names the closest known names.

    Parameters
    ----------
    name
        What was asked for.
    known
        What there is.

    Returns
    -------
    str
        ``": did you mean 'full-finetune'?"`` where one is close, else the whole list.
    """
    names = sorted(known)
    close = get_close_matches(name.lower(), [known_name.lower() for known_name in names], n=1)
    if close:
        match = next(known_name for known_name in names if known_name.lower() == close[0])
        return f": did you mean {match!r}?"
    return f": known are {', '.join(map(repr, names)) or 'none'}"
