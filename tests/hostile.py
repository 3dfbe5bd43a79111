"""Text that data may try to smuggle into a report, and records full of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record

PAYLOADS = (
    "a|b||c",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</title></svg><svg onload=alert(1)>",
    "]]> --> <!-- <![CDATA[",
    "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]>&a;",
    "[link](javascript:alert(1)) ![image](http://x.test/y.png)",
    "http://x.test www.x.test me@x.test @user #1",
    "`code` ```fence``` **bold** __b__ _i_ *i* ~~s~~ $x$ $$y$$",
    "# heading\n\n## Claims\n- item\n1. item\n===\n---\n> quote\n| a | b |\n|---|---|",
    "line\nbreak\r\n\u2028\u2029\x85\x0b\x0c\x00",
    "\x1b[2J\x1b[31mred\x1b[0m\x1b]8;;http://x.test\x07link\x1b]8;;\x07",
    "\u202eright to left\u202c\u2066\u200f\u200b\ufeff שלום عربى",
    "::error file=x::y\n::set-output name=x::y\n##[group]",
    "\"'\\\\' OR 1=1; -- {{ 7*7 }} ${x} {% raw %}",
    "../../etc/passwd\\..\\x",
    "&lt;b&gt; &#124; &amp;",
    "\ud800",
    "x" * 5_000,
    "中文 🧠 é",
)

#: Never blank: what loads a suite refuses blank names.
text = st.one_of(
    st.sampled_from(PAYLOADS),
    st.text(min_size=1, max_size=40),
    st.lists(st.sampled_from(PAYLOADS), min_size=1, max_size=3).map("".join),
).map(lambda drawn: drawn if drawn.split() else f"x{drawn}")


def spoil(record: Record, hostile: str) -> Record:
    """Return a record in which every word that comes from data ends with hostile text.

    Names keep their beginning, so that those that differed still do and measurements are still
    found under the names of their cases.
    """
    new = {regime: f"{regime}{hostile}" for regime in {case["regime"] for case in record.cases}}

    def name(old: str) -> str:
        regime = next((known for known in new if old.startswith(known)), None)
        return old if regime is None else f"{new[regime]}{old[len(regime) :]}"

    return replace(
        record,
        suite=_spoil_values(record.suite, hostile, keep={"definition"}),
        cohort=_spoil_values(record.cohort, hostile, keep={"subjects", "injected"}),
        split=_spoil_values(record.split, hostile),
        cases=tuple(
            {
                **_spoil_values(case, hostile, keep={"saliency"}),
                "id": name(case["id"]),
                "regime": new[case["regime"]],
            }
            for case in record.cases
        ),
        measurements=tuple(
            replace(
                found,
                name=name(found.name),
                case=name(found.case),
                note=found.note and f"{found.note}{hostile}",
                missing_because=found.missing_because and f"{found.missing_because}{hostile}",
            )
            for found in record.measurements
        ),
        findings=tuple(
            replace(
                found,
                title=f"{found.title}{hostile}",
                explanation=f"{found.explanation}{hostile}",
                fix=found.fix and f"{found.fix}{hostile}",
                evidence=tuple(_spoil_values(row, hostile) for row in found.evidence),
            )
            for found in record.findings
        ),
        claims=tuple(
            replace(claim, text=f"{claim.text}{hostile}", measurement=name(claim.measurement))
            for claim in record.claims
        ),
        verdicts=tuple(
            replace(verdict, explanation=f"{verdict.explanation}{hostile}")
            for verdict in record.verdicts
        ),
        timings=tuple(
            replace(timing, name=name(timing.name), device=f"{timing.device}{hostile}")
            for timing in record.timings
        ),
        provenance=_spoil_values(record.provenance, hostile),
        missing=tuple(
            {**_spoil_values(case, hostile), "id": name(case["id"])} for case in record.missing
        ),
    )


def with_losses(record: Record) -> Record:
    """Return a record in which a seed of its regime and a whole regime gave no result."""
    lost = [("from-scratch", 99), ("linear-probe", 42), ("linear-probe", 43)]
    missing = tuple(
        {"id": f"{regime}/seed-{seed}", "regime": regime, "seed": seed, "reason": "it was killed"}
        for regime, seed in lost
    )
    return replace(record, missing=missing)


def _spoil_values(
    value: Any, hostile: str, *, keep: frozenset[str] | set[str] = frozenset()
) -> Any:
    if isinstance(value, str):
        return f"{value}{hostile}"
    if isinstance(value, dict):
        return {
            key: inner if key in keep else _spoil_values(inner, hostile)
            for key, inner in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_spoil_values(inner, hostile) for inner in value]
    return value
