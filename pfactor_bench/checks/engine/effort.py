"""How much work an audit may be."""

from __future__ import annotations

from dataclasses import dataclass

from pfactor_bench.errors import UnknownNameError

__all__ = ["DEFAULT", "EFFORTS", "QUICK", "THOROUGH", "Effort", "effort_of"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """How often a study is run again.

    Parameters
    ----------
    unchanged
        Runs without any change: their differences are the study's own noise.
    folds
        Folds whose held-out subjects are changed; spread over all folds.
    scales
        Sizes of random label changes, in standard deviations of the targets; each fold's targets
        are gathered far above and far below all others besides.
    label_draws, signal_draws, noise_draws
        Draws per scale, subjects whose signal is replaced, cohorts of noise.
    permutations
        Most label permutations of the whole study.
    paired_folds
        Folds, by subject and by window, that show what a split of windows would gain; 0 for none.
    """

    unchanged: int
    folds: int
    scales: tuple[float, ...]
    label_draws: int
    signal_draws: int
    noise_draws: int
    permutations: int
    paired_folds: int


QUICK = Effort(
    unchanged=2,
    folds=1,
    scales=(3.0,),
    label_draws=1,
    signal_draws=1,
    noise_draws=2,
    permutations=0,
    paired_folds=0,
)
DEFAULT = Effort(
    unchanged=2,
    folds=2,
    scales=(1.0, 3.0, 10.0),
    label_draws=1,
    signal_draws=2,
    noise_draws=3,
    permutations=0,
    paired_folds=3,
)
THOROUGH = Effort(
    unchanged=4,
    folds=10,
    scales=(1.0, 3.0, 10.0),
    label_draws=4,
    signal_draws=4,
    noise_draws=5,
    permutations=80,
    paired_folds=5,
)

#: By the names that Python and the command line take.
EFFORTS = {"quick": QUICK, "default": DEFAULT, "thorough": THOROUGH}


def effort_of(given: Effort | str) -> Effort:
    """Return an effort that is given as such or by its name.

    Raises
    ------
    UnknownNameError
        If no effort is called so.
    """
    if isinstance(given, Effort):
        return given
    if given not in EFFORTS:
        raise UnknownNameError("effort", str(given), EFFORTS)
    return EFFORTS[given]
