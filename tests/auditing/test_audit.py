"""The audit as a whole: verdicts, exit codes, JSON, and targets of every make."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    AdaBoostRegressor,
    BaggingRegressor,
    StackingRegressor,
    VotingRegressor,
)
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.linear_model import LassoCV, MultiTaskLasso, Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from benchmarks.detection.honest import (
    HONEST,
    band_features,
    plain_ridge,
    predictions_table,
    states_roles,
    subject_folds,
)
from benchmarks.detection.leaky import INJECTED
from pfactor_bench.auditing.audit import audit
from pfactor_bench.checks import catalogue
from pfactor_bench.cli.audit import _table
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.errors import StudyError
from pfactor_bench.studies.template import STUDY_TEMPLATE
from pfactor_bench.types import Finding

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from pfactor_bench.auditing.result import Audit
    from pfactor_bench.types import Cohort

_COHORT = synthetic(n_subjects=12, n_windows=5, seed=2)

_HEADER = "import numpy as np\nfrom benchmarks.detection.honest import plain_ridge\n"


def _written(folder: Path, body: str, header: str = _HEADER) -> str:
    """Write a study's file and return what to audit."""
    path = folder / "their_study.py"
    path.write_text(f"{header}\n\ndef study(cohort, *, seed):\n{body}\n", encoding="utf-8")
    return f"{path}:study"


def _quick(target: object, **options: Any) -> Audit:
    return audit(target, _COHORT, effort="quick", **options)


def _found(result: Audit, code: str) -> str:
    return next(one.status for one in result.findings if one.code == code)


def test_honest_study_is_clean() -> None:
    """No leak found means verdict clean and exit code 0."""
    result = _quick(HONEST["scaled_in_fold"])
    assert (result.verdict, result.exit_code) == ("clean", 0)


def test_leaky_study_is_leaky() -> None:
    """A failed check means verdict leaky and exit code 1."""
    result = _quick(INJECTED["trained_on_everything"].study)
    assert (result.verdict, result.exit_code) == ("leaky", 1)


def test_random_study_is_inconclusive() -> None:
    """A study that is random from run to run means exit code 3, not an accusation."""

    def random_study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        table = plain_ridge(cohort, seed=seed)
        return table.assign(y_pred=table["y_pred"] + int.from_bytes(os.urandom(2), "little"))

    result = _quick(random_study)
    assert (result.verdict, result.exit_code) == ("inconclusive", 3)
    assert "the study is random" in result.reason


def test_unseeded_study_is_clean() -> None:
    """Streams that nobody seeds begin at the same place in every run."""

    def unseeded(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        table = plain_ridge(cohort, seed=seed)
        return table.assign(y_pred=table["y_pred"] + np.random.default_rng().normal())

    assert _quick(unseeded).verdict == "clean"


def test_clean_needs_both_core_relations() -> None:
    """Checks that were not asked for have not examined anything, and that is said."""
    result = _quick(plain_ridge, only=["LK101"])
    assert (result.verdict, result.exit_code) == ("inconclusive", 0)
    assert result.reason == "LK102 was not asked for, and clean needs LK101 and LK102"


def test_every_check_is_reported_once() -> None:
    """An audit of one check still lists all of them."""
    result = _quick(plain_ridge, only=["LK101"])
    assert [one.code for one in result.findings] == [entry.code for entry in catalogue()]


def test_json_holds_what_is_promised() -> None:
    """The JSON has its version, target, verdict and findings."""
    content = json.loads(_quick(plain_ridge, only=["LK100"]).to_json())
    assert {"schema_version", "target", "verdict", "findings"} <= set(content)


def test_json_findings_hold_what_is_promised() -> None:
    """Each finding has code, kinds, status, explanation and evidence."""
    finding = json.loads(_quick(plain_ridge, only=["LK100"]).to_json())["findings"][0]
    assert {"code", "kinds", "status", "explanation", "evidence"} <= set(finding)


def test_study_is_found_in_a_file(tmp_path: Path) -> None:
    """A path and a name are enough."""
    target = _written(tmp_path, "    return plain_ridge(cohort, seed=seed)")
    assert _found(_quick(target, only=["LK100"]), "LK100") == "pass"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("no_such_file.py:study", "there is no file"),
        ("benchmarks.detection.honest:plain_rigde", "did you mean 'plain_ridge'"),
        ("no.such.module:study", "No module named 'no'"),
        ("my_study.py", "after a colon, such as my_study.py:study"),
        ("no_such_table.csv", "there is no table 'no_such_table.csv'"),
        ("predictions.xlsx", "ends in '.xlsx', which is not read: give saved predictions as .csv"),
        (42, "is 'int': audit a study"),
        (len, "got an unexpected keyword argument 'seed'"),
        (lambda cohort: cohort, "def study\\(cohort, \\*, seed\\):"),
    ],
)
def test_what_cannot_be_found_is_named(target: object, message: str) -> None:
    """An input error is an exception with the fix, not a verdict."""
    with pytest.raises(StudyError, match=message):
        _quick(target)


