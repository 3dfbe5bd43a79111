"""The leak types that checks look for, by the numbers that findings state."""

from __future__ import annotations

from typing import Final

__all__ = ["KINDS"]

#: Those that Kapoor & Narayanan 2023 (doi:10.1016/j.patter.2023.100804) number name their number.
KINDS: Final = {
    1: "no held-out set (L1.1)",
    2: "rows in training and test",
    3: "subjects in training and test",
    4: "one subject under two names",
    5: "sessions or runs in training and test",
    6: "overlapping windows across the split",
    7: "exact duplicates of a signal (L1.4)",
    8: "near-duplicates: rescaled, re-referenced, shifted, resampled",
    9: "shared site, release or family (L3.2)",
    10: "a scaler or imputer fitted on all data (L1.2)",
    11: "ICA, alignment, harmonisation or PCA fitted on all data",
    12: "channels or features selected on all data (L1.3)",
    13: "exclusions chosen after seeing results",
    14: "the target scaled, clipped or corrected with test targets",
    15: "the target or its siblings among the inputs (L2)",
    16: "proxies: age, sex, duration, channel quality, file order",
    17: "best epoch or early stopping on the test set",
    18: "hyperparameters or regime chosen on the test set",
    19: "seeds picked by their result",
    20: "inner cross-validation that is not grouped by subject",
    21: "a test set used again and again",
    22: "pretraining that saw the test subjects",
    23: "a warm start across folds, seeds or regimes",
    24: "statistics of the test batch",
    25: "state kept between calls, or dependence on order",
    26: "windows counted as subjects",
    27: "augmentation or mixing across the split",
    28: "a stale cache or another split's artefact",
    29: "training on what was recorded later (L3.1)",
    30: "selective test sampling (L3.3)",
    31: "metrics that leak: a baseline from the test set, r of a constant",
    32: "a split that cannot be made again",
    33: "a circular explanation",
    34: "a channel typed EEG that carries the target or a proxy of it",
    35: "windows locked to the response, whose place in time holds the target",
    36: "a cache that ignores a corrected version of the labels",
    37: "adaptation at test time beyond what is declared",
    38: "a state that a copy of the predictor does not reset",
    39: "predictions shifted or clipped by constants that were tuned on the test set",
    40: "a subject's windows spread over the folds of one k-fold",
}
