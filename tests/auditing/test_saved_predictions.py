"""Saved predictions as subjects of an audit: every natural file is taken, or told what it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from pfactor_bench import audit
from pfactor_bench.auditing.columns import read_choice
from pfactor_bench.cli.main import main
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.errors import PfactorBenchError, StudyError
from pfactor_bench.studies.changes import changed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pfactor_bench.auditing.result import Audit
    from pfactor_bench.types import Finding

_COHORT = synthetic(n_subjects=10, n_windows=6, seed=5)
_WINDOWS = _COHORT.table["sample_id"].astype(str).to_numpy()
_SUBJECTS, _FIRST = np.unique(_COHORT.subjects, return_index=True)
_Y = _COHORT.y[_FIRST]
_RNG = np.random.default_rng(0)
_PRED = _RNG.normal(size=len(_SUBJECTS))
_WINDOW_PRED = _RNG.normal(size=len(_WINDOWS))
_FOLD = np.arange(len(_SUBJECTS)) % 5

_PER_SUBJECT = pd.DataFrame({"subject": _SUBJECTS, "y_true": _Y, "y_pred": _PRED})
_PER_WINDOW = pd.DataFrame({"window": _WINDOWS, "y_pred": _WINDOW_PRED})
_MOABB = pd.DataFrame(
    {"score": _PRED, "subject": _SUBJECTS, "session": "0", "dataset": "mine", "pipeline": "LDA"}
)


def _csv(table: pd.DataFrame, **options: Any) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        table.to_csv(folder / "saved.csv", **{"index": False, **options})
        return folder / "saved.csv"

    return write


def _tsv(folder: Path) -> Path:
    _PER_SUBJECT.to_csv(folder / "saved.TSV", sep="\t", index=False)
    return folder / "saved.TSV"


def _parquet(folder: Path) -> Path:
    _PER_SUBJECT.set_index("subject").to_parquet(folder / "saved.parquet")
    return folder / "saved.parquet"


def _npy(values: Any) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        np.save(folder / "saved.npy", values)
        return folder / "saved.npy"

    return write


def _npz(**arrays: Any) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        np.savez(folder / "saved.npz", allow_pickle=True, **arrays)
        return folder / "saved.npz"

    return write


_BY_WINDOW = pd.DataFrame(
    {"subject": _COHORT.subjects, "y_pred": _WINDOW_PRED, "fold": np.arange(len(_WINDOWS)) % 5}
)
#: What people have, and what comes of it: a verdict, or a part of the refusal.
_NATURAL: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a row per subject": (_csv(_PER_SUBJECT), "inconclusive"),
    "with an index column": (_csv(_PER_SUBJECT, index=True), "inconclusive"),
    "tsv": (_tsv, "inconclusive"),
    "truth and prediction only": (_csv(_PER_SUBJECT[["y_true", "y_pred"]]), "inconclusive"),
    "an array per window": (_npy(_WINDOW_PRED), "inconclusive"),
    "an array per subject": (_npy(_PRED[:, None]), "inconclusive"),
    "npz": (_npz(subjects=_SUBJECTS, y_pred=_PRED), "inconclusive"),
    "id and target": (_csv(pd.DataFrame({"id": _SUBJECTS, "target": _PRED})), "inconclusive"),
    "row numbers": (
        _csv(pd.DataFrame({"Row": range(len(_WINDOWS)), "pred": _WINDOW_PRED})),
        "inconclusive",
    ),
    "a column prediction": (
        _csv(_PER_SUBJECT.rename(columns={"y_pred": "Prediction"})),
        "inconclusive",
    ),
    "scores of MOABB": (_csv(_MOABB), "holds scores of models, no predictions"),
    "subjects as ids": (
        _csv(pd.DataFrame({"participant_id": _SUBJECTS, "yhat": _PRED})),
        "inconclusive",
    ),
    "window ids": (_csv(_PER_WINDOW), "inconclusive"),
    "with fold": (_csv(_PER_SUBJECT.assign(cv_fold=_FOLD)), "inconclusive"),
    "parquet": (_parquet, "inconclusive"),
    "k-fold by window": (_csv(_BY_WINDOW), "leaky"),
    "submission by window": (
        _csv(pd.DataFrame({"id": _WINDOWS, "target": _WINDOW_PRED})),
        "inconclusive",
    ),
}


def _audited(path: object, cohort: Any = _COHORT, **options: Any) -> Audit:
    return audit(path, cohort, progress=False, **options)


def _found(result: Audit, code: str) -> Finding:
    return next(one for one in result.findings if one.code == code)


@pytest.mark.parametrize("name", _NATURAL)
def test_natural_file_is_taken_or_told_what_it_lacks(name: str, tmp_path: Path) -> None:
    """None is called clean: predictions alone can be looked at and not run again."""
    write, expected = _NATURAL[name]
    path = write(tmp_path)
    if expected not in {"inconclusive", "leaky"}:
        with pytest.raises(StudyError, match=expected):
            _audited(path)
        return
    result = _audited(path)
    assert result.verdict == expected
    assert _found(result, "LK035").status == "pass"
    assert [one.code for one in result.findings if one.status in {"warn", "error"}] == []
    assert any("y_pred" in note for note in result.notes)


def test_by_window_folds_are_named() -> None:
    """Subjects held out in several folds are found though no window has a name."""
    assert _found(_audited(_BY_WINDOW), "LK003").status == "fail"


def test_a_prediction_of_a_subject_speaks_for_all_windows() -> None:
    """A correlation over subjects is that of the file."""
    r = np.corrcoef(_Y, _PRED)[0, 1]
    result = _audited(_PER_SUBJECT, claims={"r": f"{r:.4f}", "n": 10})
    assert _found(result, "LK036").status == "pass"


def test_rows_follow_their_ids_and_not_their_order() -> None:
    """A shuffled file says the same."""
    r = np.corrcoef(_Y, _PRED)[0, 1]
    shuffled = _PER_SUBJECT.sample(frac=1, random_state=1)
    result = _audited(shuffled, claims={"r": f"{r:.4f}"})
    assert (_found(result, "LK036").status, _found(result, "LK039").status) == ("pass", "pass")


def test_an_array_in_hand_is_taken() -> None:
    """What cross_val_predict returns needs no file."""
    assert _audited(_WINDOW_PRED).kind == "predictions"


def test_number_within_a_subject_is_a_window() -> None:
    """Epochs are often counted anew for each subject."""
    table = pd.DataFrame(
        {"subject": _COHORT.subjects, "epoch": np.tile(np.arange(6), 10), "pred": _WINDOW_PRED}
    )
    r = np.corrcoef(_Y, _WINDOW_PRED.reshape(10, 6).mean(axis=1))[0, 1]
    result = _audited(table.sample(frac=1, random_state=1), claims={"r": f"{r:.4f}"})
    assert _found(result, "LK036").status == "pass"


def test_leading_zeros_stay(tmp_path: Path) -> None:
    """``01`` is a name; read as a number it would be nobody's."""
    names = pd.Series(_COHORT.subjects).str.removeprefix("sub-").to_numpy()
    cohort = changed(_COHORT, table=_COHORT.table.assign(subject=names))
    table = _PER_SUBJECT.assign(subject=np.unique(names))
    assert _audited(_csv(table)(tmp_path), cohort).verdict == "inconclusive"
    with pytest.raises(StudyError, match=r"'0'.* is spelt '00' in the cohort"):
        _audited(table.assign(subject=table["subject"].astype(int)), cohort)


