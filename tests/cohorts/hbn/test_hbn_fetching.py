"""HBN's releases that are not in the folder yet."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hbn_for_tests import SUBJECTS, WITHOUT_TARGET

from pfactor_bench.cohorts.hbn import download as hbn_fetch
from pfactor_bench.cohorts.hbn.cohort import CH_NAMES, hbn
from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from pathlib import Path

    from hbn_for_tests import Server


NAMES = [f"sub-{name}" for name in SUBJECTS]


class TestNetwork:
    """Releases that are not in the folder yet; the server is one of the test's own."""

    @pytest.mark.filterwarnings("ignore")
    def test_production_call_runs_unmodified(self, server: Server, tmp_path: Path) -> None:
        """Query, download and windows as the case study writes them, and ours are the same."""
        from braindecode.preprocessing import (
            Preprocessor,
            create_fixed_length_windows,
            preprocess,
        )
        from eegdash import EEGDashDataset

        cache_dir = (tmp_path / "their cache").resolve()
        ds = EEGDashDataset(
            dataset="ds005505",
            cache_dir=cache_dir,
            description_fields=["subject", "session", "run", "task", "p_factor"],
        )
        preprocess(
            ds,
            [
                Preprocessor("pick_channels", ch_names=list(CH_NAMES), ordered=True),
                Preprocessor("resample", sfreq=100),
                Preprocessor("filter", l_freq=1, h_freq=30),
            ],
        )
        windows = create_fixed_length_windows(
            ds,
            window_size_samples=200,
            window_stride_samples=200,
            drop_last_window=True,
            preload=False,
        )
        theirs = np.stack([window for window, *_ in windows])[: 3 * 26]
        ours = hbn(data_dir=tmp_path / "ours", download=True, keep_reference=True)

        assert server.got.count("participants.tsv") >= 1
        np.testing.assert_allclose(ours.X, 1e6 * theirs, atol=1e-4)

    @pytest.mark.usefixtures("server")
    def test_online_and_offline_are_the_same_cohort(self, origin: Path, tmp_path: Path) -> None:
        """To the last bit."""
        online = hbn(data_dir=tmp_path / "fetched", download=True)
        offline = hbn(data_dir=origin)

        assert (online.fingerprint, online.notes) == (offline.fingerprint, offline.notes)

    def test_nothing_is_fetched_twice(self, server: Server, tmp_path: Path) -> None:
        """What is there is there."""
        hbn(data_dir=tmp_path, download=True)
        before = len(server.got)
        hbn(data_dir=tmp_path, download=True)

        assert len(server.got) == before

    def test_subjects_without_target_are_not_fetched(self, server: Server, tmp_path: Path) -> None:
        """A hundred megabytes each."""
        hbn(data_dir=tmp_path, download=True)

        assert not any(WITHOUT_TARGET in name for name in server.got)

    def test_what_is_to_be_fetched_is_said_before(
        self, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Recordings and gigabytes."""
        hbn(data_dir=tmp_path, download=True)

        assert server.got
        assert (
            "3 RestingState recordings of ds005505 (R1), about 0.3 GB, are to be fetched"
        ) in capsys.readouterr().err

    def test_more_than_a_gigabyte_needs_consent(
        self, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nothing is fetched without it but the tables."""
        monkeypatch.setattr(hbn_fetch, "CONSENT_BYTES", 0.2e9)
        with pytest.raises(CohortError, match=r"about 0\.3 GB.*agree with --yes"):
            hbn(data_dir=tmp_path, download=True)
        assert not any(name.endswith(".set") for name in server.got)

        monkeypatch.setenv("PFACTOR_BENCH_FETCH", "yes")
        assert hbn(data_dir=tmp_path, download=True).n_subjects == 3

    def test_failed_download_is_tried_again(self, server: Server, tmp_path: Path) -> None:
        """A server may be busy."""
        server.failures[f"{NAMES[1]}_task-RestingState_eeg.set"] = 2

        assert hbn(data_dir=tmp_path, download=True).n_subjects == 3

    def test_download_that_fails_for_good_is_named(self, server: Server, tmp_path: Path) -> None:
        """Never dropped; the others are kept."""
        name = f"{NAMES[1]}_task-RestingState_eeg.set"
        server.failures[name] = 99
        with pytest.raises(CohortError, match=rf"1 of 3 .* \({name}.*exclude: \[{NAMES[1]}\]"):
            hbn(data_dir=tmp_path, download=True)

        assert len(list(tmp_path.glob("*/*/eeg/*.set"))) == 2

    def test_release_without_records_is_an_error(self, server: Server, tmp_path: Path) -> None:
        """EEGDash alone says that a list is empty."""
        assert server.url
        with pytest.raises(CohortError, match="EEGDash does not list the RestingState recordings"):
            hbn(data_dir=tmp_path, releases="R3", download=True)

    def test_network_that_refuses_is_told_in_seconds(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nobody listens at that port."""
        with socket.socket() as reserved:
            reserved.bind(("127.0.0.1", 0))
            monkeypatch.setenv("EEGDASH_API_URL", f"http://127.0.0.1:{reserved.getsockname()[1]}")
            began = time.perf_counter()
            with pytest.raises(CohortError, match=r"cannot reach 127.*set 'download: false'"):
                hbn(data_dir=tmp_path, download=True)

        assert time.perf_counter() - began < 5

    def test_name_that_is_never_found_is_told_in_seconds(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A resolver may take its time."""
        monkeypatch.setenv("EEGDASH_API_URL", "https://nobody.invalid")
        monkeypatch.setattr(socket, "create_connection", stall)
        began = time.perf_counter()
        with pytest.raises(CohortError, match=r"cannot reach nobody\.invalid:443 \(no answer"):
            hbn(data_dir=tmp_path, download=True)

        assert time.perf_counter() - began < 5


def stall(*_: object, **__: object) -> None:
    """Take longer than anybody waits."""
    time.sleep(6)
    raise TimeoutError
