"""How much two records differ: errors subject by subject, speeds on one machine, and the rest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.report.engines import engine_names
from pfactor_bench.report.text import count
from pfactor_bench.statistics.comparisons import paired_differences
from pfactor_bench.statistics.evaluation import CROSS_VALIDATED, HELD_OUT, Evaluation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pfactor_bench.records.record import Record
    from pfactor_bench.types import Interval

#: What must be equal for seconds to be compared.
MACHINE = ("platform", "cpu", "n_cpus", "threads", "cpu_capability", "device")

#: Targets of one subject are the same if they differ by no more than rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """How much smaller a regime's squared error got, subject by subject.

    Parameters
    ----------
    regime
        Its label in both records.
    value
        Mean over subjects of the first record's squared error less the second's, in shares of the
        train mean's squared error: how much skill was gained. None with a reason in `why`.
    ci
        Its interval over subjects.
    n_subjects
        How many subjects were held out in both.
    why
        Why there is no value or no interval.
    gone
        Whether the second record lacks the regime.
    """

    regime: str
    value: float | None = None
    ci: Interval | None = None
    n_subjects: int = 0
    why: str = ""
    gone: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Ratio:
    """Seconds of the second record over those of the first: the median over `n` same works."""

    regime: str
    value: float
    low: float
    high: float
    n: int


def paired_errors(
    before: Record,
    after: Record,
    arrays_before: Mapping[str, NDArray[Any]],
    arrays_after: Mapping[str, NDArray[Any]],
) -> list[Difference]:
    """Return one difference per regime of either record, from the predictions stored beside them.

    Subjects are paired by name, and only within one target whose targets are the same in both.
    """
    regimes = [dict.fromkeys(case["regime"] for case in r.cases) for r in (before, after)]
    reason = _unpaired(before, after, arrays_before, arrays_after)
    refitted = max(len(record.split["folds"]) for record in (before, after)) > 1
    evaluation = CROSS_VALIDATED if refitted else HELD_OUT
    found = []
    for regime in dict.fromkeys([*regimes[0], *regimes[1]]):
        if regime not in regimes[1]:
            found.append(Difference(regime=regime, why="only in the first", gone=True))
        elif regime not in regimes[0]:
            found.append(Difference(regime=regime, why="only in the second"))
        elif reason:
            found.append(Difference(regime=regime, why=reason))
        else:
            found.append(_paired(regime, arrays_before, arrays_after, evaluation))
    return found


def speed_ratios(before: Record, after: Record) -> list[Ratio] | str:
    """Return how much longer each regime's work takes, or why that is not comparable."""
    differing = [
        f"{key.replace('_', ' ')}: {before.provenance.get(key)}, then {after.provenance.get(key)}"
        for key in MACHINE
        if before.provenance.get(key) != after.provenance.get(key)
    ]
    if differing:
        return f"not compared, since the machine differs ({'; '.join(differing)})"
    if not any(before.provenance.get(key) for key in ("cpu", "device")):
        return "not compared, since the machine is not known"
    seconds = [{(t.name, t.device): t.seconds for t in r.timings} for r in (before, after)]
    by_regime: dict[str, list[float]] = {}
    for work, first in seconds[0].items():
        second = seconds[1].get(work)
        if second is not None and first > 0:
            regime = work[0].partition("/seed-")[0]
            by_regime.setdefault(regime, []).append(second / first)
    if not by_regime:
        return "not compared, since no work was timed in both"
    return [
        Ratio(regime=regime, value=median(r), low=min(r), high=max(r), n=len(r))
        for regime, r in by_regime.items()
    ]


def other_differences(before: Record, after: Record) -> list[tuple[str, str, str]]:
    """Return what else differs: suite, data, split, seeds, code, packages, machine."""
    facts = [_facts(before), _facts(after)]
    missing = "not known"
    return [
        (name, str(facts[0].get(name, missing)), str(facts[1].get(name, missing)))
        for name in dict.fromkeys([*facts[0], *facts[1]])
        if facts[0].get(name, missing) != facts[1].get(name, missing)
    ]


def _unpaired(
    before: Record,
    after: Record,
    arrays_before: Mapping[str, NDArray[Any]],
    arrays_after: Mapping[str, NDArray[Any]],
) -> str:
    if before.cohort["target"] != after.cohort["target"]:
        return f"another target: {before.cohort['target']}, then {after.cohort['target']}"
    first, second = _positions(arrays_before, arrays_after)
    if not len(first):
        return "nobody is held out in both"
    moved = np.abs(arrays_before["y_true"][first] - arrays_after["y_true"][second]) > _ROUNDING
    if moved.any():
        return f"{int(moved.sum())} subjects of one name have another target: not the same data"
    return ""


def _positions(
    arrays_before: Mapping[str, NDArray[Any]], arrays_after: Mapping[str, NDArray[Any]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where the subjects held out in both stand in either record."""
    _, first, second = np.intersect1d(
        arrays_before["subjects"], arrays_after["subjects"], return_indices=True
    )
    return first, second


def _paired(
    regime: str,
    arrays_before: Mapping[str, NDArray[Any]],
    arrays_after: Mapping[str, NDArray[Any]],
    evaluation: Evaluation,
) -> Difference:
    first, second = _positions(arrays_before, arrays_after)
    y_true = arrays_before["y_true"][first]
    old = arrays_before[f"{regime}/y_pred"][:, first]
    new = arrays_after[f"{regime}/y_pred"][:, second]
    n = len(y_true)
    if old.shape == new.shape and (old == new).all():
        return Difference(regime=regime, value=0.0, n_subjects=n, why="the same predictions")
    paired = paired_differences(y_true, new, {"before": old}, evaluation=evaluation)
    value, interval = paired["before"]
    base = float(((y_true - arrays_before["y_base"][first]) ** 2).mean())
    if value is None or base == 0:
        why = interval if isinstance(interval, str) else "the train mean makes no error"
        return Difference(regime=regime, n_subjects=n, why=why)
    if isinstance(interval, str):
        return Difference(regime=regime, value=value / base, n_subjects=n, why=interval)
    ends = replace(
        interval,
        low=interval.low / base,
        high=interval.high / base,
        se=interval.se and interval.se / base,
    )
    return Difference(regime=regime, value=value / base, ci=ends, n_subjects=n)


def _facts(record: Record) -> dict[str, Any]:
    provenance = dict(record.provenance)
    packages = provenance.pop("packages", None) or {}
    provenance.pop("date", None)
    encoders = provenance.pop("encoders", None) or []
    folds = record.split["folds"]
    return {
        "suite": record.suite["name"],
        "suite file, sha256": record.suite["sha256"],
        **{
            f"suite, {key}": value
            for key, value in record.suite["definition"].items()
            if key not in ("name", "title", "question", "claims")
        },
        "data, sha256": record.cohort["fingerprint"],
        "subjects": record.cohort["n_subjects"],
        "held-out subjects": len({name for fold in folds for name in fold["test_subjects"]}),
        "split": f"{record.split['name']}, {count(len(folds), 'fold')}",
        **({"engine": ", ".join(names)} if (names := engine_names(record)) else {}),
        "encoders": [manifest.get("sha256") for manifest in encoders],
        **{key.replace("_", " "): value for key, value in provenance.items()},
        **{f"package {name}": version for name, version in packages.items()},
    }
