"""How much of a saliency map lies where a synthetic cohort hides its signal, and is learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.measurements.family import Family, Number, Place
from pfactor_bench.measurements.held_out import by_regime
from pfactor_bench.seeds import seed_for
from pfactor_bench.statistics.means import mean_interval
from pfactor_bench.statistics.shares import bands_at_least, sets_at_least
from pfactor_bench.training.saliency import pool_subjects
from pfactor_bench.types import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pfactor_bench.measurements.family import Outcome
    from pfactor_bench.types import (
        Case,
        CaseResult,
        Cohort,
        InjectedSignal,
        Measurement,
        Saliency,
    )

__all__ = ["FAMILY", "measure"]

#: An injected rhythm leaks into neighbouring frequencies of a short window: Hz to either side.
_HALF_BAND = 1.0


_CHOICE = {
    "choice": Place(
        words="how the windows of a saliency map were chosen", values=lambda plan: plan.saliency
    )
}
_WHERE_INJECTED = {
    "injected_choice": Place(
        words="`<choice>`, where the cohort has an injected signal",
        values=lambda plan: plan.saliency if plan.is_injected else (),
    )
}

_OF_MAP = Number(
    name="{case}/saliency_{injected_choice}_injected_share",
    words="share of the map that lies in the injected channels",
    level="windows",
    places=_WHERE_INJECTED,
)
_SIMILARITY = Number(
    name="{case}/saliency_{choice}_randomised_similarity",
    words="rank correlation with the map of the same model with randomised weights",
    level="windows",
    places=_CHOICE,
)
_CHANNELS = Number(
    name="{regime}/saliency_{injected_choice}_injected_share",
    words="share of a subject's saliency that lies in the injected channels",
    interval="subjects",
    places=_WHERE_INJECTED,
)
_BAND = Number(
    name="{regime}/saliency_{injected_choice}_injected_band_share",
    words="share of a subject's saliency that lies in the injected band of frequencies",
    interval="subjects",
    places=_WHERE_INJECTED,
)


def measure(run: Outcome) -> Iterator[Measurement]:
    """Yield what is known of each case's maps, then of each regime's over its seeds."""
    injected = run.cohort.injected
    for regime, cases in by_regime(run.results).items():
        for case in cases:
            for saliency in run.results[case].saliency:
                if injected is not None:
                    yield _share_of_map(case, saliency, run.cohort, injected)
                if saliency.by_subject is not None:
                    yield _randomised_similarity(case, saliency)
        if injected is not None:
            results = [run.results[case] for case in cases]
            yield from _injected_shares(regime, results, run.cohort, injected)


def _share_of_map(
    case: Case, saliency: Saliency, cohort: Cohort, injected: InjectedSignal
) -> Measurement:
    """Return the share of one model's map that lies in the injected channels."""
    members = _injected_channels(cohort, injected)
    by_channel = saliency.map.mean(axis=1)
    total = float(by_channel.sum())
    return _OF_MAP.measured(
        float(by_channel[members].sum() / total) if total else None,
        missing_because=None if total else "the gradient is 0 everywhere",
        note=f"{len(members) / len(by_channel):.2f} by chance; "
        f"peak channel {cohort.ch_names[int(by_channel.argmax())]}",
        case=case.id,
        injected_choice=saliency.chosen_by,
    )


def _randomised_similarity(case: Case, saliency: Saliency) -> Measurement:
    """Return how like a map is to that of the same model with randomised weights."""
    value = saliency.randomised_similarity
    return _SIMILARITY.measured(
        value,
        missing_because="a map is constant or not finite" if value is None else None,
        note="rank correlation with the map of the same model with randomised weights: near 1, the "
        "map shows the architecture and not what was learnt (Adebayo et al. 2018)",
        case=case.id,
        choice=saliency.chosen_by,
    )


def _injected_shares(
    regime: str, results: Sequence[CaseResult], cohort: Cohort, injected: InjectedSignal
) -> Iterator[Measurement]:
    """Yield how much saliency lies in the injected channels and band, over held-out subjects."""
    for same_way in zip(*(result.saliency for result in results), strict=True):
        parts = [one.by_subject for one in same_way if one.by_subject is not None]
        if len(parts) < len(same_way):
            continue
        subjects = pool_subjects(parts)
        places = {"regime": regime, "injected_choice": same_way[0].chosen_by}
        channels = _injected_channels(cohort, injected)
        n_at_least, n_sets = sets_at_least(subjects.channel_share.mean(axis=0), channels)
        note = (
            f"{len(channels) / subjects.channel_share.shape[1]:.3f} by chance; {n_at_least:,} of "
            f"{n_sets:,} sets of {len(channels)} channels hold at least as much"
        )
        yield _over_subjects(_CHANNELS, subjects.channel_share, channels, note=note, places=places)
        band = _injected_band(cohort, injected)
        n_at_least, n_bands = bands_at_least(subjects.spectral_share.mean(axis=0), band)
        low, high = injected.frequency - _HALF_BAND, injected.frequency + _HALF_BAND
        note = (
            f"{low:g}-{high:g} Hz: {len(band) / subjects.spectral_share.shape[1]:.3f} by chance; "
            f"{n_at_least:,} of {n_bands:,} bands of that width hold at least as much"
        )
        yield _over_subjects(_BAND, subjects.spectral_share, band, note=note, places=places)


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
        reason = "the gradient of a held-out subject is 0 everywhere"
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


def _injected_channels(cohort: Cohort, injected: InjectedSignal) -> list[int]:
    return [cohort.ch_names.index(name) for name in injected.ch_names]


def _injected_band(cohort: Cohort, injected: InjectedSignal) -> list[int]:
    """Return positions among a window's frequencies above 0."""
    frequencies = np.fft.rfftfreq(cohort.X.shape[2], 1 / cohort.sfreq)[1:]
    near: NDArray[np.int64] = np.flatnonzero(abs(frequencies - injected.frequency) <= _HALF_BAND)
    return near.tolist() or [int(abs(frequencies - injected.frequency).argmin())]


FAMILY = Family(
    order=15,
    title="Saliency",
    numbers=(_OF_MAP, _SIMILARITY, _CHANNELS, _BAND),
    measure=measure,
)
