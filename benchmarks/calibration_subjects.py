"""The populations that the calibration benchmark draws subjects from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import rankdata

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["BOUNDARY", "EFFECTS", "P_FACTOR", "SCENARIOS", "UNSEEN", "Scenario", "add_p_factor"]

SEEDS = 5
TRAIN_MEAN_ERROR = 0.1

#: The name under which the p-factors of real subjects are drawn from, where they are at hand.
P_FACTOR = "p-factor"

#: Subjects from whom the truths without a formula are computed: MAE and Spearman's correlation.
MANY = 200_000


def _contaminated(rng: np.random.Generator, n: int) -> Array:
    wide = np.where(rng.random(n) < 0.05, 4.0, 1.0)  # noqa: PLR2004 - one subject in twenty
    return rng.standard_normal(n) * wide / np.sqrt(0.95 + 0.05 * 16)


#: How targets are drawn; always mean 0 and variance 1.
TARGETS: dict[str, Callable[[np.random.Generator, int], Array]] = {
    "normal": lambda rng, n: rng.standard_normal(n),
    "skewed": lambda rng, n: (rng.gamma(4, size=n) - 4) / 2,
    "heavy-tailed": lambda rng, n: rng.standard_t(5, size=n) / np.sqrt(5 / 3),
    "Laplace": lambda rng, n: rng.laplace(size=n) / np.sqrt(2),
    "exponential": lambda rng, n: rng.exponential(size=n) - 1,
    "contaminated": _contaminated,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """A population of subjects and a model whose seeds partly agree.

    Parameters
    ----------
    targets
        A name in `TARGETS`.
    r
        Correlation between the targets and what the seeds have in common.
    spread
        Standard deviation of the predictions. Twice the attainable r makes skill exactly 0.
    agreement
        Correlation between two seeds' predictions, what the targets explain aside.
    """

    targets: str
    r: float
    spread: float
    agreement: float

    @property
    def name(self) -> str:
        """The scenario in a few words."""
        return f"{self.targets}, r = {self.attained:.2f}, skill = {self.skill:+.2f}"

    @property
    def attained(self) -> float:
        """Correlation between the targets and one seed's predictions."""
        return self.r * float(np.sqrt(self.agreement))

    @property
    def mse(self) -> float:
        """Mean squared error of one seed."""
        return 1 - 2 * self.spread * self.attained + self.spread**2

    @property
    def skill(self) -> float:
        """Share of the train mean's squared error that is gone."""
        return 1 - self.mse / (1 + TRAIN_MEAN_ERROR**2)

    @property
    def truth(self) -> dict[str, float]:
        """What an endless number of subjects would give."""
        mae, spearman = _without_formula(self)
        return {
            "skill": self.skill,
            "r": self.attained,
            "difference": 1 + TRAIN_MEAN_ERROR**2 - self.mse,
            "mse": self.mse,
            "mae": mae,
            "r2": 1 - self.mse,
            "nrmse": float(np.sqrt(self.mse)),
            "spearman_r": spearman,
        }

    def sample(
        self, rng: np.random.Generator, n: int, n_seeds: int = SEEDS
    ) -> tuple[Array, Array, Array]:
        """Return true targets ``(n,)``, predictions ``(n_seeds, n)`` and train mean ``(n,)``."""
        y = TARGETS[self.targets](rng, n)
        common = self.r * y + np.sqrt(1 - self.r**2) * rng.standard_normal(n)
        own = rng.standard_normal((n_seeds, n))
        mixed = np.sqrt(self.agreement) * common + np.sqrt(1 - self.agreement) * own
        return y, self.spread * mixed, np.full(n, TRAIN_MEAN_ERROR)


@lru_cache
def _without_formula(scenario: Scenario) -> tuple[float, float]:
    y, y_pred, _ = scenario.sample(np.random.default_rng(0), MANY, n_seeds=1)
    spearman = np.corrcoef(rankdata(y), rankdata(y_pred[0]))[0, 1]
    return float(np.abs(y - y_pred).mean()), float(spearman)


#: An overconfident model of nothing, the field's effects at exactly no skill, and a strong effect.
EFFECTS = ((0.0, 0.3, 0.5), (0.15, 0.27, 0.9), (0.5, 0.45, 0.8))


def _scenarios(*names: str) -> tuple[Scenario, ...]:
    return tuple(
        Scenario(targets=targets, r=r, spread=spread, agreement=agreement)
        for targets in names
        for r, spread, agreement in EFFECTS
    )


#: What methods were chosen by, on other draws than the published ones.
SCENARIOS = _scenarios("normal", "skewed", "heavy-tailed")

#: What played no part in the choice.
UNSEEN = _scenarios("Laplace", "exponential", "contaminated")

#: Skill exactly that of the train mean although r is not 0: the null that is hardest to keep.
BOUNDARY = Scenario(
    targets="normal",
    r=0.15,
    spread=0.15 * np.sqrt(0.9) + np.sqrt(0.15**2 * 0.9 + TRAIN_MEAN_ERROR**2),
    agreement=0.9,
)


def add_p_factor(data_dir: Path | None) -> tuple[Scenario, ...]:
    """Draw targets from the p-factors of the Healthy Brain Network, if their table is at hand.

    Parameters
    ----------
    data_dir
        The folder that holds ``hbn/participants_all_releases.tsv``; None is nowhere.

    Returns
    -------
    tuple of Scenario
        One per effect; empty without the table.
    """
    path = Path(data_dir or "") / "hbn" / "participants_all_releases.tsv"
    if data_dir is None or not path.is_file():
        return ()
    targets = pd.to_numeric(pd.read_csv(path, sep="\t")["p_factor"], errors="coerce").dropna()
    TARGETS[P_FACTOR] = partial(
        _one_of, (targets - targets.mean()).to_numpy() / targets.std(ddof=0)
    )
    return _scenarios(P_FACTOR)


def _one_of(values: Array, rng: np.random.Generator, n: int) -> Array:
    return rng.choice(values, n)