def test_split_may_hold_roles() -> None:
    """A column that says train and test names no folds."""
    table = _PER_SUBJECT.assign(split=["train"] * 5 + ["test"] * 5)
    result = _audited(table)
    assert (_found(result, "LK001").status, _found(result, "LK035").status) == ("pass", "warn")


@pytest.mark.parametrize(
    ("values", "status"),
    [
        (np.roll(_Y, 1), "fail"),
        (np.r_[_Y[1], _Y[0], _Y[2:]], "fail"),
        ((_Y - _Y.mean()) / _Y.std(), "warn"),
        (_Y.round(2), "pass"),
        (_Y.astype(np.float32), "pass"),
        (np.r_[np.nan, _Y[1:]], "pass"),
    ],
    ids=["rolled", "two exchanged", "standardised", "rounded", "float32", "one missing"],
)
def test_reported_targets_are_compared(values: Any, status: str) -> None:
    """Another subject's target beside a prediction is misassigned, another unit is not."""
    assert _found(_audited(_PER_SUBJECT.assign(y_true=values)), "LK039").status == status


def test_coarser_labels_are_another_unit() -> None:
    """Ratings cut at the median are values of other subjects, and no subject's are exchanged."""
    ratings = np.arange(10) % 4
    cohort = changed(_COHORT, y=np.repeat(ratings, 6).astype(float))
    table = _PER_SUBJECT.assign(y_true=(ratings > 0).astype(int))
    assert _found(_audited(table, cohort), "LK039").status == "warn"


@pytest.mark.parametrize("name", ["id", "row", "index", ""])
def test_numbers_beside_subjects_may_count_rows(name: str) -> None:
    """They are no windows of the subjects beside them, though each has as many."""
    cohort = synthetic(n_subjects=10, n_windows=12, seed=5)
    result = _audited(_PER_SUBJECT.assign(**{name: range(10)}), cohort)
    assert "each row is a subject's" in result.notes[0]


def test_index_that_was_sorted_says_which_row_is_whose() -> None:
    """Predictions of several folds keep the rows that they were made from."""
    order = np.random.default_rng(3).permutation(len(_WINDOWS))
    table = pd.DataFrame({"y_pred": _WINDOW_PRED, "fold": 0}).iloc[order]
    r = np.corrcoef(_Y, _WINDOW_PRED.reshape(10, 6).mean(axis=1))[0, 1]
    assert _found(_audited(table, claims={"r": f"{r:.4f}"}), "LK036").status == "pass"