def test_importing_the_target_leaves_this_process_alone(tmp_path: Path) -> None:
    """Code at the top of a stranger's file runs elsewhere."""
    header = (
        f"{_HEADER}import os, pfactor_bench.checks as checks\nos.environ['SPOILT'] = '1'\n"
        "checks.run_checks = lambda *_, **__: ()\n"
    )
    target = _written(tmp_path, "    return plain_ridge(cohort, seed=seed)", header)
    assert len(_quick(target, only=["LK100"]).findings) == len(catalogue())


def test_verdict_cannot_be_patched_away(tmp_path: Path) -> None:
    """A leaky study that rewrites the auditor in its own process is found nevertheless."""
    body = (
        "    import pfactor_bench.auditing.audit, pfactor_bench.checks.metamorphic.probe as probe\n"
        "    pfactor_bench.auditing.result.Audit.verdict = 'clean'\n"
        "    probe.Probe.movement = lambda *_: None\n"
        "    from benchmarks.detection.leaky import INJECTED\n"
        "    return INJECTED['trained_on_everything'].study(cohort, seed=seed)"
    )
    assert _quick(_written(tmp_path, body)).verdict == "leaky"


def test_labels_cannot_be_changed(tmp_path: Path) -> None:
    """The harness's own targets survive a study that writes into the cohort's memory."""
    before = _COHORT.y.copy()
    body = (
        "    table = plain_ridge(cohort, seed=seed)\n"
        "    y = cohort.y.base if cohort.y.base is not None else cohort.y\n"
        "    y.flags.writeable = True\n"
        "    y[:] = 0\n"
        "    return table"
    )
    _quick(_written(tmp_path, body), only=["LK101"])
    assert np.array_equal(_COHORT.y, before)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("    raise SystemExit(0)", "it called sys.exit"),
        ("    return 'nothing'", "the study returned 'str'"),
        ("    while True: pass", "it did not finish within"),
        ("    x = np.ones(1 << 40)", "MemoryError"),
        ("    return plain_ridge(cohort, seed=seed).drop(columns='y_pred')", "no column 'y_pred'"),
    ],
)
def test_misbehaviour_is_named(body: str, reason: str, tmp_path: Path) -> None:
    """A study that does not answer is undecided, and told why."""
    result = _quick(_written(tmp_path, body), timeout=3)
    said = next(one.explanation for one in result.findings if one.code == "LK100")
    assert (result.exit_code, reason in said) == (3, True), said


def test_answer_read_from_a_file_is_found(tmp_path: Path) -> None:
    """A study that looks targets up in a table beside it learns nothing."""
    targets = pd.DataFrame({"sample_id": _COHORT.table["sample_id"], "y": _COHORT.y})
    targets.to_csv(tmp_path / "targets.csv", index=False)
    body = (
        "    import pandas as pd\n"
        f"    known = pd.read_csv({str(tmp_path / 'targets.csv')!r}).set_index('sample_id')['y']\n"
        "    table = plain_ridge(cohort, seed=seed)\n"
        "    return table.assign(y_pred=table['sample_id'].map(known).fillna(0.0))"
    )
    assert _quick(_written(tmp_path, body)).verdict == "leaky"


def test_estimator_with_ungrouped_search_is_found() -> None:
    """A grid search over windows of known subjects is found inside a pipeline.

    The target of the subjects held out is honest: no leak is found.
    """
    search = make_pipeline(StandardScaler(), GridSearchCV(Ridge(), {"alpha": [1, 10]}, cv=3))
    result = _quick(search, only=["LK020"])
    assert (_found(result, "LK020"), result.exit_code) == ("warn", 0)


