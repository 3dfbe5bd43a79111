"""The pages of a site as bytes, by address: a pure function of what was gathered."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pfactor_bench.publish.site.drawings import marks_of, scale_of
from pfactor_bench.publish.site.leaderboard import Row, Standing, leaderboard
from pfactor_bench.publish.site.markdown import report_html
from pfactor_bench.report.facts import metric, regimes
from pfactor_bench.report.text import number, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from jinja2 import Environment

    from pfactor_bench.publish.site.gather import PublishedReport
    from pfactor_bench.records.record import Record

#: Reports that are of no suite and stand in the menu.
_SPECIAL = {"detection": "Detection", "timing": "Timing"}

#: Of the small drawings in tables and on the page of histories.
_DRAWING = 110
_CHART = (600, 120)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Version:
    """One regime in one version of a record."""

    date: str
    commit: str
    subjects: int
    skill: Standing


def site_pages(
    reports: Sequence[PublishedReport],
    histories: Mapping[str, Sequence[Record]],
    *,
    title: str = "pfactor-bench reports",
) -> dict[str, bytes]:
    """Return every file of a site but those that are copied as they are.

    Parameters
    ----------
    reports
        What is published.
    histories
        For each report by name, the versions of its record, oldest first.
    title
        Of the site.

    Returns
    -------
    dict
        Address within the site to content.
    """
    environment = _environment()
    names = {report.name for report in reports}
    common = {
        "title": plain(title),
        "special": {name: word for name, word in _SPECIAL.items() if name in names},
    }
    rows = leaderboard((r.name, r.record) for r in reports if r.record is not None)
    tracks = _tracks(reports, histories)
    pages = {
        "index.html": _index(environment, common, reports, rows),
        "index.json": _json({"leaderboard": [asdict(row) for row in rows]}),
        "history.html": _history(environment, common, tracks),
        "history.json": _json(
            {"history": [{**track, "versions": [*map(asdict, v)]} for track, v in tracks]}
        ),
    }
    for report in reports:
        address = f"reports/{report.name}/index.html"
        pages[address] = _page(environment, common, report)
    assets = files("pfactor_bench.publish.site") / "assets"
    for name in ("site.css", "site.js"):
        pages[f"assets/{name}"] = (assets / name).read_bytes()
    return pages


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("pfactor_bench.publish.site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"plain": plain, "number": _number, "standing": _standing}
    return environment


def _index(
    environment: Environment,
    common: Mapping[str, Any],
    reports: Sequence[PublishedReport],
    rows: Sequence[Row],
) -> bytes:
    scale = scale_of([row.skill for row in rows], start=4, stop=_DRAWING - 4)
    listed = [{"report": report, "heading": _heading(report)} for report in reports]
    return _render(
        environment,
        "index.html",
        common,
        root="",
        rows=[(row, marks_of(row.skill, scale)) for row in rows],
        zero=scale.at(0),
        width=_DRAWING,
        reports=listed,
        suites=sorted({row.suite for row in rows}),
    )


def _history(
    environment: Environment,
    common: Mapping[str, Any],
    tracks: Sequence[tuple[dict[str, str], list[_Version]]],
) -> bytes:
    width, height = _CHART
    drawn = []
    for track, versions in tracks:
        scale = scale_of([version.skill for version in versions], start=height - 8, stop=8)
        xs = _spread(len(versions), width)
        marks = [marks_of(version.skill, scale) for version in versions]
        drawn.append((track, versions, list(zip(xs, marks, strict=True)), scale.at(0)))
    return _render(
        environment, "history.html", common, root="", tracks=drawn, width=width, height=height
    )


def _spread(n: int, width: float) -> list[float]:
    """Return `n` positions from edge to edge; one stands in the middle."""
    step = (width - 40) / max(1, n - 1)
    return [round(20 + step * number, 1) for number in range(n)] if n > 1 else [width / 2]


def _page(environment: Environment, common: Mapping[str, Any], report: PublishedReport) -> bytes:
    return _render(
        environment,
        "report.html",
        common,
        root="../../",
        name=report.name,
        heading=_heading(report),
        data_files=sorted(path.name for path in report.folder.glob("*.json")),
        body=report_html(report.text),
    )


def _tracks(
    reports: Iterable[PublishedReport], histories: Mapping[str, Sequence[Record]]
) -> list[tuple[dict[str, str], list[_Version]]]:
    """Return for each regime of each report what its skill was in every version."""
    tracks = []
    for report in reports:
        if report.record is None:
            continue
        versions = histories.get(report.name) or [report.record]
        for regime in regimes(report.record):
            track = {"report": report.name, "suite": report.record.suite["name"], "regime": regime}
            tracks.append((track, [_version(record, regime) for record in versions]))
    return tracks


def _version(record: Record, regime: str) -> _Version:
    found = metric(record, regime, "skill")
    ci = found.ci if found else None
    return _Version(
        date=str(record.provenance.get("date") or "")[:10],
        commit=str(record.provenance.get("commit") or "")[:8],
        subjects=(found.n_subjects or 0) if found else 0,
        skill=Standing(
            value=found.value if found else None,
            low=ci.low if ci else None,
            high=ci.high if ci else None,
        ),
    )


def _heading(report: PublishedReport) -> str:
    """Return a report's title: its record's, else its first heading's."""
    if report.record is not None:
        return plain(report.record.suite["title"], limit=200)
    first = next((line for line in report.text.splitlines() if line.startswith("# ")), "")
    return plain(first.removeprefix("# ") or report.name, limit=200)


def _render(
    environment: Environment, template: str, common: Mapping[str, Any], **more: object
) -> bytes:
    return environment.get_template(template).render(**common, **more).encode()


def _json(content: object) -> bytes:
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode(errors="backslashreplace")  # as in a record


def _number(value: float | None) -> str:
    return "–" if value is None else number(value)


def _standing(standing: Standing) -> str:
    if standing.low is None or standing.high is None:
        return _number(standing.value)
    return f"{_number(standing.value)} [{number(standing.low)}, {number(standing.high)}]"
