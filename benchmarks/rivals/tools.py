"""Other leakage tools, each handed a scene in the way that it documents.

A function takes a scene, as ``export.py`` wrote it, and returns what the tool accuses it of, or
nothing. What a tool cannot be given raises `NotApplicableError`. Every tool is imported inside its
function: each has an environment of its own.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TOOLS", "NotApplicableError", "Tool"]

#: What a p-value is compared with where a tool names no level but its documentation does.
_LEVEL = 0.05

Scene = dict[str, Any]


class NotApplicableError(Exception):
    """The tool has no way to be given this scene."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tool:
    """A tool that is run.

    Parameters
    ----------
    package
        Its name on PyPI.
    accuses
        From a scene to what it is accused of; empty if of nothing.
    needs
        What it has to be given.
    given
        How it was given that here.
    """

    package: str
    accuses: Callable[[Scene], str]
    needs: str
    given: str


def leakfence(scene: Scene) -> str:
    """Audit one split: subjects, sessions, sample ranges, and rows that occur twice."""
    from leakfence import audit_split, check_duplicates

    found = audit_split(
        scene["train"],
        scene["test"],
        subject=scene["subject"],
        session=scene["session"],
        sample_range=list(zip(scene["start"].tolist(), scene["stop"].tolist(), strict=True)),
        recording=[f"{a}/{b}" for a, b in zip(scene["subject"], scene["session"], strict=True)],
        paradigm="cross-subject",
    )
    _, copies = check_duplicates(
        scene["features"], train_idx=scene["train"], test_idx=scene["test"]
    )
    said = [*found.errors, *(one for one in copies if one.severity == "error")]
    return "; ".join(str(one) for one in said)[:200]


#: Rules of its data layer that can fail a run; the others are advisory and take seconds.
_GATING = ("D001", "D003", "D007", "TM001")


def ml_leakproof(scene: Scene) -> str:
    """Audit frames of training and test rows; only what would fail a run counts."""
    from ml_leakproof import analyze_data
    from ml_leakproof.core.config import Config

    config = Config()
    config.select = list(_GATING)
    frames = [_frame(scene, side) for side in ("train", "test")]
    found = analyze_data(*frames, target="target", group="subject", config=config)
    gated = [one for one in found.findings if one.gateable]
    if not gated and str(found.completion.value) == "failed":
        raise NotApplicableError("; ".join(one.message for one in found.diagnostics)[:160])
    return "; ".join(sorted({f"{one.rule_id} {one.message}" for one in gated}))[:200]


def deepchecks_overlap(scene: Scene) -> str:
    """Look for subjects and rows of the training side among the held-out ones."""
    from deepchecks.tabular.checks import IndexTrainTestLeakage, TrainTestSamplesMix

    return _failed(
        scene,
        IndexTrainTestLeakage().add_condition_ratio_less_or_equal(),
        TrainTestSamplesMix().add_condition_duplicates_ratio_less_or_equal(),
    )


def deepchecks_power(scene: Scene) -> str:
    """Look for features that predict the target on one side and not on the other."""
    from deepchecks.tabular.checks import FeatureLabelCorrelationChange

    check = FeatureLabelCorrelationChange().add_condition_feature_pps_difference_less_than()
    return _failed(scene, check.add_condition_feature_pps_in_train_less_than())


def _failed(scene: Scene, *checks: Any) -> str:
    """Return the names of deepchecks' checks whose conditions fail."""
    warnings.filterwarnings("ignore")
    from deepchecks.tabular import Dataset

    sides = [
        Dataset(
            _frame(scene, side),
            label="target",
            index_name="subject",
            cat_features=[],
            label_type="regression",
        )
        for side in ("train", "test")
    ]
    failed = [
        type(check).__name__
        for check in checks
        if any(one.category.value == "FAIL" for one in check.run(*sides).conditions_results)
    ]
    return ", ".join(failed)


def auditeeg(scene: Scene) -> str:
    """Compare each subject's error with the clean twin's."""
    from auditeeg import audit_leakage_mechanism

    if not len(scene["subjects"]):
        raise NotApplicableError("the leak renames every subject: nobody has a clean twin")
    found = audit_leakage_mechanism(-scene["error_here"], -scene["error_clean"])
    return f"p = {found['p_value']:.2g}" if found["p_value"] < _LEVEL else ""


def leakly(scene: Scene) -> str:
    """Compare the targets of permuted studies with chance, by its own test."""
    from leakly.stats import permutation_test

    if not len(scene["permuted_r"]):
        raise NotApplicableError("the study does not run on all permuted targets")
    p = permutation_test(0.0, scene["permuted_r"], alternative="less")
    return f"p = {p:.2g}" if p < _LEVEL else ""


def foldguard(scene: Scene) -> str:
    """Mark held-out rows wherever the study reads them, and run the study under guard."""
    from marked_study import violations

    return "; ".join(violations(json.loads(str(scene["recipe"])), str(scene["leak"])))[:200]


def _frame(scene: Scene, side: str) -> pd.DataFrame:
    rows = scene[side]
    columns = [f"f{number}" for number in range(scene["features"].shape[1])]
    frame = pd.DataFrame(scene["features"][rows], columns=columns)
    return frame.assign(subject=scene["subject"][rows], target=scene["y"][rows])


_FRAMES = "band power, subject and target of the first fold's training and test rows"

#: By the name of the row in the table.
TOOLS = {
    "leakfence": Tool(
        package="leakfence",
        accuses=leakfence,
        needs="indices, subjects, sessions, sample ranges",
        given="the first fold's rows, and band power for duplicates",
    ),
    "ml-leakproof, data layer": Tool(
        package="ml-leakproof",
        accuses=ml_leakproof,
        needs="frames of training and test rows",
        given=f"{_FRAMES}; its rules that can fail a run, without the advisory ones; its layers "
        "for source code and for running code were not run",
    ),
    "deepchecks, overlap": Tool(
        package="deepchecks",
        accuses=deepchecks_overlap,
        needs="frames of training and test rows",
        given=f"{_FRAMES}, the subject as index; failed conditions of IndexTrainTestLeakage and "
        "TrainTestSamplesMix count, with the thresholds of its train-test suite",
    ),
    "deepchecks, predictive power": Tool(
        package="deepchecks",
        accuses=deepchecks_power,
        needs="frames of training and test rows",
        given="as above, FeatureLabelCorrelationChange; the suite's checks of dates, drift and "
        "sizes were not run",
    ),
    "auditeeg": Tool(
        package="auditeeg",
        accuses=auditeeg,
        needs="a clean twin of each study",
        given="each subject's squared error in the study and its clean twin; p < 0.05 counts",
    ),
    "Leakly": Tool(
        package="Leakly",
        accuses=leakly,
        needs="a study that runs again on other targets",
        given="r over subjects in 100 permuted studies; its own p < 0.05 counts",
    ),
    "foldguard": Tool(
        package="foldguard",
        accuses=foldguard,
        needs="marks on evaluation rows inside the study's own code",
        given="every read of held-out rows marked by a wrapper around the study's arrays; any "
        "violation counts",
    ),
}
