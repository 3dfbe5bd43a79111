"""Who is trained on and who is held out: splits by subject that others can replay.

Nothing here needs torch, and listing the names needs nothing at all.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pfactor_bench.splits.leakage import assert_no_leakage
    from pfactor_bench.splits.manifest import apply_manifest
    from pfactor_bench.splits.scikit_learn import (
        GroupedKFold,
        LeaveSiteOut,
        RepeatedGroupedKFold,
        StratifiedGroupedKFold,
    )

__all__ = [
    "GroupedKFold",
    "LeaveSiteOut",
    "RepeatedGroupedKFold",
    "StratifiedGroupedKFold",
    "apply_manifest",
    "assert_no_leakage",
]

#: Imported when they are used: they need pandas, which whoever lists the checks need not wait for.
_HOMES = {"apply_manifest": "manifest", "assert_no_leakage": "leakage"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'scikit_learn')}"), name)
