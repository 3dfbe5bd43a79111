"""Changes to a cohort: what moves, and what must stay where it is."""

from __future__ import annotations

import numpy as np

from pfactor_bench.cohorts import COHORTS
from pfactor_bench.studies.changes import changed, rename_one


def test_new_name_of_one_subject_sorts_where_the_old_one_did() -> None:
    """Among names without leading zeros, too: subjects keep their order."""
    cohort = COHORTS["synthetic"](n_subjects=12, n_windows=1)
    table = cohort.table.assign(subject=[f"sub-{number}" for number in range(1, 13)])
    numbered = changed(cohort, table=table)
    before = np.unique(numbered.subjects, return_inverse=True)[1]
    for subject in numbered.subjects:
        renamed = rename_one(numbered, subject)
        assert (renamed.subjects != numbered.subjects).sum() == 1
        assert np.array_equal(before, np.unique(renamed.subjects, return_inverse=True)[1])