def test_without_targets_nothing_is_compared() -> None:
    """Most files bring none."""
    assert _found(_audited(_PER_WINDOW), "LK039").status == "not_applicable"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame({"subject": _SUBJECTS, "value": _PRED}), "has 'subject', 'value'.*y_pred"),
        (pd.DataFrame({"y_pred": _PRED[:7]}), "7 rows.*60 windows.*10 subjects"),
        (pd.DataFrame({"y_pred": _PRED, "fold": _FOLD}), "order.*sample_id or subject"),
        (pd.DataFrame({"y_pred": _PRED, "y_true": _Y[::-1]}), "y_true.*sample_id or subject"),
        (pd.DataFrame({"subject": _SUBJECTS, "pred": _PRED, "yhat": _PRED}), "'pred' and 'yhat'"),
        (pd.DataFrame({"id": ["who", "where"], "target": [0.0, 1.0]}), "'who'"),
        (pd.concat([_PER_SUBJECT, _PER_SUBJECT.iloc[:1]]), "'sub-00' has 2 rows and 6 windows"),
        (pd.DataFrame({"id": _SUBJECTS, "target": _Y}), "the cohort's own targets"),
        (pd.DataFrame({"row": [0, 1, 60], "pred": 0.0}), "sample_id '60'.*from 0 to 59"),
        (pd.DataFrame({"id": range(10), "target": _PRED}), "may be windows or subjects"),
        (pd.DataFrame({"y_pred": _PRED, "y_true": [np.nan, *_Y[1:]]}), "y_true.*sample_id"),
        (pd.DataFrame({"row": ["0", _WINDOWS[1]], "pred": 0.0}), "mixes names and numbers"),
        (pd.DataFrame({"subject": ["0", "1"], "pred": 0.0}), "predicts subject '0'"),
        (pd.DataFrame([[0.0, 1.0]], columns=["pred", "pred"]), "two columns have one name"),
        (_PER_SUBJECT.assign(fold=[np.nan, *_FOLD[1:]]), "has no fold"),
        (_PER_SUBJECT.assign(y_pred=["good", *_PRED[1:]]), "a prediction is a number"),
    ],
)
def test_refusal_says_what_is_there_and_what_is_needed(table: pd.DataFrame, message: str) -> None:
    """Nothing is guessed where two readings are possible."""
    with pytest.raises(StudyError, match=message):
        _audited(table)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (_npy(np.zeros((3, 2))), r"shape \(3, 2\)"),
        (_npz(y_pred=np.zeros(3), subject=np.zeros(4)), "differ in length"),
        (_npz(subject=np.array(["a", None], dtype=object), y_pred=np.zeros(2)), "astype"),
        (_csv(pd.DataFrame()), "cannot read the table"),
    ],
)
def test_arrays_that_are_no_table_are_refused(
    write: Callable[[Path], Path], message: str, tmp_path: Path
) -> None:
    """With what is wrong, before any check runs."""
    with pytest.raises(StudyError, match=message):
        _audited(write(tmp_path))


def test_columns_can_be_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first line says what was read from where."""
    names = synthetic().table["sample_id"]
    path = _csv(pd.DataFrame({"stimulus": names, "out": 0.5, "pred": 9.0}))(tmp_path)
    command = ["audit", str(path), "--only", "LK035"]
    assert main([*command, "--columns", "sample_id=stimulus,y_pred=out"]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    read = "read sample_id from 'stimulus', y_pred from 'out'; other columns: 'pred'"
    assert first.startswith(read)
    assert main(command) == 2
    assert "rows beside columns 'stimulus', 'out'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [("y_pred", "KEY=COLUMN"), ("ypred=a", "did you mean 'y_pred'"), ("y_pred=", "KEY=COLUMN")],
)
def test_broken_choice_of_columns_is_refused(text: str, message: str) -> None:
    """What cannot be meant is an input error."""
    with pytest.raises(PfactorBenchError, match=message):
        read_choice(text)


def test_columns_are_refused_before_a_cohort_is_loaded() -> None:
    """The one here does not even exist."""
    with pytest.raises(StudyError, match="holds scores of models"):
        _audited(_MOABB, "no-such-suite.yaml")


def test_chosen_column_must_exist() -> None:
    """A misspelt one is named with what may be meant."""
    with pytest.raises(StudyError, match="no column 'y_prd': did you mean 'y_pred'"):
        _audited(_PER_SUBJECT, columns={"y_pred": "y_prd"})


def test_columns_of_a_study_are_refused() -> None:
    """A study has no table yet."""
    with pytest.raises(StudyError, match="columns are those of saved predictions"):
        audit("benchmarks.detection.honest:plain_ridge", _COHORT, columns={"y_pred": "a"})
