"""How much of a saliency map lies where a synthetic cohort hides its signal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.seeds import seed_for
from pfactor_bench.statistics.means import mean_interval
from pfactor_bench.statistics.shares import bands_at_least, sets_at_least
from pfactor_bench.training.saliency import pool_people
from pfactor_bench.types import Interval, Measurement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pfactor_bench.types import CaseResult, Cohort, PlantedSignal, Saliency

__all__ = ["planted_shares", "randomised_similarity", "share_of_map"]

#: A planted rhythm leaks into neighbouring frequencies of a short window: Hz to either side.
_HALF_BAND = 1.0


def share_of_map(
    name: str, saliency: Saliency, cohort: Cohort, planted: PlantedSignal
) -> Measurement:
    """Return the share of one model's map that lies in the planted channels."""
    members = _planted_channels(cohort, planted)
    by_channel = saliency.map.mean(axis=1)
    total = float(by_channel.sum())
    return Measurement(
        name=name,
        case=name.rpartition("/")[0],
        value=float(by_channel[members].sum() / total) if total else None,
        missing_because=None if total else "the gradient is 0 everywhere",
        note=f"{len(members) / len(by_channel):.2f} by chance; "
        f"peak channel {cohort.ch_names[int(by_channel.argmax())]}",
    )


def randomised_similarity(name: str, saliency: Saliency) -> Measurement:
    """Return how like a map is to that of the same model with shuffled weights."""
    value = saliency.randomised_similarity
    return Measurement(
        name=name,
        case=name.rpartition("/")[0],
        value=value,
        missing_because="a map is constant or not finite" if value is None else None,
        note="rank correlation with the map of the same model with shuffled weights: near 1, the "
        "map shows the architecture and not what was learnt (Adebayo et al. 2018)",
    )


def planted_shares(
    regime: str, results: Sequence[CaseResult], cohort: Cohort, planted: PlantedSignal
) -> list[Measurement]:
    """Return how much saliency lies in the planted channels and band, over held-out people."""
    found = []
    for same_way in zip(*(result.saliency for result in results), strict=True):
        parts = [one.by_person for one in same_way if one.by_person is not None]
        if len(parts) < len(same_way):
            continue
        people = pool_people(parts)
        name = f"{regime}/saliency_{same_way[0].chosen_by}"
        found += [
            _channel_share(f"{name}_planted_share", people.channel_share, cohort, planted),
            _band_share(f"{name}_planted_band_share", people.spectral_share, cohort, planted),
        ]
    return found


def _channel_share(
    name: str, shares: NDArray[np.float64], cohort: Cohort, planted: PlantedSignal
) -> Measurement:
    members = _planted_channels(cohort, planted)
    n_at_least, n_sets = sets_at_least(shares.mean(axis=0), members)
    note = (
        f"{len(members) / shares.shape[1]:.3f} by chance; {n_at_least:,} of {n_sets:,} sets of "
        f"{len(members)} channels hold at least as much"
    )
    return _share_over_people(name, shares, members, note=note)


def _band_share(
    name: str, shares: NDArray[np.float64], cohort: Cohort, planted: PlantedSignal
) -> Measurement:
    members = _planted_band(cohort, planted)
    n_at_least, n_bands = bands_at_least(shares.mean(axis=0), members)
    low, high = planted.frequency - _HALF_BAND, planted.frequency + _HALF_BAND
    note = (
        f"{low:g}-{high:g} Hz: {len(members) / shares.shape[1]:.3f} by chance; {n_at_least:,} of "
        f"{n_bands:,} bands of that width hold at least as much"
    )
    return _share_over_people(name, shares, members, note=note)


def _share_over_people(
    name: str, shares: NDArray[np.float64], members: Sequence[int], *, note: str
) -> Measurement:
    """Return the mean of each person's share in `members`, with its interval over people."""
    regime = name.rpartition("/")[0]
    if not shares.sum(axis=1).all():
        reason = "the gradient of a held-out person is 0 everywhere"
        return Measurement(name=name, case=regime, value=None, missing_because=reason)
    values = shares[:, members].sum(axis=1)
    interval = mean_interval(values, seed=seed_for("interval", name))
    known = isinstance(interval, Interval)
    return Measurement(
        name=name,
        case=regime,
        value=float(values.mean()),
        ci=interval if isinstance(interval, Interval) else None,
        n_subjects=len(values),
        note=note if known else f"{note}; {interval}",
    )


def _planted_channels(cohort: Cohort, planted: PlantedSignal) -> list[int]:
    return [cohort.ch_names.index(name) for name in planted.ch_names]


def _planted_band(cohort: Cohort, planted: PlantedSignal) -> list[int]:
    """Return positions among a window's frequencies above 0."""
    frequencies = np.fft.rfftfreq(cohort.X.shape[2], 1 / cohort.sfreq)[1:]
    near: NDArray[np.int64] = np.flatnonzero(abs(frequencies - planted.frequency) <= _HALF_BAND)
    return near.tolist() or [int(abs(frequencies - planted.frequency).argmin())]
