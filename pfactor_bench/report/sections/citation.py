"""How to cite a report: one BibTeX entry, made from the record alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pfactor_bench.report.section import Section
from pfactor_bench.report.text import code_block, plain

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record

#: What BibTeX and TeX read as markup. A brace would end the field.
_TEX = {
    "\\": r"\textbackslash ",
    "{": r"\textbraceleft ",
    "}": r"\textbraceright ",
    "~": r"\textasciitilde ",
    "^": r"\textasciicircum ",
    "<": r"\textless ",
    ">": r"\textgreater ",
    **{character: f"\\{character}" for character in "#$%&_"},
}
_COMMIT = 12


def bibtex(record: Record) -> str:
    """Return a BibTeX entry for the report, on one line."""
    facts = record.provenance
    year = str(facts.get("date", ""))[:4]
    note = f"schema {record.schema_version}"
    if facts.get("commit"):
        note = f"commit {plain(facts['commit'])[:_COMMIT]}, {note}"
    fields = {
        "title": f"{{{_tex(record.suite['title'])}}}",
        "author": "{The pfactor-bench developers}",
        "howpublished": f"Report of pfactor-bench {_tex(facts.get('version', ''))}".strip(),
        "note": _tex(note),
    }
    if re.fullmatch(r"\d{4}", year, flags=re.ASCII):
        fields["year"] = year
    body = ", ".join(f"{key} = {{{value}}}" for key, value in fields.items())
    return f"@misc{{{_key(record.suite['name'], year)}, {body}}}"


def _key(name: object, year: str) -> str:
    word = re.sub(r"[^a-z0-9]+", "-", plain(name, limit=60).lower()).strip("-")
    return "-".join(part for part in ("pfactor-bench", word, re.sub(r"\D", "", year)) if part)


def _tex(text: object) -> str:
    return "".join(_TEX.get(character, character) for character in plain(text, limit=200))


SECTION = Section(
    order=180, heading="Cite", text=lambda record: [code_block([bibtex(record)], language="bibtex")]
)