def test_ungrouped_search_inside_a_study_is_found() -> None:
    """What a study chooses by windows of subjects that it knows is part of what it reports."""

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        F, (_, train, test) = band_features(cohort.X), next(iter(subject_folds(cohort, seed)))
        search = GridSearchCV(Ridge(), {"alpha": [1, 10]}, cv=3).fit(F[train], cohort.y[train])
        return predictions_table(cohort, test, search.predict(F[test]), "fold")

    result = _quick(study, only=["LK020"])
    assert (_found(result, "LK020"), result.exit_code) == ("fail", 1)


def _features() -> FunctionTransformer:
    """Return a step that takes windows of channels, not rows of numbers."""
    return FunctionTransformer(band_features)


def _twice(y: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([y, y])


def _first(y: NDArray[np.float64]) -> NDArray[np.float64]:
    return y[:, :1]


_ESTIMATORS = {
    "grouped search": GridSearchCV(
        make_pipeline(_features(), Ridge()), {"ridge__alpha": [1, 10]}, cv=GroupKFold(3)
    ),
    "grouped search in a pipeline": make_pipeline(
        StandardScaler(), GridSearchCV(Ridge(), {"alpha": [1, 10]}, cv=GroupKFold(3))
    ),
    "grouped lasso": make_pipeline(_features(), LassoCV(cv=GroupKFold(3), alphas=5)),
    "scaled target": TransformedTargetRegressor(
        make_pipeline(_features(), Ridge()), transformer=StandardScaler()
    ),
    "vote": VotingRegressor([("a", make_pipeline(_features(), Ridge()))]),
    "bags": BaggingRegressor(Ridge(100.0), n_estimators=3),
    "bags of trees": BaggingRegressor(n_estimators=3, max_features=0.05),
    "boosted trees": make_pipeline(_features(), AdaBoostRegressor(n_estimators=3)),
    "grouped stack": make_pipeline(
        _features(), StackingRegressor([("a", Ridge()), ("b", Ridge(100.0))], cv=GroupKFold(3))
    ),
    "lasso of several targets": make_pipeline(
        _features(),
        TransformedTargetRegressor(
            MultiTaskLasso(0.01), func=_twice, inverse_func=_first, check_inverse=False
        ),
    ),
}


@pytest.mark.parametrize("name", _ESTIMATORS)
def test_honest_estimator_is_clean(name: str) -> None:
    """Searches that group by subject are given subjects, and what wraps others takes windows."""
    result = _quick(_ESTIMATORS[name])
    told = [one.explanation for one in result.findings if one.status in {"fail", "error"}]
    assert result.verdict == "clean", told


def test_stack_of_regressors_is_an_estimator() -> None:
    """Its predict comes with fitting; its inner split is by window."""
    stack = StackingRegressor([("a", Ridge(100.0))], cv=3)
    assert _found(_quick(stack, only=["LK020"]), "LK020") == "warn"


def test_plain_pipeline_is_clean() -> None:
    """Scaling and selecting inside a pipeline is what should be done."""
    pipeline = make_pipeline(StandardScaler(), SelectKBest(f_regression, k=50), Ridge(100.0))
    assert _quick(pipeline).verdict == "clean"


def test_saved_predictions_are_audited(tmp_path: Path) -> None:
    """A table alone is enough for the static checks, and for no clean verdict."""
    path = tmp_path / "predictions.csv"
    states_roles(_COHORT, seed=0).to_csv(path, index=False)
    result = _quick(str(path))
    assert (result.verdict, _found(result, "LK003")) == ("inconclusive", "pass")
    assert "audit the study that made them" in result.reason


def test_leak_in_saved_predictions_is_found(tmp_path: Path) -> None:
    """A table that states a split by window is leaky."""
    path = tmp_path / "predictions.parquet"
    INJECTED["states_split_by_window"].study(_COHORT, seed=0).to_parquet(path)
    assert _found(_quick(str(path)), "LK003") == "fail"


def test_tables_of_other_cohorts_are_refused() -> None:
    """Predictions for windows that the cohort does not hold cannot be audited on it."""
    table = pd.DataFrame({"sample_id": ["elsewhere"], "y_pred": [0.0]})
    with pytest.raises(StudyError, match="'elsewhere', which the cohort does not hold"):
        _quick(table)


def test_same_seed_repeats_the_audit() -> None:
    """Two audits of one study differ in nothing but time."""
    contents = []
    for _ in range(2):
        content = _quick(INJECTED["best_seed"].study).to_dict()
        for finding in content["findings"]:
            del finding["seconds"]
        contents.append(content)
    assert contents[0] == contents[1]


def _command(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = (
        "import argparse, sys\n"
        "from pfactor_bench.cli.audit import add_arguments, run\n"
        "parser = argparse.ArgumentParser()\n"
        "add_arguments(parser)\n"
        "sys.exit(run(parser.parse_args()))\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("timeout", [0.0, -5.0, float("nan")])
def test_timeout_without_time_is_refused(timeout: float) -> None:
    """NaN would never be over."""
    with pytest.raises(StudyError, match="give the seconds that a run may take, above 0"):
        _quick(plain_ridge, timeout=timeout)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cohort", "bids"], "cohort 'bids' needs 'dataset' and 'target'"),
        (["--json", "."], "is a folder: name a file"),
        (["--sarif", "."], "is a folder: name a file"),
    ],
)
def test_input_error_is_told_from_a_leak(arguments: list[str], message: str) -> None:
    """Exit code 1 says that a leak was found, and nothing else may say so."""
    target = "benchmarks.detection.honest:plain_ridge"
    done = subprocess.run(
        [sys.executable, "-m", "pfactor_bench", "audit", target, "--only", "LK100", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, message in done.stderr) == (2, True), done.stderr


def test_paths_in_what_is_found_stay_as_they_are() -> None:
    """Two points are no mistake of punctuation in a path."""
    finding = Finding(
        code="LK100",
        title="title",
        kinds=(),
        status="error",
        explanation="there is no file '../targets.csv'.",
        fix="Look at ../README.",
    )
    result = replace(_quick(plain_ridge, only=[]), findings=(finding,))
    assert "no file '../targets.csv'. Look at ../README." in _table(result)


def test_command_writes_json_and_report(tmp_path: Path) -> None:
    """The command leaves what it found in a file and a folder, and says it with its exit code."""
    done = _command(
        "benchmarks.detection.leaky:trained_on_everything",
        "--quick",
        "--only",
        "LK100",
        "LK101",
        "--json",
        str(tmp_path / "found.json"),
        "--out",
        str(tmp_path / "report"),
    )
    verdict = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))["verdict"]
    written = sorted(path.name for path in (tmp_path / "report").iterdir())
    assert (done.returncode, verdict, written) == (1, "leaky", ["audit.json", "audit.md"])


