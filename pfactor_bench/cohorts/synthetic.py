"""A cohort made from a seed: white noise in which the target sets the size of a 10 Hz rhythm."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pfactor_bench.cohorts.assemble import make_cohort
from pfactor_bench.types import Cohort, InjectedSignal

__all__ = ["CH_NAMES", "synthetic"]

#: Midline and lateral electrodes of the HydroCel GSN 128 montage: Fz, Cz, Pz, Oz, C3, C4, P3, P4.
CH_NAMES = ("E11", "Cz", "E62", "E75", "E36", "E104", "E52", "E92")
_INJECTED = ("Cz", "E62")
_SECOND_CHANNEL_GAIN = 0.85
_N_TIMES = 200
_SFREQ = 100.0


def synthetic(
    *,
    n_subjects: int = 18,
    n_windows: int = 24,
    seed: int = 42,
    amplitude: float = 0.30,
    frequency: float = 10.0,
    subject_offset: float = 0.10,
    target: str = "p_factor",
    prefix: str = "sub",
) -> Cohort:
    """Return the EEGDash case study's surrogate of HBN's resting-state windows.

    With the defaults every sample equals the case study's: targets are drawn first, then each
    window's noise, subject by subject. A subject's target sets the amplitude of a rhythm in Cz and,
    a little weaker, E62. A constant per subject is added to all channels; a z-score of each window
    removes it, so it marks a subject only for a model that skips that step.

    Parameters
    ----------
    n_subjects
        Subjects.
    n_windows
        Windows of each subject; 8 channels of 2 s at 100 Hz.
    seed
        Of the one random stream behind targets and noise.
    amplitude
        Rhythm amplitude of a subject whose target is 1, in noise standard deviations. With 0 the
        cohort holds nothing to be found.
    frequency
        Of the rhythm, in Hz.
    subject_offset
        Step between the constants of neighbouring subjects, in noise standard deviations.
    target
        What the target is called.
    prefix
        What the subjects' names begin with: subjects of two cohorts with one prefix have one name.

    Returns
    -------
    Cohort
        `n_subjects` × `n_windows` windows of shape ``(8, 200)``, in noise standard deviations.

    References
    ----------
    EEGDash, "Predict p-factor with a deep network", the project's case study.
    """
    rng = np.random.default_rng(seed)
    targets = rng.normal(0.0, 1.0, size=n_subjects)
    time = np.arange(_N_TIMES) / _SFREQ
    # Rounded to float32 before it is scaled, as the case study does: the last bit depends on it.
    rhythm = np.sin(2 * np.pi * frequency * time).astype(np.float32)
    X = np.empty((n_subjects * n_windows, len(CH_NAMES), _N_TIMES), dtype=np.float32)
    rows = []
    for number, value in enumerate(targets):
        carrier = np.float32(amplitude * float(value)) * rhythm
        offset = np.float32(subject_offset * (number - n_subjects / 2))
        for window in range(n_windows):
            samples = X[number * n_windows + window]
            samples[:] = rng.standard_normal(samples.shape).astype(np.float32)
            samples[CH_NAMES.index(_INJECTED[0])] += carrier
            samples[CH_NAMES.index(_INJECTED[1])] += np.float32(_SECOND_CHANNEL_GAIN) * carrier
            samples += offset
            rows.append((f"{prefix}-{number:02d}", window, value))
    table = pd.DataFrame(rows, columns=["subject", "window", target])
    table["sample_id"] = [
        f"{subject}__w{window:03d}"
        for subject, window in zip(table["subject"], table["window"], strict=True)
    ]
    table["start"] = table["window"] * _N_TIMES
    table["stop"] = table["start"] + _N_TIMES
    return make_cohort(
        name="synthetic",
        X=X,
        table=table.drop(columns="window").assign(session="", run="", task="rest"),
        target=target,
        sfreq=_SFREQ,
        ch_names=CH_NAMES,
        unit="SD",
        provenance={
            "source": "synthetic",
            "n_subjects": n_subjects,
            "n_windows": n_windows,
            "seed": seed,
            "amplitude": amplitude,
            "frequency": frequency,
            "subject_offset": subject_offset,
        },
        injected=InjectedSignal(ch_names=_INJECTED, frequency=frequency) if amplitude else None,
    )
