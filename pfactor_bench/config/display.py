"""A suite in a line, and as a notebook shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.types import html

if TYPE_CHECKING:
    from pfactor_bench.config.suite import Suite


def suite_line(suite: Suite) -> str:
    """Return what a suite declares, in a line."""
    return (
        f"<Suite {suite.name!r}: {len(suite.cases)} cases of {_names(suite)} on cohort "
        f"{suite.cohort.kind!r}, {len(suite.claims)} claims>"
    )


def suite_html(suite: Suite) -> str:
    """Return the question and what is run to answer it, with cases and definition folded."""
    facts = [
        ("cohort", _ingredient(suite.cohort.kind, suite.cohort.args)),
        ("split", _ingredient(suite.split.kind, suite.split.args)),
        ("models", _names(suite)),
        ("regimes", ", ".join(dict.fromkeys(case.regime for case in suite.cases))),
        ("seeds", ", ".join(dict.fromkeys(str(case.seed) for case in suite.cases))),
        ("file", suite.path),
    ]
    claims = [[claim.id, claim.level, claim.text] for claim in suite.claims]
    return html.card(
        f"Suite {suite.name}: {suite.title}",
        suite.question,
        html.rows(facts),
        html.rows(claims, ("claim", "level", "says")),
        html.folded("definition", html.rows(suite.definition.items())),
    )


def _names(suite: Suite) -> str:
    return ", ".join(dict.fromkeys(case.model.name for case in suite.cases))


def _ingredient(kind: str, args: object) -> str:
    return f"{kind} {args}" if args else kind
