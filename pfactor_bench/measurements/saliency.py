"""How much of a saliency map lies where a synthetic cohort hides its signal, and is learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.measurements.family import Family, Number, Place
from pfactor_bench.measurements.held_out import by_regime
from pfactor_bench.seeds import seed_for
from pfactor_bench.statistics.means import mean_interval
from pfactor_bench.statistics.shares import bands_at_least, sets_at_least
from pfactor_bench.training.saliency import pool_people
from pfactor_bench.types import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pfactor_bench.measurements.family import Outcome
    from pfactor_bench.types import (
        Case,
        CaseResult,
        Cohort,
        Measurement,
        PlantedSignal,
        Saliency,
    )

__all__ = ["FAMILY", "measure"]

#: A planted rhythm leaks into neighbouring frequencies of a short window: Hz to either side.
_HALF_BAND = 1.0


_CHOICE = {
    "choice": Place(
        words="how the windows of a saliency map were chosen", values=lambda plan: plan.saliency
    )
}
_WHERE_PLANTED = {
    "planted_choice": Place(
        words="`<choice>`, where the cohort has a planted signal",
        values=lambda plan: plan.saliency if plan.is_planted else (),
    )
}

_OF_MAP = Number(
    name="{case}/saliency_{planted_choice}_planted_share",
    words="share of the map that lies in the planted channels",
    level="windows",
    places=_WHERE_PLANTED,
)
_SIMILARITY = Number(
    name="{case}/saliency_{choice}_randomised_similarity",
    words="rank correlation with the map of the same model with shuffled weights",
    level="windows",
    places=_CHOICE,
)
_CHANNELS = Number(
    name="{regime}/saliency_{planted_choice}_planted_share",
    words="share of a subject's saliency that lies in the planted channels",
    interval="subjects",
    places=_WHERE_PLANTED,
)
_BAND = Number(
    name="{regime}/saliency_{planted_choice}_planted_band_share",
    words="share of a subject's saliency that lies in the planted band of frequencies",
    interval="subjects",
    places=_WHERE_PLANTED,
)


def measure(run: Outcome) -> Iterator[Measurement]:
    """Yield what is known of each case's maps, then of each regime's over its seeds."""
    planted = run.cohort.planted
    for regime, cases in by_regime(run.results).items():
        for case in cases:
            for saliency in run.results[case].saliency:
                if planted is not None:
                    yield _share_of_map(case, saliency, run.cohort, planted)
                if saliency.by_person is not None:
                    yield _randomised_similarity(case, saliency)
        if planted is not None:
            results = [run.results[case] for case in cases]
            yield from _planted_shares(regime, results, run.cohort, planted)


def _share_of_map(
    case: Case, saliency: Saliency, cohort: Cohort, planted: PlantedSignal
) -> Measurement:
    """Return the share of one model's map that lies in the planted channels."""
    members = _planted_channels(cohort, planted)
    by_channel = saliency.map.mean(axis=1)
    total = float(by_channel.sum())
    return _OF_MAP.measured(
        float(by_channel[members].sum() / total) if total else None,
        missing_because=None if total else "the gradient is 0 everywhere",
        note=f"{len(members) / len(by_channel):.2f} by chance; "
        f"peak channel {cohort.ch_names[int(by_channel.argmax())]}",
        case=case.id,
        planted_choice=saliency.chosen_by,
    )


def _randomised_similarity(case: Case, saliency: Saliency) -> Measurement:
    """Return how like a map is to that of the same model with shuffled weights."""
    value = saliency.randomised_similarity
    return _SIMILARITY.measured(
        value,
        missing_because="a map is constant or not finite" if value is None else None,
        note="rank correlation with the map of the same model with shuffled weights: near 1, the "
        "map shows the architecture and not what was learnt (Adebayo et al. 2018)",
        case=case.id,
        choice=saliency.chosen_by,
    )


def _planted_shares(
    regime: str, results: Sequence[CaseResult], cohort: Cohort, planted: PlantedSignal
) -> Iterator[Measurement]:
    """Yield how much saliency lies in the planted channels and band, over held-out people."""
    for same_way in zip(*(result.saliency for result in results), strict=True):
        parts = [one.by_person for one in same_way if one.by_person is not None]
        if len(parts) < len(same_way):
            continue
        people = pool_people(parts)
        places = {"regime": regime, "planted_choice": same_way[0].chosen_by}
        channels = _planted_channels(cohort, planted)
        n_at_least, n_sets = sets_at_least(people.channel_share.mean(axis=0), channels)
        note = (
            f"{len(channels) / people.channel_share.shape[1]:.3f} by chance; {n_at_least:,} of "
            f"{n_sets:,} sets of {len(channels)} channels hold at least as much"
        )
        yield _over_subjects(_CHANNELS, people.channel_share, channels, note=note, places=places)
        band = _planted_band(cohort, planted)
        n_at_least, n_bands = bands_at_least(people.spectral_share.mean(axis=0), band)
        low, high = planted.frequency - _HALF_BAND, planted.frequency + _HALF_BAND
        note = (
            f"{low:g}-{high:g} Hz: {len(band) / people.spectral_share.shape[1]:.3f} by chance; "
            f"{n_at_least:,} of {n_bands:,} bands of that width hold at least as much"
        )
        yield _over_subjects(_BAND, people.spectral_share, band, note=note, places=places)


def _over_subjects(
    number: Number,
    shares: NDArray[np.float64],
    members: Sequence[int],
    *,
    note: str,
    places: Mapping[str, Any],
) -> Measurement:
    """Return the mean of each subject's share in `members`, with its interval over subjects."""
    if not shares.sum(axis=1).all():
        reason = "the gradient of a held-out person is 0 everywhere"
        return number.measured(None, missing_because=reason, **places)
    values = shares[:, members].sum(axis=1)
    interval = mean_interval(values, seed=seed_for("interval", number.name.format(**places)))
    known = isinstance(interval, Interval)
    return number.measured(
        float(values.mean()),
        ci=interval if isinstance(interval, Interval) else None,
        n_subjects=len(values),
        note=note if known else f"{note}; {interval}",
        **places,
    )


def _planted_channels(cohort: Cohort, planted: PlantedSignal) -> list[int]:
    return [cohort.ch_names.index(name) for name in planted.ch_names]


def _planted_band(cohort: Cohort, planted: PlantedSignal) -> list[int]:
    """Return positions among a window's frequencies above 0."""
    frequencies = np.fft.rfftfreq(cohort.X.shape[2], 1 / cohort.sfreq)[1:]
    near: NDArray[np.int64] = np.flatnonzero(abs(frequencies - planted.frequency) <= _HALF_BAND)
    return near.tolist() or [int(abs(frequencies - planted.frequency).argmin())]


FAMILY = Family(
    order=15,
    title="Saliency",
    numbers=(_OF_MAP, _SIMILARITY, _CHANNELS, _BAND),
    measure=measure,
)
