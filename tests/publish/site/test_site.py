"""The static site: what stands on its pages, how it is ranked, and what it refuses."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hostile import PAYLOADS, spoil, text, with_losses
from hypothesis import HealthCheck, given, settings

from pfactor_bench.cli.main import main
from pfactor_bench.errors import RecordError
from pfactor_bench.publish.site.gather import PublishedReport, earlier_records, gather_reports
from pfactor_bench.publish.site.leaderboard import Standing, leaderboard, rank_ranges
from pfactor_bench.publish.site.markdown import report_html
from pfactor_bench.publish.site.pages import site_pages
from pfactor_bench.records.record import read_record
from pfactor_bench.report import report_text

ROOT = Path(__file__).parents[3]
CASE_STUDY = ROOT / "tests" / "records" / "schema-1"


class Reader(HTMLParser):
    """Collects the elements and addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.append(tag)
        self.attributes += attrs


def read(page: bytes) -> Reader:
    """Return what a page is made of."""
    reader = Reader()
    reader.feed(page.decode())
    return reader


def report_of(record, name: str = "one", words: str | None = None) -> PublishedReport:
    """Return a report that stands in no folder."""
    return PublishedReport(
        name=name, folder=CASE_STUDY, text=words or report_text(record), record=record
    )


@pytest.fixture
def old():
    """Return the kept record of the case study."""
    return read_record(CASE_STUDY)


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """Return a folder with one report."""
    folder = tmp_path / "reports" / "one"
    shutil.copytree(CASE_STUDY, folder)
    main(["render", str(folder)])
    return folder.parent


def test_overlapping_intervals_are_not_ranked_apart() -> None:
    """A rank is what the intervals leave open."""
    standings = [
        Standing(value=0.9, low=0.8, high=1.0),
        Standing(value=0.5, low=0.3, high=0.7),
        Standing(value=0.4, low=0.2, high=0.6),
        Standing(value=0.0),
        Standing(value=None),
    ]
    assert [(1, 1), (2, 3), (2, 3), None, None] == rank_ranges(standings)


def test_ranks_stay_within_a_suite(old) -> None:
    """Other subjects are another contest."""
    rows = leaderboard([("one", old), ("two", old)])
    best = [row.report for row in rows if row.ranks and row.ranks[0] == 1]
    assert best == ["one", "two"]


def test_leaderboard_holds_models_and_simple_predictors(old) -> None:
    """Each with its interval, the train mean at 0."""
    rows = {row.predictor: row for row in leaderboard([("one", old)])}
    assert {"from-scratch", "train-mean", "ridge-band-power"} <= rows.keys()
    assert rows["from-scratch"].outcome == "not shown"
    assert rows["train-mean"].skill.value == 0


def test_leaderboard_shows_what_gave_no_result(old) -> None:
    """A regime of which nothing came back stands there as well, without a rank."""
    rows = {row.predictor: row for row in leaderboard([("one", with_losses(old))])}
    assert (rows["from-scratch"].n_missing, rows["from-scratch"].n_cases) == (1, 3)
    lost = rows["linear-probe"]
    assert (lost.n_missing, lost.n_cases, lost.kind) == (2, 2, "regime")
    assert (lost.ranks, lost.skill.value, lost.outcome) == (None, None, "not shown")
    page = site_pages([report_of(with_losses(old))], {})["index.html"].decode()
    assert "1 of 3 seeds without a result" in page
    assert "2 of 2 seeds without a result" in page
    assert "without a result" not in site_pages([report_of(old)], {})["index.html"].decode()


def test_site_has_a_page_and_json_for_everything(reports: Path, tmp_path: Path) -> None:
    """Addresses that stay."""
    assert main(["publish", str(reports), "--site", str(tmp_path / "site")]) == 0
    found = {str(path.relative_to(tmp_path / "site")) for path in (tmp_path / "site").rglob("*.*")}
    assert {
        "index.html",
        "index.json",
        "history.html",
        "history.json",
        "reports/one/index.html",
        "reports/one/record.json",
        "reports/one/figure.png",
        "assets/site.css",
        "assets/site.js",
    } <= found
    assert "reports/one/predictions.parquet" not in found


def test_publishing_again_removes_what_is_gone(reports: Path, tmp_path: Path) -> None:
    """No page of a report that was withdrawn."""
    site = tmp_path / "site"
    shutil.copytree(reports / "one", reports / "two")
    main(["publish", str(reports), "--site", str(site)])
    shutil.rmtree(reports / "two")
    main(["publish", str(reports), "--site", str(site)])
    assert not (site / "reports" / "two" / "index.html").exists()
    assert (site / "reports" / "one" / "index.html").exists()


