"""What a report says of the engines that trained its cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pfactor_bench.report.text import count, joined, md, name_list

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pfactor_bench.records.record import Record
    from pfactor_bench.report.text import Markdown


def engine_names(record: Record) -> list[str]:
    """Return what each engine that trained a case is called; empty where that is not known."""
    return list(dict.fromkeys(_name(one["engine"]) for one in _known(record).values()))


def engine_sentences(record: Record) -> list[Markdown]:
    """Return which engine trained the cases, and why it is another one than asked for."""
    known = _known(record)
    if not known:
        return [md("Which engine trained the cases is not known.")]
    sentences = [md("Trained by: {}.", joined(" and ", engine_names(record)))]
    by_reason: dict[str, list[str]] = {}
    for case, one in known.items():
        if one["fallback"] is not None:
            by_reason.setdefault(one["fallback"], []).append(case)
    sentences += [
        md(
            "**{} left to the plain loop** ({}): {}.",
            count(len(cases), "case was", "cases were"),
            name_list(cases),
            reason,
        )
        for reason, cases in by_reason.items()
    ]
    return sentences


def _known(record: Record) -> dict[str, Mapping[str, Any]]:
    return {case["id"]: one for case in record.cases if (one := case.get("trained_by"))}


def _name(engine: Mapping[str, Any]) -> str:
    """Return its kind, and the options that an earlier version gave it."""
    options = (
        f"{key}: {value}"
        for key, value in engine.items()
        if key != "kind" and value not in {False, "float32"}
    )
    return ", ".join([engine["kind"], *options])
