"""Whom the audit accuses that is innocent: regressors, models by name, and honest studies.

Each regressor of scikit-learn is the last step of a pipeline on log band power, each model of
``docs/models.md`` goes by its name, honest studies are those of ``benchmarks/detection`` that look
leaky, and all are audited at the default effort. What is done is kept in a JSON file
after every audit, so that a run that was stopped goes on where it was. Writes
``docs/estimators.json`` and ``docs/estimators.md``::

    python benchmarks/estimators.py                      # regressors, models, then studies
    python benchmarks/estimators.py --kinds regressor    # none named: only the page
"""

from __future__ import annotations

import argparse
import json
import re
import time
import warnings
from collections import Counter
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import all_estimators

from benchmarks.detection.careful import participants
from benchmarks.detection.careful_studies import CAREFUL, UNDECIDED
from benchmarks.detection.honest import band_features
from benchmarks.detection.tricky import SUSPICIOUS
from pfactor_bench.auditing.audit import audit
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.files import write_atomically
from pfactor_bench.report.text import escape, table

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

    from numpy.typing import NDArray

    from pfactor_bench.auditing.audit import Audit
    from pfactor_bench.types import Cohort

__all__ = ["Row", "page", "regressors", "row_of", "working_models"]

_DOCS = Path(__file__).parents[1] / "docs"

#: One audit of the benchmark, as it is kept.
Row = dict[str, Any]

_PAGE = """\
# Estimators and models that the audit is held to

An auditor that accuses the innocent is switched off. So every regressor of scikit-learn {sklearn}
and every braindecode {braindecode} model of [Models](models.md) is audited at the default effort,
as far as the table says: a run that was stopped goes on where it was.
All are honest, since the audit holds out whole subjects itself. So are the studies, whose learners
are handed no held-out row, and which look leaky in one way each. A warning is no accusation: an
inner cross-validation that does not know the subjects, such as `LassoCV()` makes, is one. A formula
that does not say what it was fitted on cannot be cleared, and is undecided.

| | audited | clean | accused | undecided |
| --- | ---: | ---: | ---: | ---: |
{summary}

Regressors are the last step of `make_pipeline(FunctionTransformer(band_features), StandardScaler(),
…)`, on {subjects}; models are trained from scratch, on {models}; studies run on {studies}.
Made by `python benchmarks/estimators.py`; seconds are those of a shared machine.

{tables}
"""


