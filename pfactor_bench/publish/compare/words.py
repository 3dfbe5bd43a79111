"""A comparison as Markdown, to be read in a terminal or under a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pfactor_bench.publish.compare.changes import claim_changes, finding_changes, regressions
from pfactor_bench.publish.compare.differences import other_differences, paired_errors, speed_ratios
from pfactor_bench.report.text import bullets, count, escape, md, number, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pfactor_bench.publish.compare.changes import Change
    from pfactor_bench.publish.compare.differences import Difference
    from pfactor_bench.records.record import Record

_DIRECTIONS = {
    "same": "same",
    "better": "better",
    "worse": md("**worse**"),
    "other": "asks something else",
}
_HOW_TO_READ = (
    "Skill gained is each subject's squared error in the first report less that in the second, in "
    "shares of the train mean's, averaged over seeds and subjects; the interval is over subjects. "
    "An interval that holds 0 decides nothing."
)


def comparison_text(
    before: tuple[str, Record, Mapping[str, NDArray[Any]]],
    after: tuple[str, Record, Mapping[str, NDArray[Any]]],
) -> tuple[str, list[str]]:
    """Return a comparison of two reports as Markdown, and what got worse in words.

    Parameters
    ----------
    before, after
        What a report is called, its record, and the arrays beside it.
    """
    (first, old, old_arrays), (second, new, new_arrays) = before, after
    claims, findings = claim_changes(old, new), finding_changes(old, new)
    differences = paired_errors(old, new, old_arrays, new_arrays)
    worse = regressions(claims, findings, differences)
    sections = [
        f"## {escape(first)} → {escape(second)}",
        _summary(claims, findings, worse),
        _changes("Claims that changed", claims, "claim"),
        _changes("Checks that changed", findings, "check"),
        _differences(differences),
        _speeds(old, new),
        _others(old, new),
    ]
    return "\n\n".join(section for section in sections if section) + "\n", worse


def _summary(claims: list[Change], findings: list[Change], worse: list[str]) -> str:
    better = sum(change.direction == "better" for change in (*claims, *findings))
    head = f"**{count(len(worse), 'regression')}**" if worse else "**No regression**"
    kept = sum(change.direction == "same" for change in claims)
    line = f"{head}, {count(better, 'improvement')}; {count(kept, 'claim')} as before."
    return f"{line}\n\n{bullets(worse)}" if worse else line


def _changes(heading: str, changes: list[Change], kind: str) -> str:
    changes = [c for c in changes if c.before != c.after or c.direction == "other"]
    if not changes:
        return ""
    order = ("worse", "other", "better", "same")
    rows = [
        [change.name, change.text, change.before, change.after, _DIRECTIONS[change.direction]]
        for change in sorted(changes, key=lambda change: order.index(change.direction))
    ]
    return f"### {heading}\n\n{table([kind, 'text', 'before', 'after', ''], rows)}"


def _differences(differences: list[Difference]) -> str:
    rows = [
        [
            one.regime,
            "–" if one.value is None else number(one.value),
            "–" if one.ci is None else md("[{}, {}]", number(one.ci.low), number(one.ci.high)),
            f"{one.n_subjects:,}" if one.n_subjects else "–",
            one.why,
        ]
        for one in differences
    ]
    headers = ["regime", "skill gained", "95% interval", "subjects in both", ""]
    return f"### Predictions, subject by subject\n\n{table(headers, rows)}\n\n{_HOW_TO_READ}"


def _speeds(before: Record, after: Record) -> str:
    ratios = speed_ratios(before, after)
    if isinstance(ratios, str):
        return f"### Timing\n\n{escape(ratios[:1].upper() + ratios[1:])}."
    rows = [
        [r.regime, f"{r.value:.2f}", f"{r.low:.2f} to {r.high:.2f}", f"{r.n:,}"] for r in ratios
    ]
    headers = ["regime", "seconds, after over before", "range", "works"]
    return (
        f"### Timing\n\n{table(headers, rows)}\n\nMedian over works of one name, on one machine; "
        f"another load alone can move it."
    )


def _others(before: Record, after: Record) -> str:
    rows = [
        [escape(name), escape(old, limit=120), escape(new, limit=120)]
        for name, old, new in other_differences(before, after)
    ]
    if not rows:
        return "### What else differs\n\nNothing that the records hold."
    return f"### What else differs\n\n{table(['what', 'before', 'after'], rows)}"
