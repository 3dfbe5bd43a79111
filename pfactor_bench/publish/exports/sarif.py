"""Findings as SARIF 2.1.0, the form that code scanning reads.

Source: OASIS (2020), "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from pfactor_bench._version import __version__
from pfactor_bench.checks import CatalogueEntry, catalogue
from pfactor_bench.report.text import plain
from pfactor_bench.types import Finding

#: What each status is in SARIF: its kind, and the level that a viewer sorts by.
_KINDS = {
    "fail": ("fail", "error"),
    "warn": ("fail", "warning"),
    "error": ("open", "none"),
    "pass": ("pass", "none"),
    "skipped": ("notApplicable", "none"),
    "not_applicable": ("notApplicable", "none"),
}
_SEVERITIES = {"leak": "error", "weakness": "warning"}


def sarif_log(findings: Iterable[Finding], *, artifact: str, target: str) -> dict[str, Any]:
    """Return findings as a SARIF log, as plain JSON values; every finding is a result in it.

    Parameters
    ----------
    findings
        Of a record or an audit.
    artifact
        The file that a viewer shows them at, relative to the repository: a suite's or a study's.
    target
        What was examined, in words.
    """
    found = list(findings)
    pages = {entry.code: entry for entry in catalogue()}
    # A check that several regimes were held to is one rule.
    looked = {finding.code: finding for finding in found}
    rules = [_rule(finding, pages.get(code)) for code, finding in looked.items()]
    places = {code: place for place, code in enumerate(looked)}
    broken = [finding for finding in found if finding.status == "error"]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {"name": "pfactor-bench", "version": __version__, "rules": rules}
                },
                "automationDetails": {"id": f"pfactor-bench/{plain(target, limit=200)}"},
                "invocations": [
                    {
                        # A check that broke off decided nothing, so the run is not a success.
                        "executionSuccessful": not broken,
                        "toolExecutionNotifications": [
                            {
                                "level": "error",
                                "descriptor": {"id": finding.code},
                                "message": {"text": _text(finding.explanation)},
                            }
                            for finding in broken
                        ],
                    }
                ],
                "results": [_result(places[finding.code], finding, artifact) for finding in found],
                "columnKind": "utf16CodeUnits",
            }
        ],
    }


def _rule(finding: Finding, page: CatalogueEntry | None) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "id": plain(finding.code, limit=60),
        "shortDescription": {"text": _text(finding.title)},
    }
    if page is not None:
        rule |= {
            "fullDescription": {"text": _text(page.why or page.title)},
            "help": {"text": _text(" ".join(filter(None, (page.detected, page.fix, page.blind))))},
            "defaultConfiguration": {"level": _SEVERITIES[page.severity]},
            "properties": {"tags": ["leakage", *(f"kind-{kind}" for kind in page.kinds)]},
        }
    return rule


def _result(rule: int, finding: Finding, artifact: str) -> dict[str, Any]:
    kind, level = _KINDS[finding.status]
    of = "" if finding.regime is None else f"{finding.regime}:"
    said = " ".join(part for part in (finding.explanation, finding.fix) if part)
    return {
        "ruleId": plain(finding.code, limit=60),
        "ruleIndex": rule,
        "kind": kind,
        "level": level,
        "message": {"text": _text(f"{of} {said or finding.title}".lstrip())},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(artifact)},
                    "region": {"startLine": 1},
                }
            }
        ],
        "partialFingerprints": {
            "pfactorBenchCheck/v1": hashlib.sha256(
                f"{finding.label}\n{artifact}".encode(errors="backslashreplace")
            ).hexdigest()
        },
        "properties": {"status": finding.status, "rowsOfEvidence": finding.n_evidence},
    }


def _text(words: str) -> str:
    """Return words in which a viewer finds no link: SARIF reads ``[text](address)`` as one."""
    return plain(words, limit=4000).replace("](", "] (") or "–"


def _uri(artifact: str) -> str:
    """Return a relative address that cannot lead out of the repository."""
    parts = [part for part in PurePosixPath(plain(artifact)).parts if part not in ("/", "..", ".")]
    return quote("/".join(parts) or "unknown", safe="/")
