"""Measuring a stored run again: its predictions stay, every number from them is computed anew.

For records of an earlier version, whose intervals were made by another method. Nothing is trained.
What does not follow from what is stored, such as saliency subject by subject, what checks found and
how long training took, stays as the run left it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from pfactor_bench.claims import judge
from pfactor_bench.cohorts import load_cohort
from pfactor_bench.config import Suite, load_suite
from pfactor_bench.errors import RecordError
from pfactor_bench.files import ensure_writable
from pfactor_bench.measurements.suite import measure_suite
from pfactor_bench.pipeline.conclude import write_arrays
from pfactor_bench.records.facts import split_facts
from pfactor_bench.records.provenance import collect_code
from pfactor_bench.records.record import (
    PREDICTIONS_FILE,
    Record,
    read_arrays,
    read_record,
    write_record,
)
from pfactor_bench.report import render
from pfactor_bench.splits.splitters import make_split
from pfactor_bench.training.saliency import CIRCULAR_CHOICES
from pfactor_bench.types import Case, CaseResult, Cohort, Curves, Measurement, Saliency, Split

_CURVES = ("train_mse", "val_mse", "val_r")


def remeasure(folder: Path, *, data_dir: Path | None) -> Record:
    """Compute a stored run's numbers again, judge its claims, and write record and report.

    Parameters
    ----------
    folder
        Holds ``record.json``, ``arrays.npz`` and ``predictions.parquet``.
    data_dir
        Where cohorts on disk are looked for.

    Returns
    -------
    Record
        As written; its provenance says which code measured it when, under ``measured_again``.

    Raises
    ------
    RecordError
        If the folder holds no complete run, cohort or split are no longer those of the run, or the
        predictions are of other windows.
    """
    record = read_record(folder)
    ensure_writable(folder)
    suite = _suite(record)
    cohort = load_cohort(suite.cohort, data_dir)
    if cohort.fingerprint != record.cohort["fingerprint"]:
        raise RecordError(
            f"cohort {cohort.name!r} has fingerprint {cohort.fingerprint[:12]}…, the run in "
            f"{str(folder)!r} had {record.cohort['fingerprint'][:12]}…: these are other data than "
            f"the predictions belong to; run the suite again"
        )
    split = make_split(suite.split, cohort.table)
    if split_facts(split, cohort) != record.split:
        raise RecordError(
            f"the suite's split no longer divides the subjects as the run in {str(folder)!r} did: "
            f"run the suite again"
        )
    results = _results(record, suite, folder)
    _require_windows_of(split, cohort, results)
    measurements = _merged(record.measurements, measure_suite(suite, cohort, split, results, {}))
    record = replace(
        record,
        measurements=measurements,
        verdicts=judge(record.claims, measurements),
        provenance={**record.provenance, "measured_again": collect_code()},
    )
    write_arrays(cohort, split, results, folder)
    write_record(record, folder)
    render(record, folder)
    return record


def _require_windows_of(split: Split, cohort: Cohort, results: Mapping[Case, CaseResult]) -> None:
    """Refuse predictions that are not those of the held-out windows, fold after fold."""
    names = cohort.table["sample_id"].to_numpy(dtype=str)
    expected = np.concatenate([names[fold.test] for fold in split.folds]).tolist()
    for case, result in results.items():
        table = result.predictions
        if table.loc[table["role"] == "test", "sample_id"].tolist() != expected:
            raise RecordError(
                f"the stored predictions of {case.id!r} are not of the windows that the split "
                f"holds out, in its order: run the suite again"
            )


def _suite(record: Record) -> Suite:
    """Return the suite that a record was made from, as the record holds it."""
    with tempfile.TemporaryDirectory() as folder:
        # Not the name that the record gives it: a name from outside may lead anywhere.
        path = Path(folder) / "suite.yaml"
        path.write_text(yaml.safe_dump(dict(record.suite["definition"])), encoding="utf-8")
        return load_suite(path)


def _results(record: Record, suite: Suite, folder: Path) -> dict[Case, CaseResult]:
    arrays = read_arrays(folder)
    path = folder / PREDICTIONS_FILE
    try:
        predictions = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise RecordError(f"cannot read the predictions {str(path)!r}: {error}") from error
    facts = {case["id"]: case for case in record.cases}
    failed = {case["id"] for case in record.missing}
    succeeded = [case for case in suite.cases if case.id not in failed]
    for case in succeeded:
        if case.id not in facts:
            raise RecordError(
                f"the record holds no case {case.id!r} of its own suite: run it again"
            )
    return {case: _result(case, predictions, arrays, facts[case.id]) for case in succeeded}


def _result(
    case: Case,
    predictions: pd.DataFrame,
    arrays: Mapping[str, NDArray[Any]],
    facts: Mapping[str, Any],
) -> CaseResult:
    """Return what is stored of a case; what is not is left out."""
    mine = predictions[(predictions["regime"] == case.regime) & (predictions["seed"] == case.seed)]
    number = arrays[f"{case.regime}/seeds"].tolist().index(case.seed)
    curves = [arrays[f"{case.regime}/{name}"][number] for name in _CURVES]
    maps = {
        name.rpartition("/")[2]: values[number]
        for name, values in arrays.items()
        if name.startswith(f"{case.regime}/saliency/")
    }
    return CaseResult(
        predictions=mine.drop(columns=["regime", "seed"]).reset_index(drop=True),
        curves=tuple(
            Curves(**dict(zip(_CURVES, fold, strict=True))) for fold in zip(*curves, strict=True)
        ),
        saliency=tuple(
            Saliency(chosen_by=name, circular=name in CIRCULAR_CHOICES, map=values)
            for name, values in maps.items()
        ),
        n_parameters=facts["n_parameters"],
        n_trainable=facts["n_trainable"],
        n_frozen=facts["n_parameters"] - facts["n_trainable"],
        budgets=(),
        timings=(),
    )


def _merged(
    stored: Iterable[Measurement], measured: Iterable[Measurement]
) -> tuple[Measurement, ...]:
    """Return the new numbers, and in their old places those that cannot be computed again."""
    new = {measurement.name: measurement for measurement in measured}
    kept = [new.pop(measurement.name, measurement) for measurement in stored]
    return (*kept, *new.values())
