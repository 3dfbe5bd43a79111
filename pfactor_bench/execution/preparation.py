"""What a run stands on: encoders, the source that they learn from, every start rehearsed."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pfactor_bench.cohorts import load_cohort
from pfactor_bench.errors import OutputError
from pfactor_bench.models.build import build_model
from pfactor_bench.models.heads import encoder_state
from pfactor_bench.models.regimes import REGIMES, begin
from pfactor_bench.training.pretraining.checkpoints import read_encoder
from pfactor_bench.training.pretraining.pretraining import EncoderRecipe, encoders_by_fold
from pfactor_bench.training.pretraining.sources import (
    SOURCES,
    SourceTask,
    StoredEncoder,
    check_windows_fit,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pfactor_bench.config import Suite
    from pfactor_bench.pipeline.stages import Run
    from pfactor_bench.training.pretraining.checkpoints import Encoder
    from pfactor_bench.training.pretraining.sources import SourceWindows
    from pfactor_bench.types import Case, Cohort, ModelSpec

#: Names a folder where encoders are kept for every suite, instead of each report's own.
CACHE_VARIABLE = "PFACTOR_BENCH_CACHE"


def encoders_of(run: Run, case: Case) -> Mapping[str, Encoder]:
    """Return the encoder that a case starts from in each fold, pretrained if there is none yet."""
    source = run.suite.source
    if source is None or not REGIMES[case.start].pretrained:
        return {}
    if isinstance(source, StoredEncoder):
        stored = read_encoder(source.path)
        return {fold.name: stored for fold in run.split.folds}
    assert run.source is not None  # noqa: S101 - loaded with the suite
    recipe = EncoderRecipe(
        task=source,
        windows=run.source,
        model=case.model,
        cohort=run.cohort,
        device=run.device,
        threads=run.training.threads,
    )
    return encoders_by_fold(recipe, run.pretrained_on, run.cache)


def load_source(
    source: SourceTask | StoredEncoder | None, cohort: Cohort, data_dir: Path | None
) -> SourceWindows | None:
    """Return the windows that encoders are pretrained on; None where none is made here."""
    if not isinstance(source, SourceTask):
        return None
    windows = SOURCES[source.kind](source, partial(load_cohort, source.cohort, data_dir))
    check_windows_fit(windows, cohort)
    return windows


def rehearse_starts(suite: Suite, cohort: Cohort) -> None:
    """Start every model in every regime once, so that a misfit shows before any training."""
    rehearsed: list[tuple[ModelSpec, str]] = []
    for case in suite.cases:
        if (case.model, case.start) in rehearsed:
            continue
        rehearsed.append((case.model, case.start))
        model = build_model(case.model, cohort)
        if not REGIMES[case.start].pretrained:
            continue
        if isinstance(suite.source, StoredEncoder):
            encoder = read_encoder(suite.source.path).tensors
        else:
            encoder = encoder_state(model, case.model.head)
        begin(case.start, model, head=case.model.head, encoder=encoder)


def cache_folder(out: Path | None, cache: Path | None) -> Path:
    """Return the folder of encoders: `cache`, the one in the environment, or one in `out`.

    Raises
    ------
    OutputError
        If there is none of these.
    """
    named = os.environ.get(CACHE_VARIABLE)
    if cache is not None:
        return cache
    if named:
        return Path(named)
    if out is None:
        raise OutputError(
            f"a suite with a source needs a folder for its encoders: give an output folder, a "
            f"cache, or set {CACHE_VARIABLE}"
        )
    return out / "encoders"
