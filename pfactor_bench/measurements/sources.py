"""What a source taught its encoders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.measurements.family import Family, Number, Place
from pfactor_bench.seeds import seed_for
from pfactor_bench.statistics.evaluation import HELD_OUT, SCALE_FREE, Evaluation
from pfactor_bench.statistics.means import mean_interval
from pfactor_bench.types import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pfactor_bench.measurements.family import Outcome
    from pfactor_bench.types import Case, Measurement

__all__ = ["FAMILY", "encoder_name", "measure"]

_AUC = Number(
    name="{encoder}/auc",
    words="area under the receiver operating characteristic between a source's two tasks, within "
    "each subject's own windows, by encoders that never saw the subject",
    interval="subjects",
    places={
        "encoder": Place(
            words="`source`, or `<model>/source` with several models, where encoders learn to tell "
            "two tasks apart",
            values=lambda plan: plan.contrasts,
        )
    },
)


def encoder_name(case: Case) -> str:
    """Return what measurements of the encoders begin with that a case starts from."""
    model = case.regime.rpartition("/")[0]
    return f"{model}/source" if model else "source"


def measure(run: Outcome) -> Iterator[Measurement]:
    """Yield how well encoders tell the source's two tasks apart in subjects they have never seen.

    Nothing is said of sources that are not a contrast of tasks.
    """
    by_model: dict[str, list[Mapping[str, Any]]] = {}
    for case, by_fold in run.encoders.items():
        if by_fold:
            manifests = [encoder.manifest for encoder in by_fold.values()]
            by_model.setdefault(encoder_name(case), manifests)
    for name, manifests in by_model.items():
        if by_subject := _auc_of_subjects(manifests):
            yield _mean_auc(name, by_subject, SCALE_FREE if len(manifests) > 1 else HELD_OUT)


def _auc_of_subjects(manifests: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return each subject's AUC, averaged over the encoders that had not seen them."""
    found: dict[str, list[float]] = {}
    for manifest in manifests:
        for subject, value in manifest.get("held_out_auc", {}).items():
            found.setdefault(subject, []).append(value)
    return {subject: float(np.mean(found[subject])) for subject in sorted(found)}


def _mean_auc(name: str, by_subject: Mapping[str, float], evaluation: Evaluation) -> Measurement:
    values = np.array(list(by_subject.values()))
    interval = mean_interval(values, seed=seed_for("auc", name), evaluation=evaluation)
    return _AUC.measured(
        float(values.mean()),
        ci=interval if isinstance(interval, Interval) else None,
        n_subjects=len(values),
        note="within each subject's own windows, by encoders that never saw the subject"
        if isinstance(interval, Interval)
        else interval,
        encoder=name,
    )


FAMILY = Family(
    order=70,
    title="Encoders",
    numbers=(_AUC,),
    measure=measure,
)
