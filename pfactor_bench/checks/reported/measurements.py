"""Static checks of what is reported: numbers recomputed, choices declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.checks.engine.outcomes import failed, not_applicable, passed, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.checks.reported import recompute as _recompute

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.types import Cohort, Measurement, Saliency, Scalar, Split

__all__: list[str] = []


@check("LK017", kinds=(17,), severity="weakness")
def best_epoch(measurements: Sequence[Measurement]) -> Outcome:
    """Find reported numbers that are the best of many evaluations on the held-out targets.

    How it is detected
    ------------------
    Measurements named ``best_…`` or ``max_…`` are extremes over epochs or seeds by their name.

    Why it matters
    --------------
    The best of several evaluations on the test set is better than the model: the maximum of 4
    epochs of noise is positive nearly always.

    How to fix it
    -------------
    Report the last epoch, or choose the epoch on validation subjects taken from the training side.

    What it cannot see
    ------------------
    A choice of epoch that is not named; the label-redrawing relation LK101 sees it.

    Source
    ------
    Cawley & Talbot 2010, jmlr.org/papers/v11/cawley10a.html.
    """
    evidence: list[dict[str, Scalar]] = []
    for measured in measurements:
        metric = measured.name.rpartition("/")[2]
        if metric.startswith(("best_", "max_")):
            evidence.append({"measurement": measured.name, "reported": measured.value})
    if evidence:
        return warned(
            f"{len(evidence)} reported numbers are the best of several evaluations on the held-out "
            f"targets, so they are too good",
            evidence,
        )
    return passed("no reported number is named as a best one")


@check("LK031", kinds=(31,))
def reported_numbers(
    predictions: pd.DataFrame, cohort: Cohort, split: Split, measurements: Sequence[Measurement]
) -> Outcome:
    """Find reported numbers that the predictions do not bear out.

    How it is detected
    ------------------
    From the predictions, the cohort's own targets and the split, every metric that a measurement
    names is computed again with formulas of this check's own: over subjects and over windows, with
    folds pooled and averaged. The baseline is the mean target of the training subjects, fold by
    fold. A measurement that equals none of these is a finding; if it equals what a mean taken over
    held-out subjects would give, the explanation says so.

    Why it matters
    --------------
    A baseline that knows the test targets' mean, a correlation made from a constant prediction, or
    a number that belongs to another table changes the conclusion without any model being at fault.

    How to fix it
    -------------
    Compute metrics from the stored predictions only, and the baseline from training subjects only.

    What it cannot see
    ------------------
    Measurements whose metric it does not know, and numbers pooled over seeds.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804; Poldrack et al. 2020,
    doi:10.1001/jamapsychiatry.2019.3671.
    """
    n_compared = 0
    evidence: list[dict[str, Scalar]] = []
    for case, table in _recompute.by_case(predictions):
        honest, leaky = _recompute.metrics(table, cohort, split)
        for measured in measurements:
            metric = _recompute.metric_name(measured.name, case)
            if measured.value is None or metric not in honest:
                continue
            n_compared += 1
            if not _recompute.agrees(measured.value, honest[metric]):
                evidence.append(
                    {
                        "measurement": measured.name,
                        "reported": measured.value,
                        "recomputed": honest[metric][0],
                        "uses_test_mean": _recompute.agrees(measured.value, leaky[metric]),
                    }
                )
    if not n_compared:
        return not_applicable("no measurement names a metric of a case in the predictions")
    if evidence:
        peeked = any(row["uses_test_mean"] for row in evidence)
        why = "; the baseline was taken from the held-out subjects" if peeked else ""
        return failed(
            f"{len(evidence)} of {n_compared} reported numbers do not follow from the "
            f"predictions{why}",
            evidence,
        )
    return passed(f"{n_compared} reported numbers follow from the predictions")


@check("LK033", kinds=(33,), severity="weakness")
def circular_explanation(saliency: Sequence[Saliency | str]) -> Outcome:
    """Find explanations made from windows that were chosen by their true target.

    How it is detected
    ------------------
    Each saliency map declares how its windows were chosen and whether true targets took part; so
    does each named way of choosing.

    Why it matters
    --------------
    A map over the windows that the model happened to get right shows what agreement looks like,
    not what the model uses.

    How to fix it
    -------------
    Average over all held-out windows, or choose by the prediction alone.

    What it cannot see
    ------------------
    A choice that is declared wrongly.

    Source
    ------
    Kriegeskorte et al. 2009, doi:10.1038/nn.2303.
    """
    from pfactor_bench.training.saliency import CIRCULAR_CHOICES

    ways = sorted(
        {entry for entry in saliency if isinstance(entry, str) and entry in CIRCULAR_CHOICES}
        | {entry.chosen_by for entry in saliency if not isinstance(entry, str) and entry.circular}
    )
    if ways:
        return warned(
            "a saliency map averages over windows chosen by their true target: it illustrates, it "
            "proves nothing",
            [{"chosen_by": way} for way in ways],
        )
    return passed("no saliency map was made from windows chosen by their true target")


@check("LK034", kinds=(31,))
def metric_oracles(metric: Callable[..., Mapping[str, object]]) -> Outcome:
    """Try the metric function on predictions whose target is known.

    How it is detected
    ------------------
    ``metric(y_true, y_pred, y_base)`` must give error 0 and r 1 for perfect predictions, r 0 or no
    value (never NaN) for a constant one, skill 0 for the train mean, skill below 0 for what is
    worse, and r² 0 only for the mean of the truth itself.

    Why it matters
    --------------
    A metric that is wrong in a corner is wrong where it counts: cross-validated null results live
    in those corners.

    How to fix it
    -------------
    Return None and a reason where a metric does not exist, and take the baseline as an argument.

    What it cannot see
    ------------------
    Errors outside the corners it tries.

    Source
    ------
    Poldrack et al. 2020, doi:10.1001/jamapsychiatry.2019.3671.
    """
    evidence = _recompute.broken_oracles(metric)
    if evidence:
        return failed(f"the metric function gets {len(evidence)} known answers wrong", evidence)
    return passed("the metric function knows the answers to all oracles")