def test_command_says_that_clean_is_not_proof() -> None:
    """The last line does not promise more than the checks can."""
    done = _command("benchmarks.detection.honest:plain_ridge", "--quick", "--only", "LK100")
    assert (done.returncode, "which is not the same as clean" in done.stdout) == (0, True)


@pytest.mark.slow
def test_eegconformer_is_clean() -> None:
    """The case study's network, trained at its budget, passes every check."""
    result = audit("EEGConformer", synthetic(n_windows=8), effort="quick")
    assert result.verdict == "clean", [one for one in result.findings if one.status == "fail"]


@pytest.mark.slow
def test_early_stopping_on_known_subjects_is_found() -> None:
    """A braindecode regressor that stops on a split by window is found."""
    from braindecode import EEGRegressor
    from braindecode.models import ShallowFBCSPNet
    from skorch.callbacks import EarlyStopping

    regressor = EEGRegressor(
        ShallowFBCSPNet,
        module__n_chans=8,
        module__n_outputs=1,
        module__n_times=200,
        module__final_conv_length="auto",
        max_epochs=2,
        callbacks=[EarlyStopping()],
        verbose=0,
    )
    assert _found(_quick(regressor, only=["LK020"]), "LK020") == "warn"


def test_what_a_decorator_wraps_may_have_another_signature() -> None:
    """Only what is called must be callable as a study."""

    def predict(X: object, y: object) -> None:
        raise AssertionError((X, y))

    @wraps(predict)
    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        return plain_ridge(cohort, seed=seed)

    assert _found(_quick(study, only=["LK100"]), "LK100") == "pass"


def test_template_of_a_study_is_a_clean_one() -> None:
    """What the error message offers keeps the contract and leaks nothing."""
    namespace: dict[str, Any] = {}
    exec(STUDY_TEMPLATE, namespace)  # noqa: S102 - our own text
    assert _quick(namespace["study"]).verdict == "clean"
