"""One direction of data flow: a stage imports only stages before it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "pfactor_bench"

#: From the first stage to the last. Modules of one stage may import each other.
STAGES = (
    ("__init__",),
    ("errors", "types", "seeds", "registry", "streaming"),
    ("claims", "migrations", "record", "provenance", "execution"),
    ("cohorts", "splits"),
    (
        "duplicates",
        "features",
        "eegdash_features",
        "metrics",
        "inference",
        "power",
        "learning_curve",
        "confounds",
        "baselines",
    ),
    ("models", "heads", "regimes", "training", "saliency", "identity"),
    ("encoders", "finished"),
    ("planted", "measure", "comparisons", "ladder", "shuffles", "missing"),
    ("studies",),
    ("checks",),
    ("report",),
    ("compare", "exports", "site"),
    ("config",),
    (
        *("preparation", "casework", "dispatch"),
        *(
            "planning",
            "record_facts",
            "measure_suite",
            "foreseen",
            "model_table",
            "pipeline",
            "remeasuring",
            "learning_runs",
            "learning_figure",
            "permutation_runs",
            "permutation_page",
            "timing",
            "timing_hooks",
        ),
    ),
    ("data_options",),
    ("auditing",),
    ("detection",),
    (
        *("doctor", "plugin", "suite_run", "testing"),
        *(
            "cohort_cli",
            "plan_cli",
            "power_cli",
            "remeasure_cli",
            "learning_cli",
            "permute_cli",
            "run_cli",
            "cli",
        ),
    ),
    ("__main__",),
)

STAGE_OF = {name: number for number, names in enumerate(STAGES) for name in names}
MODULES = sorted(PACKAGE.rglob("*.py"))


def imported_parts(path: Path) -> set[str]:
    """Return the project's top-level parts that a module imports, annotations excepted."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    names = [
        name
        for node in ast.walk(tree)
        if id(node) not in typing_only
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    ]
    parts = [name.split(".") for name in names if name.startswith("pfactor_bench")]
    return {part[1] if len(part) > 1 else "__init__" for part in parts}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_imports_only_earlier_stages(path: Path) -> None:
    """The order is in `STAGES`; a new module needs a place there."""
    part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    later = {name for name in imported_parts(path) if STAGE_OF[name] > STAGE_OF[part]}
    assert later == set()
