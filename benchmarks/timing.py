"""Time training and predicting for every seed, regime, model and device, and publish it.

    python benchmarks/timing.py [--rounds 9] [--out reports/timing]

writes timing.json, report.md and their figures. The work is that of suites/test_timing.py, which
times one case after the other; here all cases of a suite take turns, so that whatever disturbs one
disturbs the others and ratios between them hold. After a change of the page alone, run
``python benchmarks/timing_page.py``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from clock import take_turns
from machine import machine
from timing_page import RECORD, write_page
from tqdm import tqdm

from pfactor_bench.config import load_suite
from pfactor_bench.files import ensure_writable, write_atomically
from pfactor_bench.pipeline.stages import Run
from pfactor_bench.plugin.timing import Prediction, TrainingEpoch
from pfactor_bench.records.provenance import collect_code
from pfactor_bench.training.device import peak_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from pfactor_bench.types import Case

SUITES = tuple(
    Path(__file__).parents[1] / "suites" / f"{name}.yaml"
    for name in ("case_study", "models", "regimes")
)


def time_suite(
    path: Path, *, rounds: int, on_round: Callable[[], object] = lambda: None
) -> list[dict[str, Any]]:
    """Time every case of a suite on every device of this machine.

    Parameters
    ----------
    path
        Of the suite.
    rounds
        How often each is timed, after once that is not counted.
    on_round
        Called after each round, for progress.

    Returns
    -------
    list of dict
        A row per case, device and work, with the seconds of each round.
    """
    suite = load_suite(path)
    with tempfile.TemporaryDirectory() as folder:
        prepared = Run(suite, device="cpu", out=Path(folder)).prepare()
        works = [
            (case, device, work)
            for device in _devices()
            for case in suite.cases
            for work in _works(prepared, case, device)
        ]
    timed = take_turns(
        {str(number): work for number, (*_, work) in enumerate(works)},
        rounds=rounds,
        on_round=on_round,
    )
    return [
        {
            "suite": suite.name,
            "regime": case.regime,
            "model": case.model.name,
            "seed": case.seed,
            "device": device.type,
            "engine": _engine_of(work),
            "threads": prepared.training.threads,
            "work": work.name,
            "n_windows": work.n_windows,
            "n_steps": work.n_steps,
            "seconds": [round(float(one), 6) for one in timed[str(number)].seconds],
        }
        for number, (case, device, work) in enumerate(works)
    ]


def _devices() -> list[torch.device]:
    names = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    return [torch.device(name) for name in names]


def _works(
    prepared: Run, case: Case, device: torch.device
) -> tuple[TrainingEpoch | Prediction, ...]:
    return (
        TrainingEpoch(prepared, case, device),
        Prediction(prepared, case, device, 1),
        Prediction(prepared, case, device, 256),
    )


def _engine_of(work: TrainingEpoch | Prediction) -> str | None:
    """Return what trained an epoch, which is not always what the suite asks for."""
    trained_by = work.trained_by if isinstance(work, TrainingEpoch) else None
    return trained_by.engine.kind if trained_by else None


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("reports/timing"), metavar="DIR")
    options = parser.parse_args()
    ensure_writable(options.out)
    where = machine()
    rows: list[dict[str, Any]] = []
    with tqdm(total=options.rounds * len(SUITES), unit="round") as bar:
        for path in SUITES:
            bar.set_description(path.stem)
            rows += time_suite(path, rounds=options.rounds, on_round=bar.update)
    record = {
        "schema_version": 1,
        "machine": where,
        "code": dict(collect_code()),
        "rounds": options.rounds,
        "peak_bytes": peak_memory(torch.device("cpu")),
        "cases": rows,
    }
    text = json.dumps(record, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    write_atomically(options.out / RECORD, text.encode())
    write_page(options.out)
    print(f"report: {options.out / 'report.md'}")


if __name__ == "__main__":
    main()
