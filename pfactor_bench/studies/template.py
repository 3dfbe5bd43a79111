"""The contract of a study as something to copy, and what is said of a callable that breaks it."""

from __future__ import annotations

import inspect
import textwrap
from typing import TYPE_CHECKING

from pfactor_bench.errors import StudyError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["STUDY_TEMPLATE", "refuse_signature"]

#: A study that keeps the contract and predicts the training mean.
STUDY_TEMPLATE = """\
import pandas as pd
from sklearn.model_selection import GroupKFold

def study(cohort, *, seed):
    X, y, subjects = cohort.X, cohort.y, cohort.subjects  # a row per window
    names, folds = cohort.table["sample_id"], []
    for number, (train, test) in enumerate(GroupKFold(3).split(X, y, subjects)):
        predicted = y[train].mean()  # here: fit on X[train], y[train]; predict X[test]
        fold = {"fold": f"fold-{number}"}
        folds += [
            pd.DataFrame({"sample_id": names[test], "y_pred": predicted, "role": "test", **fold}),
            pd.DataFrame({"sample_id": names[train], "role": "train", **fold}),
        ]
    return pd.concat(folds, ignore_index=True)
"""


def refuse_signature(target: Callable[..., object], name: str) -> None:
    """Refuse a callable that cannot be called as a study is: ``study(cohort, seed=0)``.

    Parameters
    ----------
    target
        What is audited. One whose signature Python cannot tell is let pass.
    name
        What it is called, for the message.

    Raises
    ------
    StudyError
        With a study to copy.
    """
    try:
        # What a decorator wraps may be called otherwise than the decorator calls it.
        signature = inspect.signature(target, follow_wrapped=False)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(object(), seed=0)
    except TypeError as error:
        raise StudyError(
            f"{name!r} cannot be called as study(cohort, seed=0): {error}; it is {name}{signature}."
            f" A study is handed a cohort and returns a row per held-out window, such as\n\n"
            f"{textwrap.indent(STUDY_TEMPLATE, '    ')}\nA model factory is a callable "
            f"factory(n_chans, n_outputs, n_times, sfreq)."
        ) from None
