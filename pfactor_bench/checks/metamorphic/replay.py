"""A check of a predictor's state: what a copy of it does not reset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, not_applicable, passed, undecided, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.studies.sandbox import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.types import Scalar

__all__: list[str] = []

#: Differences below this share of the predictions' size are rounding.
_ROUNDING = 1e-5


@check("LK112", kinds=(25, 38))
def nothing_outlives_a_copy(replayed: Mapping[str, Any] | Failure) -> Outcome:
    """State that a copy of the predictor does not reset.

    How it is detected
    ------------------
    A fitted estimator predicts up to five held-out subjects in turn, each from a deep copy and with
    random streams that begin anew; in another process the other way round. A subject's predictions
    must be the same. If they are not, those who come before are replaced by noise: where that
    changes the last subject's prediction, it fails, and is a warning where not.

    Why it matters
    --------------
    A server that makes a copy of the model for each subject counts on the copy to forget. Class
    attributes, globals, closures, files and a ``__deepcopy__`` that returns itself do not, and one
    held-out subject informs the next one's prediction.

    How to fix it
    -------------
    Keep what a prediction needs in attributes of the instance, and reset it at each subject.

    What it cannot see
    ------------------
    State that needs more than five subjects, or is kept on another machine.

    Source
    ------
    Chen et al. 1998 on metamorphic testing, arXiv:2002.12543.
    """
    if isinstance(replayed, Failure):
        return undecided(
            f"the fitted estimator does not predict one subject at a time: {replayed.reason}",
            fix="Let predict take the windows of one subject, and let copy.deepcopy copy it.",
        )
    in_turn = [np.array(one) for one in replayed["in_turn"]]
    size = max(1e-12, *(float(np.abs(one).max()) for one in in_turn))
    again, reverse, after_noise = (
        [
            float(np.abs(a - np.array(b)).max()) / size
            for a, b in zip(in_turn, replayed[name], strict=True)
        ]
        for name in ("again", "reverse", "after_noise")
    )
    if max(again) > _ROUNDING:
        return not_applicable("two fits with one seed differ, so copies cannot be compared")
    if max(reverse) <= _ROUNDING:
        return passed(f"{len(in_turn)} subjects are predicted alike in either order, by copies")
    said = f"a subject's prediction differs after others by {max(reverse):.2g} of its size"
    evidence: list[dict[str, Scalar]] = [
        {"subject": number, "differs_by": one} for number, one in enumerate(reverse)
    ]
    if after_noise[-1] > _ROUNDING:
        return failed(f"{said}, and follows their signal: a copy does not forget", evidence)
    return warned(f"{said}, whatever their signal: calls are counted outside the copy", evidence)
