"""The check engine: a function with a docstring becomes a check with a page in the catalogue."""

from __future__ import annotations

import inspect
import textwrap
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from pfactor_bench.checks.engine.outcomes import not_applicable, undecided
from pfactor_bench.errors import EnvironmentProblemError, UnknownNameError
from pfactor_bench.types import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.types import Cohort

__all__ = [
    "ARGUMENTS",
    "CHECKS",
    "EVIDENCE_ROWS",
    "CatalogueEntry",
    "Check",
    "Severity",
    "check",
    "execute",
    "require_known",
]

#: A ``leak`` makes the number wrong; a ``weakness`` makes it say less than it seems to.
Severity: TypeAlias = Literal["leak", "weakness"]

#: A finding keeps so many rows of evidence; it counts all of them.
EVIDENCE_ROWS = 20

#: Everything that can be injected into a check, in the words that a reason uses.
ARGUMENTS: dict[str, str] = {
    "claimed": "claimed numbers",
    "claims": "claims",
    "cohort": "a cohort",
    "declared_seeds": "declared seeds",
    "exclusions": "an exclusion manifest (--declare)",
    "fits": "recorded fits of scikit-learn transformations",
    "guard": "a guard gap",
    "inner_splits": "recorded inner splits",
    "inputs": "a list of the model's inputs",
    "ledger": "a ledger of evaluations on test sets",
    "made_from": "predictions that name their cohort in a column 'fingerprint'",
    "measurements": "measurements",
    "metric": "a metric function",
    "model": "a network's answers to questions",
    "paired": "a target whose split the audit chooses",
    "predictions": "a table of predictions",
    "pretraining": "pretraining manifests, by fold",
    "replayed": "a fitted estimator that predicts subjects in turn",
    "reported_targets": "predictions that bring their targets in a column 'y_true'",
    "saliency": "saliency maps",
    "split": "a split, with the training rows stated",
    "split_recipe": "a named split rule",
    "study": "a re-executable study",
}

