"""Splitters as scikit-learn takes them: ``split(X, y, groups)``, with the subjects as groups.

They draw the folds that a suite's rules draw from the same seed, in every process.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pfactor_bench.cohorts.targets import is_known
from pfactor_bench.errors import ConfigError
from pfactor_bench.splits.manifest import make_manifest
from pfactor_bench.splits.rows import rows_of, subjects_of
from pfactor_bench.splits.splitters import (
    LeaveGroupOut,
    grouped_k_fold,
    make_split,
    repeated_grouped_k_fold,
)
from pfactor_bench.splits.stratified import stratified_grouped_k_fold
from pfactor_bench.types import Cohort, Ingredient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pfactor_bench.types import Split

__all__ = [
    "GroupedKFold",
    "LeaveSiteOut",
    "RepeatedGroupedKFold",
    "StratifiedGroupedKFold",
]


class _SubjectSplitter(ABC):
    """What all splitters share: scikit-learn's methods and the manifest."""

    __slots__ = ()

    def split(
        self, X: object, y: object = None, groups: object = None
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Return the positions of training and test rows, fold by fold.

        Parameters
        ----------
        X
            Rows, such as windows.
        y
            The target of each row, which stratified folds need.
        groups
            The subject of each row.

        Raises
        ------
        ConfigError
            If these rows cannot be split so.
        """
        folds = self._draw(_subjects_of_rows(X, groups), y).folds
        return iter([(fold.train, fold.test) for fold in folds])

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:
        """Return how many folds `split` returns; only sites have to know the `groups` for that."""
        del X, y
        return self._n_folds(groups)

    def to_manifest(self, table: object, y: object = None) -> dict[str, Any]:
        """Return who is trained on and held out in each fold, as plain JSON values.

        `apply_manifest` replays it; ``docs/split-manifest.schema.json`` describes it.

        Parameters
        ----------
        table
            A data frame with a column ``subject``, a cohort, or a data set of braindecode.
        y
            The target of each row, which stratified folds need.
        """
        subjects = rows_of(table)["subject"].to_numpy(dtype=str)
        return make_manifest(
            self._draw(subjects, y),
            subjects,
            arguments=asdict(self),  # type: ignore[call-overload]
            fingerprint=table.fingerprint if isinstance(table, Cohort) else None,
        )

    @abstractmethod
    def _n_folds(self, groups: object) -> int:
        """Return how many folds there are."""

    @abstractmethod
    def _draw(self, subjects: NDArray[np.str_], y: object) -> Split:
        """Return the folds of rows of these subjects."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupedKFold(_SubjectSplitter):
    """Hold out one part of the subjects after the other; a suite's ``grouped-k-fold``.

    Parameters
    ----------
    n_folds
        Parts; each subject is held out exactly once.
    seed
        Of the permutation. The order of rows plays no part.
    """

    n_folds: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        _require_whole(self, n_folds=2, seed=0)

    def _n_folds(self, groups: object) -> int:  # noqa: ARG002
        return self.n_folds

    def _draw(self, subjects: NDArray[np.str_], y: object) -> Split:  # noqa: ARG002
        return grouped_k_fold(n_folds=self.n_folds, seed=self.seed)(subjects)


@dataclass(frozen=True, kw_only=True, slots=True)
class RepeatedGroupedKFold(_SubjectSplitter):
    """Hold every subject out once in each repetition; a suite's ``repeated-grouped-k-fold``.

    Parameters
    ----------
    n_folds
        Parts of one repetition.
    n_repeats
        Repetitions.
    seed
        Of the first repetition; the others count up.
    """

    n_folds: int = 5
    n_repeats: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        _require_whole(self, n_folds=2, n_repeats=1, seed=0)

    def _n_folds(self, groups: object) -> int:  # noqa: ARG002
        return self.n_folds * self.n_repeats

    def _draw(self, subjects: NDArray[np.str_], y: object) -> Split:  # noqa: ARG002
        rule = repeated_grouped_k_fold(
            n_folds=self.n_folds, n_repeats=self.n_repeats, seed=self.seed
        )
        return rule(subjects)


@dataclass(frozen=True, kw_only=True, slots=True)
class StratifiedGroupedKFold(_SubjectSplitter):
    """Hold out parts of the subjects whose targets are alike.

    Who is held out follows the targets, so an audit that redraws those sees the folds change.

    Parameters
    ----------
    n_folds
        Parts; each subject is held out exactly once.
    n_bins
        Bins of the targets with equally many subjects; equal targets share one.
    seed
        Of the permutation inside each bin.
    """

    n_folds: int = 5
    n_bins: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        _require_whole(self, n_folds=2, n_bins=2, seed=0)

    def _n_folds(self, groups: object) -> int:  # noqa: ARG002
        return self.n_folds

    def _draw(self, subjects: NDArray[np.str_], y: object) -> Split:
        return stratified_grouped_k_fold(
            subjects, y, n_folds=self.n_folds, n_bins=self.n_bins, seed=self.seed
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaveSiteOut(_SubjectSplitter):
    """Hold out the subjects of one site or release after the other; ``leave-group-out``.

    Parameters
    ----------
    sites
        The site of each subject.
    """

    sites: Mapping[str, str]

    def __post_init__(self) -> None:
        if not isinstance(self.sites, Mapping):
            raise ConfigError(f"sites is {self.sites!r}: pass a site for every subject, a mapping")
        known = is_known(pd.Series([*self.sites.values()], dtype=object))
        for subject in np.array([*self.sites], dtype=object)[~known]:
            raise _without_site(str(subject))
        # A copy in text, which nobody changes afterwards and JSON holds.
        texts = {str(subject): str(site) for subject, site in self.sites.items()}
        object.__setattr__(self, "sites", texts)

    @classmethod
    def from_table(cls, table: object, *, column: str = "site") -> LeaveSiteOut:
        """Return the splitter by the sites that a table names.

        Parameters
        ----------
        table
            A data frame with a column ``subject``, a cohort, or a data set of braindecode.
        column
            The column that names a subject's site.

        Raises
        ------
        ConfigError
            If a subject has none, or several.
        """
        rows = rows_of(table)
        make_split(Ingredient(kind="leave-group-out", args={"column": column}), rows)
        return cls(sites=dict(zip(rows["subject"], rows[column], strict=True)))

    def _n_folds(self, groups: object) -> int:
        return len(np.unique(self._site_of_each(_subjects_of_rows(None, groups))))

    def _draw(self, subjects: NDArray[np.str_], y: object) -> Split:  # noqa: ARG002
        return LeaveGroupOut(column="site").split_groups(subjects, self._site_of_each(subjects))

    def _site_of_each(self, subjects: NDArray[np.str_]) -> NDArray[np.str_]:
        for subject in subjects.tolist():
            if subject not in self.sites:
                raise _without_site(subject)
        return np.array([self.sites[subject] for subject in subjects.tolist()])


def _without_site(subject: str) -> ConfigError:
    return ConfigError(
        f"subject {subject!r} has no site, so it is not known with whom to leave them out: leave "
        f"such subjects out, or name their site"
    )


def _require_whole(splitter: _SubjectSplitter, **least: int) -> None:
    """Refuse arguments that are no whole numbers: with none, a seed is drawn anew every time."""
    for name, smallest in least.items():
        value = getattr(splitter, name)
        if isinstance(value, bool) or not isinstance(value, Integral) or value < smallest:
            raise ConfigError(
                f"{name} is {value!r}: it must be a whole number, at least {smallest}"
            )
        object.__setattr__(splitter, name, int(value))


def _subjects_of_rows(X: Any, groups: object) -> NDArray[np.str_]:  # noqa: ANN401 - any rows
    if groups is None:
        raise ConfigError("groups is None: pass the subject of each row, groups=...")
    subjects = subjects_of(groups)
    if X is None:  # the rows themselves play no part
        return subjects
    # A sparse matrix has a shape and no length, a data set the reverse.
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    if len(subjects) != n_rows:
        raise ConfigError(f"{len(subjects)} subjects for {n_rows} rows: pass one a row")
    return subjects
