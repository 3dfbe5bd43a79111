"""Which braindecode models work with the case study's windows: tried, not guessed.

``python benchmarks/model_table.py`` writes the table that docs/models.md holds.
"""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from pfactor_bench.errors import ModelError
from pfactor_bench.report.text import escape, md, table
from pfactor_bench.types import Budget, Case, ModelSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pfactor_bench.types import Cohort

__all__ = ["TriedModel", "tried_models", "write_table"]

_INTRODUCTION = """\
# Models

Any braindecode model is one word in a suite: `model: {{name: ShallowFBCSPNet}}`. So are
`module:factory`, `file.py:factory` with a path from the suite's folder, and what installed packages
offer as entry points of the group `pfactor_bench.models.build`. A factory is called with `n_chans`,
`n_outputs`, `n_times`, `sfreq` and the suite's `args`, all by keyword.

A model's head is what braindecode calls `final_layer`, else what the model's own `reset_head`
replaces, else what the suite names: `model: {{name: …, head: classifier}}`.

The table was made by `python benchmarks/model_table.py` with braindecode {version}: every model
was built with its default arguments for {n_chans} channels of {n_times} samples at {sfreq:g} Hz and
trained for one epoch of regression. {n_working} of {n_tried} work like that, some of them with
kernels that they cut to the windows' length. Others need arguments, channel positions or longer
windows. Where the head says "name it", that is for regimes that load an encoder.
"""

#: What these say depends on whether there is a network, so they are not tried.
_FETCHING = {"REVE": "it fetches a file of electrode positions when it is built"}

#: So much of a message is enough to know what a model wants.
_MAX_WORDS = 160


@dataclass(frozen=True, kw_only=True, slots=True)
class TriedModel:
    """What became of one model.

    Parameters
    ----------
    name
        braindecode's.
    n_parameters
        Of the model; None if it does not work.
    head
        Its head; None if a suite has to name it.
    problem
        Why it does not work; None if it does.
    """

    name: str
    n_parameters: int | None = None
    head: str | None = None
    problem: str | None = None


def tried_models() -> list[TriedModel]:
    """Train every braindecode model for one epoch and return what became of each."""
    from pfactor_bench.models.build import braindecode_models

    cohort = _cohort()
    return [
        TriedModel(name=name, problem=_FETCHING[name]) if name in _FETCHING else _try(name, cohort)
        for name in sorted(braindecode_models())
    ]


def write_table(tried: Sequence[TriedModel]) -> str:
    """Return the page: the models that work, then those that do not and why."""
    cohort = _cohort()
    working = [one for one in tried if one.problem is None]
    rows = [
        [one.name, f"{one.n_parameters:,}", md("`{}`", one.head) if one.head else "name it"]
        for one in working
    ]
    failing = [
        [one.name, escape(one.problem, limit=_MAX_WORDS)]
        for one in tried
        if one.problem is not None
    ]
    introduction = _INTRODUCTION.format(
        version=version("braindecode"),
        n_chans=cohort.X.shape[1],
        n_times=cohort.X.shape[2],
        sfreq=cohort.sfreq,
        n_working=len(working),
        n_tried=len(tried),
    )
    return (
        f"{introduction}\n## They work\n\n{table(['model', 'parameters', 'head'], rows)}\n\n"
        f"## They need more than a name\n\n{table(['model', 'what it says'], failing)}\n"
    )


def _cohort() -> Cohort:
    from pfactor_bench.cohorts.synthetic import synthetic

    return synthetic(n_subjects=4, n_windows=2)


def _try(name: str, cohort: Cohort) -> TriedModel:
    import torch

    from pfactor_bench.models.build import build_model
    from pfactor_bench.models.heads import find_head
    from pfactor_bench.splits.splitters import grouped_k_fold
    from pfactor_bench.training.case import run_case

    spec = ModelSpec(name=name)
    device = torch.device("cpu")
    split = grouped_k_fold(n_folds=2)(cohort.subjects)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            case = Case(regime="from-scratch", model=spec, seed=0)
            result = run_case(case, cohort, split, Budget(epochs=1, batch_size=4), device=device)
        except ModelError as error:
            return TriedModel(name=name, problem=str(error.__cause__ or error))
        try:
            head = find_head(build_model(spec, cohort))
        except ModelError:
            head = None
    return TriedModel(name=name, n_parameters=result.n_parameters, head=head)


if __name__ == "__main__":
    sys.stdout.write(write_table(tried_models()))
