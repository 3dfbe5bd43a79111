"""Which numbers a suite will measure, known before anything is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.config import misplaced_claim
from pfactor_bench.errors import did_you_mean
from pfactor_bench.measurements.family import Plan
from pfactor_bench.measurements.sources import encoder_name
from pfactor_bench.measurements.suite import families
from pfactor_bench.models.regimes import REGIMES
from pfactor_bench.training.pretraining.checkpoints import read_encoder
from pfactor_bench.training.pretraining.sources import StoredEncoder

if TYPE_CHECKING:
    from pfactor_bench.pipeline.stages import Run

__all__ = ["measurement_names", "refuse_unknown_measurements"]


def refuse_unknown_measurements(run: Run) -> None:
    """Refuse a claim about a number that the suite will not measure.

    Raises
    ------
    ConfigError
        With file, line, and the name that may be meant.
    """
    if not run.suite.claims:
        return
    known = measurement_names(run)
    for claim in run.suite.claims:
        name = claim.measurement
        if name not in known:
            # A name without a seed is no slip for one with it, and those are many.
            alike = [one for one in known if ("/seed-" in one) == ("/seed-" in name)]
            raise misplaced_claim(
                run.suite.path,
                claim.id,
                f"claim {claim.id!r} speaks of measurement {name!r}, which this suite does not "
                f"make{did_you_mean(name, alike)}",
            )


def measurement_names(run: Run) -> tuple[str, ...]:
    """Return the names of all numbers that a run of the suite can measure.

    A number that the data may be too few or too poor for has a name as well.
    """
    suite = run.suite
    plan = Plan(
        cases=suite.cases,
        baselines=suite.baselines,
        saliency=suite.saliency,
        n_folds=len(run.split.folds),
        is_injected=run.cohort.injected is not None,
        contrasts=_contrasts(run),
    )
    return tuple(
        name for family in families() for number in family.numbers for name in number.names(plan)
    )


def _contrasts(run: Run) -> tuple[str, ...]:
    """Return what measurements of encoders begin with, where these tell two tasks apart.

    Only subjects whom an encoder has not seen are measured, and whether there are any is known when
    it is made.
    """
    source = run.suite.source
    names = (encoder_name(case) for case in run.suite.cases if REGIMES[case.start].pretrained)
    if isinstance(source, StoredEncoder):
        is_contrast = bool(read_encoder(source.path).manifest.get("held_out_auc"))
    else:
        is_contrast = run.source is not None and run.source.label == "task"
    return tuple(dict.fromkeys(names)) if is_contrast else ()
