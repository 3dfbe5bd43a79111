"""A tiny release in a folder, and a server that hands it out."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from hbn_for_tests import serving, write_dataset

from pfactor_bench.cohorts.hbn import download as hbn_fetch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hbn_for_tests import Server


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the tiny release, which nobody may change."""
    folder = tmp_path_factory.mktemp("origin")
    write_dataset(folder)
    return folder


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep windows in the test's own folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for variable in ("EEGDASH_CACHE_DIR", "PFACTOR_BENCH_DATA", "PFACTOR_BENCH_FETCH"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def local(origin: Path, tmp_path: Path) -> Path:
    """Return a folder with a copy of the tiny release that a test may change."""
    shutil.copytree(origin, tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def server(origin: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Serve the tiny release in the place of EEGDash and OpenNeuro."""
    monkeypatch.setattr(hbn_fetch, "_PAUSE_SECONDS", 0.01)
    with serving(origin) as running:
        monkeypatch.setenv("EEGDASH_API_URL", running.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", running.url)
        yield running
