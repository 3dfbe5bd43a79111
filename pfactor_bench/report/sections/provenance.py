"""What the run rested on, and the command that repeats it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pfactor_bench.report.section import Section
from pfactor_bench.report.sections.summary import run_again
from pfactor_bench.report.text import count, joined, md, table, value_in_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pfactor_bench.records.record import Record
    from pfactor_bench.report.text import Markdown


def _text(record: Record) -> list[Markdown]:
    facts = dict(record.provenance)
    facts.pop("command", None)
    commit = facts.pop("commit", None)
    dirty = facts.pop("dirty", None)
    packages = facts.pop("packages", None) or {}
    encoders = facts.pop("encoders", None)
    again = facts.pop("measured_again", None)
    versions = (md("{} {}", name, value_in_words(version)) for name, version in packages.items())
    rows: list[Sequence[object]] = [
        ["commit", _commit(commit, dirty=dirty)],
        *([key.replace("_", " "), value_in_words(value)] for key, value in facts.items()),
        *([["encoders", _encoders(encoders)]] if encoders else []),
        *([["numbers computed again", _measured_again(again)]] if again else []),
        ["packages", joined(", ", versions)],
        ["cohort, sha256", record.cohort["fingerprint"]],
        [md("{}, sha256", record.suite["file"]), record.suite["sha256"]],
        ["record schema", str(record.schema_version)],
    ]
    repeat = run_again(record, *([f"git checkout {commit}"] if commit else []))
    return [table(["what", "value"], rows), *([md("### Run it again"), repeat] if repeat else [])]


def _encoders(encoders: Sequence[Mapping[str, Any]]) -> str:
    """Return whom encoders were pretrained on, in numbers; everything else is in the record."""
    subjects = sorted({len(one.get("subjects", ())) for one in encoders})
    between = f"{subjects[0]:,}" if len(subjects) == 1 else f"{subjects[0]:,} to {subjects[-1]:,}"
    return (
        f"{count(len(encoders), 'encoder')}, pretrained on {between} subjects each; whom, and how, "
        f"is in record.json under provenance"
    )


def _measured_again(again: Mapping[str, Any]) -> Markdown:
    """Return when, and by which code, numbers were computed from stored predictions."""
    code = _commit(again.get("commit"), dirty=again.get("dirty"))
    when = value_in_words(again.get("date"))
    return md("from the stored predictions, {}, by commit {}", when, code)


def _commit(commit: str | None, *, dirty: bool | None) -> Markdown:
    if commit is None:
        return md("not known: the code ran outside its repository")
    edited = {True: ", **with edits that were not committed**", False: "", None: ""}[dirty]
    return md("{}{}", commit, md(edited))


SECTION = Section(order=170, heading="Provenance", text=_text)
