"""Cohorts from windows that someone has cut with braindecode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pfactor_bench.cohorts.assemble import make_cohort
from pfactor_bench.cohorts.units import microvolts
from pfactor_bench.errors import CohortError, did_you_mean

if TYPE_CHECKING:
    from pfactor_bench.types import Cohort

__all__ = ["from_braindecode"]

_KNOWN = ("subject", "session", "run", "task")


def from_braindecode(
    windows: Any,  # noqa: ANN401 - braindecode has no types
    *,
    target: str | None,
    name: str = "braindecode",
    unit: str = "V",
) -> Cohort:
    """Return a cohort from braindecode's windows: a ``BaseConcatDataset``, or one recording's.

    Parameters
    ----------
    windows
        As ``create_fixed_length_windows`` returns it. Each data set in it is a recording whose
        description names its ``subject``.
    target
        The entry of the description that holds what is to be predicted of the subject.
    name
        The cohort's name.
    unit
        Of the samples: volts, as MNE holds signals, unless a preprocessor changed them. ``"SD"``
        or whatever else is no unit of voltage stays what it is.

    Returns
    -------
    Cohort
        In ``"uV"``, or in `unit` if that is no voltage, with the description's other entries in
        the table.

    Raises
    ------
    CohortError
        If it holds no windows or recordings that are not cut, recordings differ in channels or
        rate, no target is named, or a description lacks an entry.

    Examples
    --------
    >>> windows = create_fixed_length_windows(dataset, ...)  # doctest: +SKIP
    >>> cohort = from_braindecode(windows, target="p_factor")  # doctest: +SKIP
    """
    recordings = getattr(windows, "datasets", [windows])
    kept = [recording for recording in recordings if len(recording)]
    if not all(hasattr(recording, "metadata") for recording in kept):
        raise CohortError(
            f"the recordings of cohort {name!r} are not cut into windows: cut them with "
            f"create_fixed_length_windows"
        )
    if not kept:
        raise CohortError(
            f"the windows of cohort {name!r} are empty: cut them with create_fixed_length_windows"
        )
    if target is None:
        raise CohortError(
            f"no target is named for cohort {name!r}: say which entry of the descriptions is to be "
            f"predicted, target=...; there are {', '.join(map(repr, dict(kept[0].description)))}"
        )
    sfreq, ch_names = _setup(kept[0])
    factor = microvolts(unit)
    parts, tables = [], []
    for number, recording in enumerate(kept):
        if _setup(recording) != (sfreq, ch_names):
            raise CohortError(
                f"recording {number} of cohort {name!r} has other channels or another rate than "
                f"the first: pick and resample before cutting windows"
            )
        parts.append(
            np.stack([recording[window][0] for window in range(len(recording))]) * (factor or 1.0)
        )
        tables.append(_table(recording, number, target, name))
    table = pd.concat(tables, ignore_index=True)
    for column in _KNOWN:
        table[column] = table[column].fillna("").astype(str) if column in table else ""
    return make_cohort(
        name=name,
        X=np.concatenate(parts).astype(np.float32),
        table=table,
        target=target,
        sfreq=sfreq,
        ch_names=ch_names,
        unit=unit if factor is None else "uV",
        provenance={"source": "braindecode", "recordings": len(kept)},
    )


def _setup(recording: Any) -> tuple[float, tuple[str, ...]]:  # noqa: ANN401
    signal = recording.raw if hasattr(recording, "raw") else recording.windows
    return float(signal.info["sfreq"]), tuple(signal.ch_names)


def _table(
    recording: Any,  # noqa: ANN401 - braindecode has no types
    number: int,
    target: str,
    name: str,
) -> pd.DataFrame:
    described = dict(recording.description)
    for needed in ("subject", target):
        if needed not in described:
            raise CohortError(
                f"the description of recording {number} of cohort {name!r} has no {needed!r}"
                f"{did_you_mean(needed, map(str, described))}"
            )
    cut = recording.metadata
    rows = pd.DataFrame(
        {
            "sample_id": [
                f"{described['subject']}__r{number:04d}__w{window:03d}"
                for window in range(len(recording))
            ],
            "start": cut["i_start_in_trial"].to_numpy(),
            "stop": cut["i_stop_in_trial"].to_numpy(),
        }
    )
    taken = {key: value for key, value in described.items() if key not in rows}
    return rows.assign(**{str(key): value for key, value in taken.items()})