def _twice(y: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([y, y])


def _first(y: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(y)[:, :1]


#: For regressors of several targets, and for those of positive ones.
_of_two = partial(TransformedTargetRegressor, func=_twice, inverse_func=_first, check_inverse=False)
_of_positive = partial(TransformedTargetRegressor, func=np.exp, inverse_func=np.log)
_MEMBERS = [("ridge", Ridge()), ("more", Ridge(100.0))]

#: Regressors that do not take the cohort as they come, and what they are given.
_SPECIAL: dict[str, Callable[[Callable[..., Any]], Any]] = {
    "CCA": lambda make: make(n_components=1),
    "GammaRegressor": lambda make: _of_positive(make()),
    "IsotonicRegression": lambda make: make_pipeline(PCA(1), make(out_of_bounds="clip")),
    "MultiOutputRegressor": lambda make: _of_two(make(Ridge())),
    "MultiTaskElasticNet": lambda make: _of_two(make()),
    "MultiTaskElasticNetCV": lambda make: _of_two(make()),
    "MultiTaskLasso": lambda make: _of_two(make()),
    "MultiTaskLassoCV": lambda make: _of_two(make()),
    "PLSCanonical": lambda make: make(n_components=1),
    "PoissonRegressor": lambda make: _of_positive(make()),
    "RadiusNeighborsRegressor": lambda make: make(radius=50.0),
    "RegressorChain": lambda make: _of_two(make(Ridge())),
    "StackingRegressor": lambda make: make(_MEMBERS, cv=GroupKFold(3)),
    "VotingRegressor": lambda make: make(_MEMBERS),
}


def regressors() -> dict[str, Pipeline]:
    """Return every regressor of scikit-learn at the end of a pipeline on band power, by name."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", FutureWarning
        )  # deprecated ones are audited while they last
        last = {
            name: _SPECIAL[name](make) if name in _SPECIAL else make()
            for name, make in all_estimators(type_filter="regressor")
        }
    return {
        name: make_pipeline(FunctionTransformer(band_features), StandardScaler(), regressor)
        for name, regressor in last.items()
    }


def working_models() -> list[str]:
    """Return the braindecode models that ``docs/models.md`` says work by their name alone."""
    text = (_DOCS / "models.md").read_text(encoding="utf-8")
    working = text.partition("## They work")[2].partition("\n## ")[0]
    return re.findall(r"^\| (\w+) +\| +[\d,]+ ", working, flags=re.MULTILINE)


def row_of(name: str, kind: str, result: Audit, seconds: float) -> Row:
    """Return what is kept of an audit: its verdict, and what did not pass."""
    return {
        "name": name,
        "kind": kind,
        "verdict": result.verdict,
        "n_runs": result.n_runs,
        "seconds": round(seconds, 1),
        "said": {
            one.code: [one.status, one.explanation]
            for one in result.findings
            if one.status in {"fail", "warn", "error"}
        },
    }


def page(rows: list[Row]) -> str:
    """Return the page that the kept audits make."""
    kinds = {
        "regressor": "scikit-learn's regressors",
        "model": "braindecode's models",
        "study": "honest studies that look leaky",
    }
    of_kind = {kind: [one for one in rows if one["kind"] == kind] for kind in kinds}
    planned = Counter(kind for _, kind, _ in _targets(kinds))
    return _PAGE.format(
        sklearn=version("scikit-learn"),
        braindecode=version("braindecode"),
        summary="\n".join(
            _summary(title, of_kind[kind], planned[kind]) for kind, title in kinds.items()
        ),
        subjects=_size(_cohort("regressor")),
        models=_size(_cohort("model")),
        studies=_size(_cohort("study")),
        tables="\n\n".join(
            f"## {title[0].upper()}{title[1:]}\n\n{_table(of_kind[kind])}"
            for kind, title in kinds.items()
            if of_kind[kind]
        ),
    )


def _summary(title: str, rows: list[Row], planned: int) -> str:
    counts = Counter(one["verdict"] for one in rows)
    numbers = [counts["clean"], counts["leaky"], counts["inconclusive"]]
    return f"| {title} | {len(rows)} of {planned} | {' | '.join(map(str, numbers))} |"


def _table(rows: list[Row]) -> str:
    return table(
        ["name", "verdict", "runs", "s", "what did not pass"],
        [
            [
                one["name"],
                one["verdict"],
                str(one["n_runs"]),
                f"{one['seconds']:.0f}",
                "; ".join(
                    f"{code} {status}: {escape(words, limit=120)}"
                    for code, (status, words) in one["said"].items()
                ),
            ]
            for one in rows
        ],
    )


def _cohort(kind: str) -> Cohort:
    """Return what is audited on: fewer windows for networks, which take longer."""
    if kind == "study":
        return participants()
    return synthetic(n_subjects=12, n_windows=12 if kind == "regressor" else 4)


def _size(cohort: Cohort) -> str:
    n_subjects = len(set(cohort.subjects.tolist()))
    return f"{n_subjects} synthetic subjects of {len(cohort.y) // n_subjects} windows"


def _targets(kinds: Container[str]) -> Iterator[tuple[str, str, object]]:
    if "regressor" in kinds:
        yield from ((name, "regressor", pipeline) for name, pipeline in regressors().items())
    if "model" in kinds:
        yield from ((name, "model", name) for name in working_models())
    if "study" in kinds:
        studies = {**SUSPICIOUS, **CAREFUL, **UNDECIDED}
        yield from ((name.replace("_", " "), "study", study) for name, study in studies.items())


def _main() -> None:
    options = _arguments()
    kept: list[Row] = (
        json.loads(options.json.read_text(encoding="utf-8")) if options.json.exists() else []
    )
    done = {(one["name"], one["kind"]) for one in kept}
    for name, kind, target in _targets(options.kinds):
        if (name, kind) in done:
            continue
        began = time.perf_counter()
        result = audit(target, _cohort(kind))
        kept.append(row_of(name, kind, result, time.perf_counter() - began))
        write_atomically(options.json, (json.dumps(kept, indent=1) + "\n").encode())
        print(name, result.verdict, kept[-1]["seconds"], kept[-1]["said"], flush=True)
    write_atomically(options.page, page(kept).encode())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", type=Path, default=_DOCS / "estimators.json")
    parser.add_argument("--page", type=Path, default=_DOCS / "estimators.md")
    parser.add_argument("--kinds", nargs="*", default=["regressor", "model", "study"])
    return parser.parse_args()


if __name__ == "__main__":
    _main()
