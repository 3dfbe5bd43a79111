"""EEGMAT: real EEG from a BIDS folder, where it is at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from pfactor_bench.cohorts import COHORTS
from pfactor_bench.cohorts.bids.cohort import bids
from pfactor_bench.cohorts.eegmat.cohort import CH_NAMES, eegmat
from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from pathlib import Path

    from pfactor_bench.types import Cohort


@pytest.fixture(scope="module")
def rest(data_dir: Path) -> Cohort:
    """Return EEGMAT with all its defaults."""
    return eegmat(data_dir=data_dir)


class TestEegmat:
    """The real data set, where it is at hand."""

    def test_rest_has_its_windows(self, rest: Cohort) -> None:
        """35 recordings of 90 s and one of 80 s, in windows of 2 s."""
        assert rest.X.shape == (1615, 8, 200)

    def test_all_subjects_takes_part(self, rest: Cohort) -> None:
        """36 subjects, nobody left out."""
        assert (rest.n_subjects, len(rest.notes)) == (36, 0)

    def test_samples_have_the_size_of_eeg(self, rest: Cohort) -> None:
        """A few to a few dozen microvolts."""
        assert np.all((rest.X.std(axis=(0, 2)) > 2) & (rest.X.std(axis=(0, 2)) < 50))

    def test_targets_are_the_table_s(self, rest: Cohort, data_dir: Path) -> None:
        """Subject by subject."""
        subjects = pd.read_csv(data_dir / "eegmat" / "participants.tsv", sep="\t")
        expected = dict(zip(subjects["participant_id"], subjects["n_subtractions"], strict=True))

        assert dict(zip(rest.subjects, rest.y, strict=True)) == expected

    def test_confounds_are_in_the_table(self, rest: Cohort) -> None:
        """Age and sex."""
        assert {"age", "sex"} <= set(rest.table.columns)

    def test_source_is_cited(self, rest: Cohort) -> None:
        """By its DOI."""
        assert rest.provenance["doi"] == "doi:10.13026/C2JQ1P"

    def test_channels_are_the_eight(self, rest: Cohort) -> None:
        """In the case study's order."""
        assert rest.ch_names == CH_NAMES

    def test_missing_folder_says_where_to_get_it(self, tmp_path: Path) -> None:
        """And how to point at it."""
        with pytest.raises(CohortError, match=r"--data DIR .* PhysioNet, doi:10.13026/C2JQ1P"):
            eegmat(data_dir=tmp_path)


@pytest.mark.parametrize(("name", "maker"), [("bids", bids), ("eegmat", eegmat)])
def test_registry_offers_it(name: str, maker: object) -> None:
    """Under the name that a suite uses."""
    assert COHORTS[name] is maker