def test_a_folder_of_something_else_is_left_alone(reports: Path, tmp_path: Path, capsys) -> None:
    """Nobody's home page is overwritten."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "index.html").write_text("mine")
    assert main(["publish", str(reports), "--site", str(tmp_path / "home")]) == 2
    assert "is no site" in capsys.readouterr().err
    assert (tmp_path / "home" / "index.html").read_text() == "mine"


def test_a_forged_list_of_files_deletes_nothing_outside(reports: Path, tmp_path: Path) -> None:
    """Only what lies in the site."""
    site, precious = tmp_path / "site", tmp_path / "precious"
    site.mkdir()
    precious.write_text("keep")
    (site / "site.json").write_text(json.dumps({"files": ["../precious", str(precious)]}))
    main(["publish", str(reports), "--site", str(site)])
    assert precious.read_text() == "keep"


def test_nothing_to_publish_is_an_error(tmp_path: Path, capsys) -> None:
    """With what is looked for."""
    assert main(["publish", str(tmp_path), "--site", str(tmp_path / "site")]) == 2
    assert "report.md" in capsys.readouterr().err


def test_a_folder_that_fits_no_address_is_refused(reports: Path, tmp_path: Path, capsys) -> None:
    """Its name becomes part of one."""
    (reports / "one").rename(reports / "a b")
    assert main(["publish", str(reports), "--site", str(tmp_path / "site")]) == 2
    assert "'a b'" in capsys.readouterr().err


def test_report_with_another_kind_of_record_gets_a_page(tmp_path: Path) -> None:
    """Such as the detection matrix, which then stands in the menu."""
    folder = tmp_path / "reports" / "detection"
    folder.mkdir(parents=True)
    (folder / "report.md").write_text("# Found and missed\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
    (folder / "record.json").write_text('{"detection": []}')
    main(["publish", str(tmp_path / "reports"), "--site", str(tmp_path / "site")])
    index = (tmp_path / "site" / "index.html").read_text()
    assert 'href="reports/detection/index.html">Detection' in index
    assert "Found and missed" in index
    page = (tmp_path / "site" / "reports" / "detection" / "index.html").read_text()
    assert '<a href="record.json">' in page


def test_history_comes_from_git(tmp_path: Path) -> None:
    """Every run once, the oldest first, migrated or judged again or not."""
    folder = tmp_path / "reports" / "one"
    shutil.copytree(CASE_STUDY, folder)
    (folder / "report.md").write_text("# one\n")

    def git(*arguments: str) -> None:
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        command = ["git", *who, *arguments]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    def commit_run(date: str) -> None:
        data = json.loads((folder / "record.json").read_text())
        data["provenance"]["date"] = date
        (folder / "record.json").write_text(json.dumps(data))
        git("add", "-A")
        git("commit", "-qm", "x")

    git("init", "-q")
    commit_run("2026-01-01")
    commit_run("2026-02-02")
    main(["judge", str(folder)])
    git("commit", "-qam", "judged again")
    (report,) = gather_reports(tmp_path / "reports")
    dates = [record.provenance["date"] for record in earlier_records(report)]
    assert dates == ["2026-01-01", "2026-02-02"]


def test_without_git_there_is_only_the_present(reports: Path) -> None:
    """And no error."""
    (report,) = gather_reports(reports)
    assert [report.record] == earlier_records(report)


def test_headings_have_the_anchors_that_the_report_links_to(old) -> None:
    """Links within a page lead somewhere."""
    page = report_html(report_text(old))
    targets = set(re.findall(r'href="#([^"]+)"', page))
    assert targets <= set(re.findall(r'id="([^"]+)"', page))
    assert "run-it-again" in targets


def test_every_figure_is_a_region_of_its_own_that_scrolls() -> None:
    """Reached by keyboard, with a name; an image within a sentence stays there."""
    page = report_html("![A](a.png)\n\nSee ![B](b.png).\n\n![C](c.png)")
    region = '<div class="scroll figure" role="region" aria-label="Figure {}" tabindex="0"><img'
    assert page.count("figure") == 2
    assert region.format(1) in page
    assert region.format(2) in page
    assert "<p>See <img" in page


def test_a_header_without_words_is_a_plain_cell() -> None:
    """A screen reader would announce nothing for its column."""
    page = report_html("| a |  |\n|---|---|\n| 1 | 2 |\n")
    assert page.count("<th>") == page.count("</th>") == 1
    assert page.count("<td>") == page.count("</td>") == 3


@pytest.mark.parametrize(
    "words",
    [
        "[x](javascript:alert(1))",
        "[x](http://x.test)",
        "![x](//x.test/y.png)",
        "[x](../../secret)",
        "<script>alert(1)</script>",
        "<b onclick=x>",
    ],
)
def test_markdown_leads_nowhere_else_and_holds_no_html(words: str) -> None:
    """Even in a report that someone wrote by hand."""
    reader = read(report_html(words).encode())
    assert not {"a", "img", "script", "b"} & set(reader.tags)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None
)
@given(hostile=text)
def test_hostile_text_changes_no_page(old, hostile: str) -> None:
    """The same elements, whatever data are called."""

    def tags(record) -> dict[str, list[str]]:
        pages = site_pages([report_of(record)], {})
        return {k: read(v).tags for k, v in pages.items() if k.endswith(".html")}

    lossy = with_losses(old)
    assert tags(lossy) == tags(spoil(lossy, hostile))


@pytest.mark.parametrize("hostile", PAYLOADS)
def test_no_page_has_a_style_a_handler_or_a_foreign_address(old, hostile: str) -> None:
    """A strict content security policy finds nothing to block."""
    pages = site_pages([report_of(spoil(old, hostile))], {})
    for page in (read(v) for k, v in pages.items() if k.endswith(".html")):
        names = [name for name, _ in page.attributes]
        assert [name for name in names if name == "style" or name.startswith("on")] == []
        addresses = [v for name, v in page.attributes if name in ("href", "src") and v]
        assert [a for a in addresses if re.match(r"[a-z]+:|//", a)] == []


def test_the_same_reports_give_the_same_site(old) -> None:
    """Byte for byte."""
    assert site_pages([report_of(old)], {}) == site_pages([report_of(old)], {})


@pytest.mark.parametrize("broken", ["folder", "bytes"])
def test_report_that_cannot_be_read_is_named(broken: str, tmp_path: Path) -> None:
    """Instead of a traceback."""
    path = tmp_path / "one" / "report.md"
    path.parent.mkdir()
    path.mkdir() if broken == "folder" else path.write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(RecordError, match=r"cannot read the report .*report\.md"):
        gather_reports(tmp_path)
