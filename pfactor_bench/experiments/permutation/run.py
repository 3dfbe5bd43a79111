"""A suite's procedure on permuted targets: run, kept as it goes, and gone on with."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from pfactor_bench.errors import UnknownNameError
from pfactor_bench.execution.preparation import encoders_of
from pfactor_bench.execution.results import case_key
from pfactor_bench.experiments.permutation.closed_form import has_closed_form, probe_null
from pfactor_bench.experiments.permutation.null import Null, permute_targets
from pfactor_bench.experiments.permutation.trained import trained_correlations
from pfactor_bench.files import ensure_writable, write_atomically
from pfactor_bench.models.identity import digest
from pfactor_bench.records.provenance import collect_provenance
from pfactor_bench.training.device import torch_threads
from pfactor_bench.types import EngineChoice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import torch
    from numpy.typing import NDArray

    from pfactor_bench.config import Suite
    from pfactor_bench.pipeline.stages import Run
    from pfactor_bench.types import Case

    #: By fold, what a case starts from.
    Encoders: TypeAlias = Mapping[str, Mapping[str, torch.Tensor]]

#: Some file systems end a name at 255 bytes.
_MOST_LETTERS = 80

#: A ridge head on frozen features for all permutations at once, or training anew for each.
Method: TypeAlias = Literal["closed form", "training"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PermutationTest:
    """A null distribution and what it was made of.

    Parameters
    ----------
    suite
        Its name.
    case
        What was run.
    method
        How.
    null
        Observed and permuted correlations.
    n_subjects, n_held_out
        Of the cohort, and over whom r is computed.
    """

    suite: str
    case: Case
    method: Method
    null: Null
    n_subjects: int
    n_held_out: int


def case_of(suite: Suite, regime: str | None, seed: int | None) -> Case:
    """Return the case that is asked for; the suite's first regime and seed where nothing is.

    Raises
    ------
    UnknownNameError
        If the suite has no such regime or seed.
    """
    cases = suite.cases
    label = regime or cases[0].regime
    of_regime = [case for case in cases if case.regime == label]
    if not of_regime:
        raise UnknownNameError("regime", label, dict.fromkeys(case.regime for case in cases))
    of_seed = [case for case in of_regime if seed in (None, case.seed)]
    if not of_seed:
        raise UnknownNameError("seed", str(seed), [str(case.seed) for case in of_regime])
    return of_seed[0]


def file_name(case: Case) -> str:
    """Return what a case's files are called, whatever its regime's label holds."""
    name = "".join(one if one.isalnum() or one in "-._" else "_" for one in case.regime)
    if name != case.regime or len(name) > _MOST_LETTERS:
        # Labels that differ only in what was replaced have two files.
        name = f"{name[:_MOST_LETTERS]}-{digest(case.regime)[:8]}"
    return f"{name}-seed-{case.seed}"


def permute(
    run: Run, case: Case, n: int, path: Path, *, on_run: Callable[[], object] = lambda: None
) -> PermutationTest:
    """Run a case on its own targets and on `n` permutations; go on with what a file holds already.

    Parameters
    ----------
    run
        The suite.
    case
        One of its cases. What it starts from stays the same for every permutation.
    n
        How many permutations.
    path
        Of the JSON file that keeps the correlations, written after every few runs.
    on_run
        Called for each run that is finished, now or before.
    """
    ensure_writable(path.parent)
    encoders = encoders_of(run, case)
    tensors = {fold: encoder.tensors for fold, encoder in encoders.items()} or None
    is_closed = has_closed_form(case, run.cohort, run.split, encoders=tensors)
    method: Method = "closed form" if is_closed else "training"
    hashes = {fold: encoder.manifest["sha256"] for fold, encoder in encoders.items()}
    key = _key(run, case, method, hashes)
    # The observed targets come first, and more permutations begin with the fewer.
    targets = np.vstack([run.cohort.y, permute_targets(run.cohort, n, seed=0)])
    known = _read(path, key)[: len(targets)]
    for _ in known:
        on_run()
    if len(known) == len(targets):
        return _test(run, case, method, known)
    with torch_threads(run.suite.threads):
        correlations = _closed_form if is_closed else _trained
        for more in correlations(
            run, case, targets, n_known=len(known), encoders=tensors, on_run=on_run
        ):
            known = np.concatenate([known, more])
            _write(path, key, run, _test(run, case, method, known))
    return _test(run, case, method, known)


def _closed_form(
    run: Run,
    case: Case,
    targets: NDArray[np.float64],
    *,
    n_known: int,
    encoders: Encoders | None,
    on_run: Callable[[], object],
) -> Iterator[NDArray[np.float64]]:
    """Yield the correlations that are not known yet, all at once."""
    assert encoders is not None  # noqa: S101 - a head trains alone on top of an encoder
    null = probe_null(
        case, run.cohort, run.split, targets[1:], device=run.device, encoders=encoders
    )
    for _ in targets[n_known:]:
        on_run()
    yield np.array([null.observed, *null.permuted])[n_known:]


def _trained(
    run: Run,
    case: Case,
    targets: NDArray[np.float64],
    *,
    n_known: int,
    encoders: Encoders | None,
    on_run: Callable[[], object],
) -> Iterator[NDArray[np.float64]]:
    """Yield the correlations that are not known yet, a few at a time."""
    yield from trained_correlations(
        case,
        run.cohort,
        run.split,
        run.suite.budget,
        targets[n_known:],
        device=run.device,
        encoders=encoders,
        on_run=on_run,
    )


def _test(run: Run, case: Case, method: Method, known: NDArray[np.float64]) -> PermutationTest:
    cohort = run.cohort
    held_out = np.concatenate([fold.test for fold in run.split.folds])
    return PermutationTest(
        suite=run.suite.name,
        case=case,
        method=method,
        null=Null(observed=float(known[0]), permuted=known[1:]),
        n_subjects=cohort.n_subjects,
        n_held_out=len(np.unique(cohort.subjects[held_out])),
    )


def _key(run: Run, case: Case, method: Method, encoders: Mapping[str, str]) -> str:
    """Return the hash of everything that determines a correlation, but for the permutation."""
    training = replace(run.training, engine=EngineChoice(), saliency=())
    whole = case_key(case, run.cohort, run.split, training, encoders)
    return digest([whole, method])


def _read(path: Path, key: str) -> NDArray[np.float64]:
    """Return the correlations that a file holds, the observed one first; none of something else."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["key"] == key:
            return np.array([stored["observed"], *stored["permuted"]], dtype=float)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return np.zeros(0)


def _write(path: Path, key: str, run: Run, test: PermutationTest) -> None:
    low, high = test.null.interval()
    facts: dict[str, Any] = {
        "key": key,
        "suite": test.suite,
        "suite_sha256": run.suite.sha256,
        "cohort": run.cohort.fingerprint,
        "split": run.split.name,
        "regime": test.case.regime,
        "seed": test.case.seed,
        "method": test.method,
        "n_subjects": test.n_subjects,
        "n_held_out": test.n_held_out,
        "p_value": test.null.p_value,
        "p_interval": {"low": low, "high": high, "level": 0.95},
        "observed": test.null.observed,
        "permuted": test.null.permuted.tolist(),
        "provenance": dict(
            collect_provenance(
                device=run.device,
                threads=run.training.threads,
                command=f"pfactor-bench permute {run.suite.path.name}",
            )
        ),
    }
    text = json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(path, text.encode(errors="backslashreplace"))
