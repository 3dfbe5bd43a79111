"""What a case left behind: predictions, curves, saliency, timings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from pfactor_bench.types.case import Budget
    from pfactor_bench.types.engine import TrainedBy

__all__ = ["CaseResult", "Curves", "Saliency", "SubjectSaliency", "Timing"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Curves:
    """What one training run did, epoch by epoch.

    Parameters
    ----------
    train_mse
        Mean over the epoch's training windows of the loss before each step, shape ``(n_epochs,)``.
    val_mse, val_r
        Squared error and Pearson r over the held-out *windows* after each epoch. They are watched,
        never used: the reported model is the last epoch's.
    """

    train_mse: NDArray[np.float64]
    val_mse: NDArray[np.float64]
    val_r: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SubjectSaliency:
    """How each subject's saliency is divided over channels and over frequencies.

    Parameters
    ----------
    subjects
        Names, sorted, shape ``(n_subjects,)``.
    channel_share
        Of |gradient|, shape ``(n_subjects, n_chans)``. A row adds up to 1, or is 0 where the
        subject has no gradient.
    spectral_share
        Of the gradient's power over all channels, shape ``(n_subjects, n_frequencies)``: the real
        Fourier frequencies of a window above 0.
    """

    subjects: NDArray[np.str_]
    channel_share: NDArray[np.float64]
    spectral_share: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Saliency:
    """Saliency of a model: |gradient of the prediction with respect to the input|.

    Parameters
    ----------
    chosen_by
        How its windows were chosen: ``"all-held-out"`` or ``"smallest-error"``.
    circular
        Whether the true targets took part in that choice.
    map
        Mean over the chosen windows, shape ``(n_chans, n_times)``, target per `Cohort.unit`.
    by_subject
        The same subject by subject; None where it was not kept.
    randomised_similarity
        Rank correlation of `map` with the map of the same model with randomised weights; None where
        it was not computed, or a map has no ranks.
    """

    chosen_by: str
    circular: bool
    map: NDArray[np.float64]
    by_subject: SubjectSaliency | None = None
    randomised_similarity: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """How long one piece of work took on this machine.

    Parameters
    ----------
    name
        What was timed, ``"from-scratch/seed-42/train"``.
    seconds
        Wall time, the device synchronised before and after.
    windows
        Windows processed in that time, where it makes sense.
    peak_bytes
        Peak memory: of the device where it has one, else of the process.
    """

    name: str
    device: str
    seconds: float
    windows: int | None = None
    peak_bytes: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CaseResult:
    """Everything that one case, a regime with a seed, left behind.

    Parameters
    ----------
    predictions
        The study contract's table: ``sample_id, fold, role, y_pred``.
    curves
        One entry per fold, in the split's order.
    saliency
        Maps averaged over folds, one per way of choosing windows.
    n_parameters, n_trainable, n_frozen
        Parameters of the model, those that the regime trains, and those that it leaves alone.
    budgets
        What each fold was trained with: the suite's budget, or what was chosen within it.
    timings
        What was timed while the case ran.
    trained_by
        Which engine; None where it is not known, as of a stored run that is measured again.
    """

    predictions: pd.DataFrame
    curves: tuple[Curves, ...]
    saliency: tuple[Saliency, ...]
    n_parameters: int
    n_trainable: int
    n_frozen: int
    budgets: tuple[Budget, ...]
    timings: tuple[Timing, ...]
    trained_by: TrainedBy | None = None

    def __post_init__(self) -> None:
        if self.n_trainable + self.n_frozen != self.n_parameters:
            raise ValueError(
                f"{self.n_trainable} trainable and {self.n_frozen} frozen parameters do not add up "
                f"to the model's {self.n_parameters}"
            )
