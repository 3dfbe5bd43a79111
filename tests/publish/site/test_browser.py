"""The site in a real browser, opened from the file system as a reader would."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.support.wait import WebDriverWait

from pfactor_bench.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver.chrome.webdriver import WebDriver

ROOT = Path(__file__).parents[3]
PAGES = ("index.html", "history.html", "reports/case-study/index.html")
PHONE, DESKTOP = (390, 844), (1280, 900)

#: Files, and what the browser shows before the first; no page can ask for chrome: itself.
_OWN_ADDRESSES = ("file:", "data:", "chrome:")

_SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Publish the project's own reports."""
    folder = tmp_path_factory.mktemp("published") / "site"
    assert main(["publish", str(ROOT / "reports"), "--site", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    """Start Chromium once, or skip."""
    from selenium import webdriver

    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("no browser: install chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for switch in _SWITCHES:
        options.add_argument(switch)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=driver)
    started = webdriver.Chrome(options=options, service=service)
    started.implicitly_wait(5)
    # The browser's own new tab loads for a while; left alone it disturbs the first test.
    started.get("about:blank")
    yield started
    started.quit()


@pytest.fixture
def browser(started: WebDriver) -> Iterator[WebDriver]:
    """Return the browser, and hold every test to a silent console and no request elsewhere."""
    for kind in ("browser", "performance"):
        started.get_log(kind)
    show(started, DESKTOP, scheme="light")
    yield started
    assert [entry["message"] for entry in started.get_log("browser")] == []
    assert [url for url in requested(started) if not url.startswith(_OWN_ADDRESSES)] == []


def show(browser: WebDriver, size: tuple[int, int], *, scheme: str) -> None:
    """Choose the size of the window and whether it is dark."""
    width, height = size
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == PHONE},
    )
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def requested(browser: WebDriver) -> list[str]:
    """Return the addresses that pages asked for."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]


def open_page(browser: WebDriver, site: Path, page: str) -> None:
    """Open a page of the site afresh."""
    browser.get("about:blank")
    path, mark, fragment = page.partition("#")
    browser.get(f"{(site / path).as_uri()}{mark}{fragment}")
    WebDriverWait(browser, 10).until(
        lambda one: one.execute_script("return document.readyState") == "complete"
    )


def column(browser: WebDriver, number: int) -> list[str]:
    """Return the texts of a column's rows that are shown."""
    return browser.execute_script(
        "return [...document.querySelectorAll('#leaderboard tbody tr:not([hidden])')]"
        ".map(row => row.cells[arguments[0]].textContent.trim())",
        number,
    )


def click(browser: WebDriver, css: str) -> None:
    """Click what a selector finds first."""
    browser.find_element("css selector", css).click()


def test_sorting_by_skill_puts_the_best_first_then_last(browser: WebDriver, site: Path) -> None:
    """Rows without a value stay at the end."""
    open_page(browser, site, "index.html")
    header = "#leaderboard thead th:nth-child(4)"

    def skills() -> list[float]:
        return [float(cell.split()[0]) for cell in column(browser, 3) if cell != "–"]

    click(browser, f"{header} button")
    assert sorted(skills(), reverse=True) == skills()
    click(browser, f"{header} button")
    assert sorted(skills()) == skills()
    element = browser.find_element("css selector", header)
    assert element.get_attribute("aria-sort") == "ascending"


def test_sorting_works_with_the_keyboard(browser: WebDriver, site: Path) -> None:
    """A header is a button."""
    open_page(browser, site, "index.html")
    button = browser.find_element("css selector", "#leaderboard thead th:nth-child(1) button")
    button.send_keys("\ue007")  # Enter
    names = [name.lower() for name in column(browser, 0)]
    assert sorted(names) == names


def test_filtering_narrows_the_rows_and_says_how_far(browser: WebDriver, site: Path) -> None:
    """By words, by suite, by kind."""
    open_page(browser, site, "index.html")
    every = len(column(browser, 0))
    browser.find_element("css selector", "#search").send_keys("linear-probe")
    names = column(browser, 0)
    assert 0 < len(names) < every
    assert all("linear-probe" in name for name in names)
    status = browser.find_element("css selector", "#count").text
    assert status == f"{len(names)} of {every} rows"
    click(browser, "#regimes")
    assert len(column(browser, 0)) == len(names)


def test_a_view_can_be_linked_to(browser: WebDriver, site: Path) -> None:
    """The address holds search and order."""
    open_page(browser, site, "index.html#suite=eegmat&sort=-3")
    assert set(column(browser, 1)) == {"eegmat"}
    skills = [float(cell.split()[0]) for cell in column(browser, 3)]
    assert sorted(skills, reverse=True) == skills


def test_a_report_opens_from_the_leaderboard_with_its_figures(
    browser: WebDriver, site: Path
) -> None:
    """Every image loads, and the way back leads back."""
    open_page(browser, site, "index.html")
    click(browser, "#leaderboard tbody a")
    assert browser.find_element("css selector", "article h1").text != ""
    broken = browser.execute_script(
        "return [...document.images].filter(one => !one.complete || !one.naturalWidth).length"
    )
    assert broken == 0
    click(browser, "nav a")
    assert browser.title.startswith("Leaderboard")


def test_the_first_screen_of_a_report_answers(browser: WebDriver, site: Path) -> None:
    """Verdict, subjects, leak and command are seen without scrolling."""
    open_page(browser, site, "reports/case-study/index.html")
    bottom = browser.execute_script(
        "return document.querySelector('article pre').getBoundingClientRect().bottom"
    )
    assert bottom < DESKTOP[1]


@pytest.mark.parametrize("page", PAGES)
def test_no_page_is_wider_than_a_phone(browser: WebDriver, site: Path, page: str) -> None:
    """Tables scroll by themselves."""
    show(browser, PHONE, scheme="light")
    open_page(browser, site, page)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= PHONE[0]


def test_letters_of_a_figure_can_be_read_on_a_phone(browser: WebDriver, site: Path) -> None:
    """Drawn in 9 points on 10.4 inches, they keep three quarters of that; the figure scrolls."""
    show(browser, PHONE, scheme="light")
    open_page(browser, site, "reports/case-study/index.html")
    image, visible, whole = browser.execute_script(
        "const figure = document.querySelector('.figure'); figure.scrollLeft = 1e6;"
        "return [figure.querySelector('img').clientWidth, figure.clientWidth,"
        " figure.scrollLeft + figure.clientWidth]"
    )
    assert image >= 0.75 * 10.4 * 96
    assert visible < PHONE[0]
    assert whole >= image


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_page_is_accessible(browser: WebDriver, site: Path, page: str, scheme: str) -> None:
    """Axe finds no violation: contrast, names, roles, keyboard."""
    show(browser, PHONE if scheme == "dark" else DESKTOP, scheme=scheme)
    open_page(browser, site, page)
    axe = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
    browser.execute_script(axe)
    found = browser.execute_async_script(
        "axe.run(document, {resultTypes: ['violations']}).then(arguments[arguments.length - 1])"
    )
    violations = {
        violation["id"]: [node["html"][:120] for node in violation["nodes"][:3]]
        for violation in found["violations"]
    }
    assert violations == {}


def test_without_scripts_the_table_is_complete(browser: WebDriver, site: Path) -> None:
    """Sorting is a comfort, not a condition."""
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        open_page(browser, site, "index.html")
        rows = browser.find_elements("css selector", "#leaderboard tbody tr")
        assert len(rows) > 10
        assert not browser.find_element("css selector", "#filters").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
