"""A suite made ready: cohort and source loaded, subjects divided, every start rehearsed."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pfactor_bench.cohorts import load_cohort
from pfactor_bench.errors import OutputError
from pfactor_bench.models.build import build_model
from pfactor_bench.models.heads import encoder_state
from pfactor_bench.models.regimes import REGIMES, begin
from pfactor_bench.splits.splitters import make_split
from pfactor_bench.training.device import choose_device, seeded, warm_up
from pfactor_bench.training.pretraining.checkpoints import read_encoder
from pfactor_bench.training.pretraining.pretraining import (
    EncoderRecipe,
    encoders_by_fold,
    plan_subjects,
)
from pfactor_bench.training.pretraining.sources import (
    SOURCES,
    SourceTask,
    StoredEncoder,
    check_windows_fit,
)
from pfactor_bench.training.selection import refuse_too_few_to_choose_on

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import torch
    from numpy.typing import NDArray

    from pfactor_bench.config import Suite
    from pfactor_bench.training.pretraining.checkpoints import Encoder
    from pfactor_bench.training.pretraining.sources import SourceWindows
    from pfactor_bench.types import Case, Cohort, ModelSpec, Split

__all__ = ["CACHE_VARIABLE", "Prepared", "encoders_of", "load_source", "prepare"]

#: Names a folder where encoders are kept for every suite, instead of each report's own.
CACHE_VARIABLE = "PFACTOR_BENCH_CACHE"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Prepared:
    """A suite whose cohort is loaded, whose split is made and whose models are known to fit.

    Parameters
    ----------
    suite, cohort, split, device
        What is run, on whom, how it is divided, and where.
    source
        The windows to pretrain on; None without a source task.
    pretrained_on
        By fold, whom its encoder has seen or will see; empty without a source.
    out
        Folder of the report, which keeps finished cases; None keeps none.
    cache
        Folder of encoders; None where there is no source.
    """

    suite: Suite
    cohort: Cohort
    split: Split
    device: torch.device
    source: SourceWindows | None = None
    pretrained_on: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)
    out: Path | None = None
    cache: Path | None = None

    @property
    def threads(self) -> int:
        """How many of torch's threads train a case."""
        import torch

        return self.suite.threads or torch.get_num_threads()


def prepare(
    suite: Suite,
    *,
    data_dir: Path | None,
    device: str,
    out: Path | None = None,
    cache: Path | None = None,
) -> Prepared:
    """Load the cohorts, split the subjects, and rehearse every start to see that it fits."""
    chosen = choose_device(device)
    cohort = load_cohort(suite.cohort, data_dir)
    split = make_split(suite.split, cohort.table)
    refuse_too_few_to_choose_on(cohort, split, suite.budget)
    source = load_source(suite.source, cohort, data_dir)
    pretrained_on = plan_subjects(suite.source, source, cohort, split) if suite.source else {}
    with seeded(0, chosen):
        _rehearse(suite, cohort)
    warm_up()
    return Prepared(
        suite=suite,
        cohort=cohort,
        split=split,
        device=chosen,
        source=source,
        pretrained_on=pretrained_on,
        out=out,
        cache=_cache_folder(out, cache) if source else None,
    )


def encoders_of(prepared: Prepared, case: Case) -> Mapping[str, Encoder]:
    """Return the encoder that a case starts from in each fold, pretrained if there is none yet."""
    source = prepared.suite.source
    if source is None or not REGIMES[case.start].pretrained:
        return {}
    if isinstance(source, StoredEncoder):
        stored = read_encoder(source.path)
        return {fold.name: stored for fold in prepared.split.folds}
    assert prepared.source is not None  # noqa: S101 - loaded with the suite
    assert prepared.cache is not None  # noqa: S101 - found with the suite
    recipe = EncoderRecipe(
        task=source,
        windows=prepared.source,
        model=case.model,
        cohort=prepared.cohort,
        device=prepared.device,
        threads=prepared.threads,
    )
    return encoders_by_fold(recipe, prepared.pretrained_on, prepared.cache)


def load_source(
    source: SourceTask | StoredEncoder | None, cohort: Cohort, data_dir: Path | None
) -> SourceWindows | None:
    """Return the windows that encoders are pretrained on; None where none is made here."""
    if not isinstance(source, SourceTask):
        return None
    windows = SOURCES[source.kind](source, partial(load_cohort, source.cohort, data_dir))
    check_windows_fit(windows, cohort)
    return windows


def _rehearse(suite: Suite, cohort: Cohort) -> None:
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


def _cache_folder(out: Path | None, cache: Path | None) -> Path:
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