#: The sections of a check's docstring and the catalogue fields they become.
_SECTIONS = {
    "How it is detected": "detected",
    "Why it matters": "why",
    "How to fix it": "fix",
    "What it cannot see": "blind",
    "Source": "source",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogueEntry:
    """A check's page in the catalogue.

    Parameters
    ----------
    code, title, kinds, severity
        Its stable code, what it looks for, the leak types it covers, and how bad a finding is.
    needs, optional
        Arguments without which it does not apply, and those that it uses where there are any.
    columns
        Columns of the cohort's table of which it needs one at least; none needed if empty.
    detected, why, fix, blind, source
        How it is detected, why it matters, how to fix it, what it cannot see, where it comes from.
    """

    code: str
    title: str
    kinds: tuple[int, ...]
    severity: Severity
    needs: tuple[str, ...]
    optional: tuple[str, ...]
    columns: tuple[str, ...]
    detected: str
    why: str
    fix: str
    blind: str
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """A registered check: its page and the function behind it."""

    entry: CatalogueEntry
    function: Callable[..., Outcome] = field(repr=False)


#: All registered checks by code.
CHECKS: dict[str, Check] = {}


def check(
    code: str, *, kinds: Sequence[int], severity: Severity = "leak", columns: Sequence[str] = ()
) -> Callable[[Callable[..., Outcome]], Callable[..., Outcome]]:
    """Return a decorator that registers a function as a check.

    Parameters
    ----------
    code
        ``"LK"`` and three digits, never used for anything else again.
    kinds
        The leak types that a finding may mean.
    severity
        What a finding means for the number.
    columns
        Columns of the cohort's table of which it needs one at least.

    Raises
    ------
    ValueError
        If the code is taken, a parameter is not in `ARGUMENTS`, or the docstring lacks a section.
    """

    def register(function: Callable[..., Outcome]) -> Callable[..., Outcome]:
        if code in CHECKS:
            raise ValueError(f"check {code!r} exists: {CHECKS[code].entry.title}")
        CHECKS[code] = Check(
            entry=_entry(code, tuple(kinds), severity, tuple(columns), function),
            function=function,
        )
        return function

    return register


def execute(registered: Check, available: Mapping[str, object]) -> Finding:
    """Run one check on what is available and return what it found.

    Parameters
    ----------
    registered
        The check.
    available
        Values by argument name; None counts as not available.

    Returns
    -------
    Finding
        ``not_applicable`` where a needed argument is missing, ``error`` where the check raised.
    """
    entry = registered.entry
    began = time.perf_counter()
    if missing := _missing(entry, available):
        outcome = not_applicable(missing)
    else:
        names = (*entry.needs, *entry.optional)
        given = {name: available[name] for name in names if available.get(name) is not None}
        outcome = _guarded(registered.function, given)
    return _finding(entry, outcome, time.perf_counter() - began)


def _missing(entry: CatalogueEntry, available: Mapping[str, object]) -> str:
    """Return what a check needs and does not find, in words; nothing where all is there."""
    missing = [ARGUMENTS[name] for name in entry.needs if available.get(name) is None]
    if missing:
        return f"not available: {', '.join(missing)}"
    cohort = cast("Cohort | None", available.get("cohort"))
    if entry.columns and cohort is not None and not {*entry.columns} & {*cohort.table.columns}:
        *others, last = entry.columns
        names = f"{', '.join(others)} or {last}" if others else repr(last)
        return f"the cohort's table has no column {names}"
    return ""


def require_known(names: Sequence[str], known: Sequence[str], what: str) -> None:
    """Raise `UnknownNameError` for the first of `names` that is not `known`."""
    for name in names:
        if name not in known:
            raise UnknownNameError(what, name, known)


def _guarded(function: Callable[..., Outcome], given: Mapping[str, object]) -> Outcome:
    try:
        return function(**given)
    except EnvironmentProblemError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a check stumbles over must not pass
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        where = f" (line {trace.tb_lineno} of {trace.tb_frame.f_code.co_name})" if trace else ""
        return undecided(
            f"the check could not be completed: {type(error).__name__}: {error}{where}",
            fix="Correct what the message names and run the check again; until then this kind of "
            "leak is not excluded.",
        )


def _finding(entry: CatalogueEntry, outcome: Outcome, seconds: float) -> Finding:
    wrong = outcome.status in {"fail", "warn"}
    n_evidence = len(outcome.evidence) if outcome.n_evidence is None else outcome.n_evidence
    return Finding(
        code=entry.code,
        title=entry.title,
        kinds=entry.kinds,
        status=outcome.status,
        explanation=outcome.explanation,
        fix=outcome.fix or (entry.fix if wrong else ""),
        evidence=tuple(dict(row) for row in outcome.evidence[:EVIDENCE_ROWS]),
        n_evidence=n_evidence,
        seconds=seconds,
    )


def _entry(
    code: str,
    kinds: tuple[int, ...],
    severity: Severity,
    columns: tuple[str, ...],
    function: Callable[..., Outcome],
) -> CatalogueEntry:
    title, sections = _parse_page(code, inspect.getdoc(function) or "")
    parameters = inspect.signature(function).parameters.values()
    for parameter in parameters:
        if parameter.name not in ARGUMENTS:
            raise ValueError(f"check {code!r} asks for {parameter.name!r}, which is no argument")
    return CatalogueEntry(
        code=code,
        title=title,
        kinds=kinds,
        severity=severity,
        needs=tuple(p.name for p in parameters if p.default is p.empty),
        optional=tuple(p.name for p in parameters if p.default is not p.empty),
        columns=columns,
        **sections,
    )


def _parse_page(code: str, docstring: str) -> tuple[str, dict[str, str]]:
    """Return the first line and the underlined sections of a docstring."""
    title, _, body = docstring.partition("\n")
    lines = body.splitlines()
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line, following in zip(lines, [*lines[1:], ""], strict=False):
        if following and set(following) == {"-"}:
            current = sections.setdefault(line.strip(), [])
        elif set(line) != {"-"}:
            current.append(line)
    missing = [name for name in _SECTIONS if not "".join(sections.get(name, [])).strip()]
    if missing:
        raise ValueError(f"the docstring of check {code!r} has no section {missing[0]!r}")
    pages = {key: textwrap.dedent("\n".join(sections[name])) for name, key in _SECTIONS.items()}
    return title.strip().rstrip("."), {key: " ".join(text.split()) for key, text in pages.items()}
