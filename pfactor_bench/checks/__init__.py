"""Leakage checks: run them all, run one, or list what they look for.

Importing this package is cheap: whatever a check needs is imported while it runs.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from pfactor_bench.checks import metamorphic, network, reported, static
from pfactor_bench.checks.engine import registry as _core
from pfactor_bench.checks.engine.registry import CatalogueEntry, Severity
from pfactor_bench.types import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["CatalogueEntry", "Severity", "catalogue", "run_check", "run_checks"]

#: The folders that hold checks: every module in one of them is looked at.
_FOLDERS = (static, reported, metamorphic, network)


def catalogue() -> tuple[CatalogueEntry, ...]:
    """Return the page of every check, in the order of their codes."""
    return tuple(registered.entry for registered in _all_checks().values())


def run_checks(
    available: Mapping[str, object],
    *,
    only: Iterable[str] | None = None,
    on_finding: Callable[[Finding], object] = lambda _finding: None,
) -> tuple[Finding, ...]:
    """Run every check on what is available.

    Parameters
    ----------
    available
        Values by argument name, see `pfactor_bench.checks.engine.registry.ARGUMENTS`: ``cohort``,
        ``split``, ``predictions``, ``claims``, ... A value of None counts as not available.
    only
        Codes of the checks to run; the others are reported as skipped.
    on_finding
        Called with each finding as soon as there is one, for progress.

    Returns
    -------
    tuple of Finding
        One per check, in the order of their codes, whatever is available.

    Raises
    ------
    UnknownNameError
        If `available` or `only` holds a name that does not exist.
    """
    checks = _all_checks()
    chosen = tuple(checks) if only is None else tuple(only)
    _core.require_known(chosen, tuple(checks), "check")
    _core.require_known(tuple(available), tuple(_core.ARGUMENTS), "argument of a check")
    findings = []
    for code, registered in checks.items():
        finding = (
            _core.execute(registered, available) if code in chosen else _skipped(registered.entry)
        )
        findings.append(finding)
        on_finding(finding)
    return tuple(findings)


def run_check(code: str, **available: object) -> Finding:
    """Run one check.

    Parameters
    ----------
    code
        Such as ``"LK003"``.
    **available
        As in `run_checks`.

    Raises
    ------
    UnknownNameError
        If there is no such check, or no such argument.
    """
    checks = _all_checks()
    _core.require_known([code], tuple(checks), "check")
    _core.require_known(tuple(available), tuple(_core.ARGUMENTS), "argument of a check")
    return _core.execute(checks[code], available)


def _all_checks() -> dict[str, _core.Check]:
    for folder in _FOLDERS:
        for module in iter_modules(folder.__path__):
            import_module(f"{folder.__name__}.{module.name}")
    return dict(sorted(_core.CHECKS.items()))


def _skipped(entry: CatalogueEntry) -> Finding:
    return Finding(
        code=entry.code,
        title=entry.title,
        kinds=entry.kinds,
        status="skipped",
        explanation="it was not asked for",
    )
