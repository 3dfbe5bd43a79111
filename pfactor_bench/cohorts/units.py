"""Units of voltage, and amplitudes that no EEG has."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["microvolts", "refuse_amplitudes"]

_MICROVOLTS = {"v": 1e6, "mv": 1e3, "uv": 1.0, "nv": 1e-3}
_WORDS = {"volt": "v", "millivolt": "mv", "microvolt": "uv", "nanovolt": "nv", "microv": "uv"}

#: The median SD of a channel of EEG lies between these, in microvolts, by a wide margin.
_SMALLEST, _LARGEST = 0.1, 500.0

#: No subject's EEG is so many times as large as the others'.
_SUBJECT_RATIO = 100.0

#: What a channel of EEG varies by, to guess a factor from.
_USUAL_MICROVOLTS = 10.0


def microvolts(unit: str) -> float | None:
    r"""Return how many microvolts a unit is; None if it is no unit of voltage.

    Examples
    --------
    >>> microvolts("mV"), microvolts("\u00b5V"), microvolts("SD")
    (1000.0, 1.0, None)
    """
    word = unit.strip()
    with contextlib.suppress(UnicodeError):
        # UTF-8 that was read as Latin-1, as header fields are.
        word = word.encode("latin-1").decode("utf-8")
    word = word.casefold().replace("\N{GREEK SMALL LETTER MU}", "u")
    word = word.replace("\N{MICRO SIGN}", "u").replace("\x83\xca", "u")
    word = _WORDS.get(word.removesuffix("s"), word)
    return _MICROVOLTS.get(word)


def refuse_amplitudes(
    name: str,
    deviations: NDArray[np.float32],
    subjects: Sequence[str],
    ch_names: Sequence[str],
    unit: str,
) -> None:
    """Refuse windows that hold a voltage which no EEG has.

    Parameters
    ----------
    name
        The cohort's, for messages.
    deviations
        Standard deviation of each channel in each window, shape ``(n_windows, n_chans)``, in
        `unit`. Channels that are flat in a window count for nothing.
    subjects
        The subject of each window.
    ch_names
        The channels.
    unit
        Of the windows. Of one that is no voltage only subjects are compared.

    Raises
    ------
    CohortError
        If a channel's median SD is below 0.1 or above 500 µV, or one subject's is 100 times
        as large or small as the others'; with the factor that is likely.
    """
    levels = pd.DataFrame(np.where(deviations > 0, deviations, np.nan), columns=list(ch_names))
    by_subject = levels.groupby(list(subjects)).median()
    if (factor := microvolts(unit)) is not None:
        for channel, level in (by_subject.median() * factor).items():
            if not (math.isnan(level) or _SMALLEST <= level <= _LARGEST):
                raise CohortError(
                    f"channel {channel!r} of cohort {name!r} has a median SD of {level:.3g} uV, "
                    f"which no EEG has ({_SMALLEST:g} to {_LARGEST:g}){_guess(level)}: say which "
                    f"unit the samples are in, or leave the channel out"
                )
    overall = by_subject.median(axis=1).dropna()
    usual = float(overall.median())
    for subject, level in overall.items():
        if not 1 / _SUBJECT_RATIO < level / usual < _SUBJECT_RATIO:
            raise CohortError(
                f"subject {subject!r} of cohort {name!r} has a median SD of {level:.3g} {unit}, "
                f"all subjects {usual:.3g}{_guess(_USUAL_MICROVOLTS * level / usual)}: repair the "
                f"unit of the recording, or leave the subject out"
            )


def _guess(level: float) -> str:
    """Return the step between units that would make a level usual, for a message."""
    steps = round(math.log10(level / _USUAL_MICROVOLTS) / 3)
    if not steps:
        return ""
    return f"; a factor of {1000.0**-steps:g} would make it usual"
