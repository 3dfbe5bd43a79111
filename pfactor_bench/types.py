"""The values that flow from stage to stage; this module imports nothing of the project.

Importing it costs nothing either: numpy and pandas are named in annotations only, so that judging
and rendering stay quick.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = [
    "Budget",
    "Case",
    "CaseResult",
    "CheckStatus",
    "Claim",
    "ClaimLevel",
    "Cohort",
    "Curves",
    "Finding",
    "Fold",
    "Ingredient",
    "InnerValidation",
    "Interval",
    "Measurement",
    "ModelSpec",
    "PersonSaliency",
    "PlantedSignal",
    "Requirement",
    "Saliency",
    "Scalar",
    "ScoreScale",
    "Split",
    "Timing",
    "Verdict",
    "VerdictStatus",
]

CheckStatus: TypeAlias = Literal["pass", "fail", "warn", "not_applicable", "skipped", "error"]
ScoreScale: TypeAlias = Literal["raw", "standardized"]
VerdictStatus: TypeAlias = Literal["holds", "fails", "inconclusive"]
ClaimLevel: TypeAlias = Literal["gate", "report"]
Scalar: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PlantedSignal:
    """What a synthetic cohort hides in its windows, so that it can be looked for.

    Parameters
    ----------
    ch_names
        The channels that carry the score.
    frequency
        The carrier, in Hz.
    """

    ch_names: tuple[str, ...]
    frequency: float


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Cohort:
    """Windows of many subjects with one score per subject: what every study is handed.

    Build one with `pfactor_bench.cohorts.make_cohort`, which checks it and takes its fingerprint.

    Parameters
    ----------
    name
        The cohort's name, for reports.
    X
        Windows, float32, shape ``(n_windows, n_chans, n_times)``, in `unit`; not writable.
    y
        The subject's score repeated for each window, float64, shape ``(n_windows,)``.
    table
        A row per window: ``sample_id, subject, session, run, task, start, stop`` (samples in the
        recording, half open) and the subject-level columns (age, sex, ...).
    sfreq
        Sampling rate in Hz.
    ch_names
        Channel names in the order of ``X``'s second axis.
    unit
        Unit of `X`, such as ``"uV"``.
    target
        The score's name.
    fingerprint
        sha256 over the content; two cohorts with one fingerprint are the same data.
    provenance
        Where the data came from and how they were prepared, as plain JSON values.
    notes
        What a reader must know: conversions, exclusions with the subjects' names.
    planted
        The hidden signal, for synthetic cohorts.
    """

    name: str
    X: NDArray[np.float32]
    y: NDArray[np.float64]
    table: pd.DataFrame
    sfreq: float
    ch_names: tuple[str, ...]
    unit: str
    target: str
    fingerprint: str
    provenance: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    planted: PlantedSignal | None = None

    @property
    def subjects(self) -> NDArray[np.str_]:
        """The subject of each window, str, shape ``(n_windows,)``."""
        subjects: NDArray[np.str_] = self.table["subject"].to_numpy(dtype=str)
        return subjects

    @property
    def n_subjects(self) -> int:
        """How many people the cohort holds."""
        return int(self.table["subject"].nunique())


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Fold:
    """Which windows are trained on and which are held out, as positions in the cohort.

    Parameters
    ----------
    name
        ``"fold-0"``, ``"fold-1"``, ...
    train, test
        Positions of windows, int64. Nothing here forbids an overlap: finding one is a check's work.
    """

    name: str
    train: NDArray[np.int64]
    test: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Split:
    """The folds of one cohort, as a value that can be written down, checked, and wrong.

    Parameters
    ----------
    name
        How it was made, such as ``"last-subjects"``.
    folds
        One or more folds.
    """

    name: str
    folds: tuple[Fold, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class InnerValidation:
    """Choosing epochs and learning rate on people who are trained on, never on the held-out ones.

    Parameters
    ----------
    fraction
        Share of a fold's training people that the choice is made on.
    seed
        Of the draw of those people.
    learning_rates
        What to choose from; empty leaves the budget's.

    References
    ----------
    Varma & Simon 2006, doi:10.1186/1471-2105-7-91, on why the choice needs a loop of its own.
    """

    fraction: float = 0.25
    seed: int = 0
    learning_rates: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """How long and how hard a model is trained.

    Parameters
    ----------
    epochs
        Passes over the training windows. The last epoch's model is the one that is scored.
    batch_size
        Windows per step.
    learning_rate, weight_decay
        Of AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101).
    scores
        ``"raw"``, or ``"standardized"`` by mean and standard deviation over the training windows,
        for scores whose mean lies so far from 0 that learning it would take all of the budget.
        Predictions and errors are in the score's own unit either way.
    inner
        How the number of epochs, at most `epochs`, and the learning rate are chosen in each fold;
        None trains for `epochs`.
    """

    epochs: int
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3
    scores: ScoreScale = "raw"
    inner: InnerValidation | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelSpec:
    """A model by name, with what does not follow from the cohort.

    Parameters
    ----------
    name
        Of a braindecode model or an entry point, ``module:factory`` or ``file.py:factory``.
    args
        Further keyword arguments of its constructor.
    head
        The submodule that turns features into a score, where it cannot be found by itself.
    folder
        What a relative ``file.py`` starts from; None is the current folder.
    """

    name: str
    args: Mapping[str, Any] = field(default_factory=dict)
    head: str | None = None
    folder: Path | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ingredient:
    """A registered function by name, with the keyword arguments that the suite sets."""

    kind: str
    args: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Case:
    """One cell of a suite: a model in a regime from a seed.

    Parameters
    ----------
    regime
        Label of the regime, unique within the suite; measurements are named after it. With several
        models it begins with the model's.
    seed
        Of initial weights, batches and dropout, the same in every fold.
    start
        Name in `pfactor_bench.regimes.REGIMES`.
    learning_rate
        The regime's own; None takes the budget's.
    """

    regime: str
    model: ModelSpec
    seed: int
    start: str = "from-scratch"
    learning_rate: float | None = None

    @property
    def id(self) -> str:
        """The case's name in measurements, tests and reports."""
        return f"{self.regime}/seed-{self.seed}"


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
class PersonSaliency:
    """How each person's saliency is divided over channels and over frequencies.

    Parameters
    ----------
    people
        Names, sorted, shape ``(n_people,)``.
    channel_share
        Of |gradient|, shape ``(n_people, n_chans)``. A row adds up to 1, or is 0 where the person
        has no gradient.
    spectral_share
        Of the gradient's power over all channels, shape ``(n_people, n_frequencies)``: the real
        Fourier frequencies of a window above 0.
    """

    people: NDArray[np.str_]
    channel_share: NDArray[np.float64]
    spectral_share: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Saliency:
    """Where a model looks: |gradient of the prediction with respect to the input|.

    Parameters
    ----------
    chosen_by
        How its windows were chosen: ``"all-held-out"`` or ``"smallest-error"``.
    circular
        Whether the true scores took part in that choice.
    map
        Mean over the chosen windows, shape ``(n_chans, n_times)``, score per `Cohort.unit`.
    by_person
        The same person by person; None where it was not kept.
    randomised_similarity
        Rank correlation of `map` with the map of the same model with shuffled weights; None where
        it was not computed, or a map has no ranks.
    """

    chosen_by: str
    circular: bool
    map: NDArray[np.float64]
    by_person: PersonSaliency | None = None
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
    """

    predictions: pd.DataFrame
    curves: tuple[Curves, ...]
    saliency: tuple[Saliency, ...]
    n_parameters: int
    n_trainable: int
    n_frozen: int
    budgets: tuple[Budget, ...]
    timings: tuple[Timing, ...]

    def __post_init__(self) -> None:
        if self.n_trainable + self.n_frozen != self.n_parameters:
            raise ValueError(
                f"{self.n_trainable} trainable and {self.n_frozen} frozen parameters do not add up "
                f"to the model's {self.n_parameters}"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """A confidence interval.

    Parameters
    ----------
    low, high
        Its ends.
    level
        Nominal coverage.
    method
        How it was made, in words a methods section can use.
    se
        The estimate's standard error over people, from which the number of people that would settle
        a claim follows; None where only the ends are known.
    """

    low: float
    high: float
    level: float
    method: str
    se: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """A number that was measured. It knows no threshold.

    Parameters
    ----------
    name
        ``<regime>/seed-<seed>/<metric>``, or ``<regime>/<metric>`` for what is pooled over seeds.
    case
        The case or regime it belongs to: the name without the metric.
    value
        The number, or None where there is none.
    unit
        Its unit; empty for a pure number.
    ci
        Its interval over subjects, where one can be given.
    n_subjects
        How many people it rests on; None for what does not depend on a sample of people.
    missing_because
        Why there is no value. Set exactly when `value` is None.
    note
        What must be said beside the value.
    """

    name: str
    case: str
    value: float | None
    unit: str = ""
    ci: Interval | None = None
    n_subjects: int | None = None
    missing_because: str | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        if (self.value is None) != (self.missing_because is not None):
            raise ValueError(
                f"measurement {self.name!r} has value {self.value!r} and missing_because "
                f"{self.missing_because!r}: give exactly one of them"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What one check found.

    Parameters
    ----------
    code
        The check's, ``"LK003"``.
    title
        What it looks for, in a line.
    kinds
        The leak kinds it covers.
    status
        ``pass``, ``fail``, ``warn``, ``not_applicable``, ``skipped`` or ``error``.
    explanation
        One or two sentences for a person.
    fix
        What to do about it; empty where nothing is wrong.
    evidence
        Rows that show it, the first ones only.
    n_evidence
        How many rows there were.
    seconds
        What the check cost.
    """

    code: str
    title: str
    kinds: tuple[int, ...]
    status: CheckStatus
    explanation: str
    fix: str = ""
    evidence: tuple[Mapping[str, Scalar], ...] = ()
    n_evidence: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Requirement:
    """What a claim asks of its measurement. Exactly one of the first four is set.

    Parameters
    ----------
    above, below
        The threshold that the whole interval has to clear.
    near
        A value that the whole interval has to stay within `margin` of: practical equivalence.
    equals, tolerance
        A reference value and the largest difference allowed: for reproductions, not for inference.
    margin
        What still counts as no difference, in the measurement's unit. It moves the threshold of
        `above` down and that of `below` up ("no worse than"), and is the half-width of `near`.
    """

    above: float | None = None
    below: float | None = None
    near: float | None = None
    equals: float | None = None
    tolerance: float = 0.0
    margin: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A sentence about one measurement that can be judged. It holds no data.

    Parameters
    ----------
    id
        Short and stable.
    text
        The sentence.
    measurement
        The name of the measurement it speaks of.
    requirement
        What must be true of it.
    level
        A ``gate`` fails the run; a ``report`` is written down.
    """

    id: str
    text: str
    measurement: str
    requirement: Requirement
    level: ClaimLevel = "report"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What became of a claim.

    Parameters
    ----------
    claim
        The claim's id.
    status
        ``holds``, ``fails`` or ``inconclusive``.
    level
        The claim's.
    explanation
        Why, in a sentence.
    people_needed
        How many people would settle an inconclusive claim with 80 % power if the measured value
        were the truth; None where no number would, or none can be given.
    """

    claim: str
    status: VerdictStatus
    level: ClaimLevel
    explanation: str = field(default="")
    people_needed: int | None = None
