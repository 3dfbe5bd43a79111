"""A BIDS folder of EDF files that are written byte by byte, so that they can be wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: Amplitude of each channel's 10 Hz rhythm, in microvolts.
MICROVOLTS = {"Fz": 10.0, "Cz": 20.0, "Pz": 40.0}

_LIMIT = 3276.7


def rhythm(seconds: float, sfreq: float = 200.0, seed: int = 0) -> np.ndarray:
    """Return a 10 Hz rhythm with noise for each channel, in microvolts."""
    time = np.arange(round(seconds * sfreq)) / sfreq
    noise = np.random.default_rng(seed).normal(size=(len(MICROVOLTS), len(time)))
    return np.array([*MICROVOLTS.values()])[:, None] * np.sin(2 * np.pi * 10 * time + seed) + noise


def write_edf(
    path: Path,
    signals: Sequence[np.ndarray],
    *,
    names: Sequence[str] = tuple(MICROVOLTS),
    unit: str = "uV",
    rates: Sequence[int] | int = 200,
    onsets: Sequence[float] | None = None,
    texts: Sequence[str] = (),
) -> None:
    """Write records of one second.

    Parameters
    ----------
    path
        Folders are made.
    signals, names, unit, rates
        Of each channel, values in `unit`, and samples a second.
    onsets
        When each record begins: the file is EDF+D.
    texts
        Further annotations: onset, code 21, duration, code 20, name.
    """
    rates = [rates] * len(signals) if isinstance(rates, int) else list(rates)
    n_records = min(len(signal) // rate for signal, rate in zip(signals, rates, strict=True))
    if texts and onsets is None:
        onsets = range(n_records)
    labels = [*names, *(["EDF Annotations"] if onsets is not None else [])]
    counts = [*rates, *([60] if onsets is not None else [])]
    n, kind = len(labels), "EDF+D" if onsets is not None else ""
    fixed = [("0", 8), ("X X X X", 80), ("Startdate X X X X", 80), ("01.01.20", 8)]
    fixed += [("00.00.00", 8), (256 * (n + 1), 8), (kind, 44), (n_records, 8), (1, 8), (n, 4)]
    columns: list[tuple[Sequence[Any], int]] = [
        (labels, 16),
        ([""] * n, 80),
        ([unit] * n, 8),
        ([-_LIMIT] * n, 8),
        ([_LIMIT] * n, 8),
        ([-32767] * n, 8),
        ([32767] * n, 8),
        ([""] * n, 80),
        (counts, 8),
        ([""] * n, 32),
    ]
    content = b"".join(_field(*pair) for pair in fixed)
    content += b"".join(_field(value, width) for values, width in columns for value in values)
    for record in range(n_records):
        for signal, rate in zip(signals, rates, strict=True):
            counted = np.round(signal[record * rate : (record + 1) * rate] / _LIMIT * 32767)
            content += counted.clip(-32767, 32767).astype("<i2").tobytes()
        if onsets is not None:
            marks = [f"+{onsets[record]:g}\x14", *(texts if not record else ())]
            content += "".join(f"{mark}\x14\x00" for mark in marks).encode().ljust(120, b"\x00")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def edf(folder: Path, subject: str = "sub-02") -> Path:
    """Return where a subject's recording is."""
    return folder / subject / "eeg" / f"{subject}_task-rest_eeg.edf"


def write_folder(folder: Path, seconds: float = 5.0, **how: Any) -> Path:
    """Write four subjects at rest, and their targets."""
    for number in range(1, 5):
        write_edf(edf(folder, f"sub-0{number}"), rhythm(seconds, seed=number), **how)
    rows = "".join(f"sub-0{number}\t{number}\n" for number in range(1, 5))
    (folder / "participants.tsv").write_text(f"participant_id\ttarget\n{rows}")
    return folder


def _field(value: object, width: int) -> bytes:
    return str(value).encode("latin-1")[:width].ljust(width)
