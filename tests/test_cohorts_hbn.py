"""HBN: from a folder, from the network, and what its recordings and tables are known for."""

from __future__ import annotations

import shutil
import socket
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hbn_for_tests import CHANNELS, DATASET, PEOPLE, UNSCORED, serving, write_dataset, write_people

from pfactor_bench.cohorts import COHORTS, hbn_fetch
from pfactor_bench.cohorts.hbn import CH_NAMES, hbn
from pfactor_bench.cohorts.hbn_people import read_people
from pfactor_bench.cohorts.hbn_releases import DATASETS, find_releases, known_amount
from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hbn_for_tests import Server

    from pfactor_bench.types import Cohort

NAMES = [f"sub-{name}" for name in PEOPLE]


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


def edit_events(folder: Path, name: str, text: str) -> None:
    """Put other events into a person's recording."""
    path = next(folder.glob(f"{DATASET}/{name}/eeg/*_events.tsv"))
    path.write_text("onset\tduration\tvalue\n" + text)


def of(cohort: Cohort, name: str) -> pd.DataFrame:
    """Return a person's windows."""
    return cohort.table[cohort.table["subject"] == name]


class TestFolder:
    """Releases that are in a folder."""

    def test_windows_are_the_production_call_s(self, local: Path) -> None:
        """Seven channels, 100 Hz, 2 s."""
        cohort = hbn(data_dir=local)

        assert cohort.X.shape == (26 * 3, 7, 200)
        assert (cohort.name, cohort.sfreq, cohort.target) == ("hbn-R1", 100.0, "p_factor")

    def test_reference_is_left_out_and_said(self, local: Path) -> None:
        """Cz holds zeros."""
        cohort = hbn(data_dir=local)

        assert cohort.ch_names == tuple(name for name in CH_NAMES if name != "Cz")
        assert cohort.notes[-1].startswith("channel Cz is flat in all 3 recordings")

    def test_reference_can_be_kept(self, local: Path) -> None:
        """As the case study does."""
        cohort = hbn(data_dir=local, keep_reference=True)

        assert cohort.ch_names == CH_NAMES
        assert not cohort.X[:, CH_NAMES.index("Cz")].any()

    def test_flat_channel_that_is_no_reference_is_refused(self, local: Path) -> None:
        """It is broken."""
        import mne

        for path in local.glob("*/*/eeg/*.set"):
            raw = mne.io.read_raw(path, preload=True, verbose="ERROR")
            raw.apply_function(lambda samples: 0 * samples, picks=["E11"], verbose="ERROR")
            raw.export(path, overwrite=True, verbose="ERROR")
        with pytest.raises(CohortError, match="channel 'E11' of cohort 'hbn-R1' is flat"):
            hbn(data_dir=local)

    def test_channel_that_is_flat_in_one_recording_is_noted(self, local: Path) -> None:
        """A loose electrode."""
        import mne

        path = next(local.glob(f"{DATASET}/{NAMES[1]}/eeg/*.set"))
        raw = mne.io.read_raw(path, preload=True, verbose="ERROR")
        raw.apply_function(lambda samples: 0 * samples, picks=["E11"], verbose="ERROR")
        raw.export(path, overwrite=True, verbose="ERROR")

        assert hbn(data_dir=local).notes[-1] == (
            f"channel E11 is flat in 1 recordings: {path.name}"
        )

    def test_scores_are_numbers_and_missing_ones_counted(self, local: Path) -> None:
        """They stand as text in the table."""
        cohort = hbn(data_dir=local)

        assert sorted(set(cohort.y)) == [-0.5, 0.25, 1.5]
        assert f"1 subjects without p_factor left out: sub-{UNSCORED}" in cohort.notes

    def test_other_scores_are_not_in_the_table(self, local: Path) -> None:
        """They are siblings of the target: no input."""
        assert set(hbn(data_dir=local).table) == {
            *("sample_id", "subject", "session", "run", "task", "start", "stop"),
            *("release", "age", "sex", "ehq_total"),
        }

    @pytest.mark.parametrize("target", ["attention", "age"])
    def test_other_targets(self, target: str, local: Path) -> None:
        """Any of five; the target leaves the table."""
        write_people_with_scores(local / DATASET)
        cohort = hbn(data_dir=local, target=target)

        assert cohort.target == target
        assert target not in cohort.table

    def test_unknown_target(self, local: Path) -> None:
        """With the closest."""
        with pytest.raises(CohortError, match="'p-factor': did you mean 'p_factor'"):
            hbn(data_dir=local, target="p-factor")

    def test_folder_is_left_as_it_was(self, local: Path) -> None:
        """EEGDash would repair its tables."""
        before = {path: path.stat().st_mtime_ns for path in local.rglob("*")}
        hbn(data_dir=local)

        assert before == {path: path.stat().st_mtime_ns for path in local.rglob("*")}

    @pytest.mark.parametrize("variable", ["EEGDASH_CACHE_DIR", "PFACTOR_BENCH_DATA"])
    def test_environment_names_the_folder(
        self, variable: str, local: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The one that EEGDash's users have set, or ours."""
        monkeypatch.setenv(variable, str(local))

        assert hbn().n_subjects == 3

    def test_missing_release_says_how_to_get_it(self, local: Path) -> None:
        """And how large it is."""
        with pytest.raises(CohortError, match=r"R2 \(150 recordings, 17\.2 GB\), set 'download"):
            hbn(data_dir=local, releases="R2")

    def test_truncated_recording_is_named(self, local: Path) -> None:
        """An interrupted copy."""
        path = next(local.glob(f"{DATASET}/{NAMES[1]}/eeg/*.set"))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(CohortError, match=f"cannot use recording '{path.name}'"):
            hbn(data_dir=local)

    def test_dangling_link_is_named(self, local: Path) -> None:
        """What git-annex leaves where nothing was fetched."""
        write_people(local / DATASET, [*PEOPLE, "NDARAE05"], "R1")
        folder = local / DATASET / "sub-NDARAE05" / "eeg"
        folder.mkdir(parents=True)
        (folder / "sub-NDARAE05_task-RestingState_eeg.set").symlink_to("nowhere")

        assert (
            "1 subjects whose recordings are links to files that are not here left out: "
            "sub-NDARAE05"
        ) in hbn(data_dir=local).notes


class TestReleases:
    """Several at once."""

    def test_people_of_both_are_there(self, local: Path) -> None:
        """With the release that they are from."""
        write_dataset(local, dataset="ds005506", people=["NDARBA01", "NDARBB02"], release="R2")
        write_people(local / DATASET, tuple(PEOPLE), "R1")
        two = local / "ds005506" / "participants.tsv"
        two.write_text(two.read_text().replace(UNSCORED, "NDARBD04"))
        cohort = hbn(data_dir=local, releases=["R2", "ds005505"])

        people = cohort.table.drop_duplicates("subject").set_index("subject")["release"]
        assert people.to_dict() == {
            **dict.fromkeys(NAMES, "R1"),
            "sub-NDARBA01": "R2",
            "sub-NDARBB02": "R2",
        }

    def test_person_in_two_releases_is_refused(self, local: Path) -> None:
        """They would be trained on and held out."""
        shutil.copytree(local / DATASET, local / "ds005506")
        with pytest.raises(CohortError, match="people stand in two releases"):
            hbn(data_dir=local, releases=["R1", "R2"])

    @pytest.mark.parametrize(
        ("named", "found"),
        [
            ("R1", ["R1"]),
            ("ds005516", ["R11"]),
            (["R10", "R2"], ["R2", "R10"]),
            ("all", list(DATASETS)),
        ],
    )
    def test_releases_have_two_names(self, named: Any, found: list[str]) -> None:
        """Their own and OpenNeuro's."""
        assert list(find_releases(named)) == found

    @pytest.mark.parametrize(
        ("named", "message"),
        [
            ("R12", "unknown HBN release 'R12': did you mean"),
            ([], "releases is an empty list"),
            (["R1", "ds005505"], "'ds005505' stands twice"),
        ],
    )
    def test_releases_that_are_none(self, named: Any, message: str) -> None:
        """With the closest that is."""
        with pytest.raises(CohortError, match=message):
            find_releases(named)

    def test_sizes_are_those_of_the_case_study_s_release(self) -> None:
        """15.1 GB, not 1.5."""
        amount = known_amount("ds005505", "RestingState")

        assert amount is not None
        assert (amount.recordings, round(amount.n_bytes / 1e9, 1)) == (136, 15.1)

    def test_sizes_of_all_tasks_add_up(self) -> None:
        """26,672 recordings, 2.0 TB."""
        from pfactor_bench.cohorts.hbn_releases import _amounts

        assert sum(each.recordings for each in _amounts().values()) == 26_672
        assert round(sum(each.n_bytes for each in _amounts().values()) / 1e12, 1) == 2.0


class TestEvents:
    """Which stretch of a recording is rest."""

    def test_recording_is_cut_where_another_task_begins(self, local: Path) -> None:
        """And that is said."""
        edit_events(local, NAMES[0], "1\t0\tresting_start\n41\t0\tvideo_start\n")
        cohort = hbn(data_dir=local)

        assert of(cohort, NAMES[0])["stop"].max() <= 4100
        assert len(of(cohort, NAMES[0])) == 20
        assert any(
            "cut to 0.0-41.0 s of 52.0 s: other tasks' events (video" in n for n in cohort.notes
        )

    def test_recording_that_begins_with_another_task_is_cut(self, local: Path) -> None:
        """Its windows keep their place in the recording."""
        edit_events(
            local,
            NAMES[0],
            "0.5\t0\tvideo_start\n12\t0\tresting_start\n15\t0\tinstructed_toOpenEyes\n",
        )

        assert of(hbn(data_dir=local), NAMES[0])["start"].min() == 1200

    def test_other_people_keep_all_their_windows(self, local: Path) -> None:
        """The cut is one recording's."""
        edit_events(local, NAMES[0], "1\t0\tresting_start\n41\t0\tvideo_start\n")

        assert len(of(hbn(data_dir=local), NAMES[1])) == 26

    def test_recording_of_another_task_is_left_out(self, local: Path) -> None:
        """It is rest in name only."""
        for name in NAMES[:1]:
            edit_events(local, name, "1\t0\tvideo_start\n41\t0\tvideo_stop\n")
        write_people(local / DATASET, [*PEOPLE, UNSCORED], "R1")
        table = local / DATASET / "participants.tsv"
        table.write_text("\n".join(table.read_text().splitlines()[:-1]) + "\n")
        cohort = hbn(data_dir=local)

        assert NAMES[0] not in set(cohort.subjects)
        assert any(
            "left out: it holds events of other tasks (video_start" in n for n in cohort.notes
        )

    def test_boundaries_are_no_task(self, local: Path) -> None:
        """EEGLAB writes them at every break."""
        edit_events(local, NAMES[0], "1\t0\tresting_start\n20\t0\tboundary\n30\t0\tbreak cnt\n")

        assert len(of(hbn(data_dir=local), NAMES[0])) == 26

    def test_recording_that_is_whole_is_as_if_uncut(self, local: Path) -> None:
        """Events change no sample."""
        expected = hbn(data_dir=local).fingerprint
        for path in local.glob("*/*/eeg/*_events.tsv"):
            path.unlink()

        assert hbn(data_dir=local).fingerprint == expected

    @pytest.mark.parametrize(
        ("block", "first", "last"), [("eyes-open", 700, 2100), ("eyes-closed", 3700, 5100)]
    )
    def test_blocks_lie_after_their_instruction(
        self, block: str, first: int, last: int, local: Path
    ) -> None:
        """Open 5 to 19 s after it, closed 15 to 29 s."""
        windows = of(hbn(data_dir=local, task=block), NAMES[0])

        assert (windows["start"].min(), windows["stop"].max(), len(windows)) == (first, last, 7)

    def test_blocks_agree_with_eegdash(self, local: Path) -> None:
        """Its re-annotation of the same events."""
        import mne
        from eegdash.hbn.preprocessing import hbn_ec_ec_reannotation

        path = next(local.glob(f"{DATASET}/{NAMES[0]}/eeg/*.set"))
        raw = mne.io.read_raw(path, preload=True, verbose="ERROR")
        raw.set_annotations(
            mne.Annotations(
                [2.0, 22.0], [0, 0], ["instructed_toOpenEyes", "instructed_toCloseEyes"]
            )
        )
        marks = hbn_ec_ec_reannotation().transform(raw).annotations
        ours = {name: of(hbn(data_dir=local, task=name), NAMES[0]) for name in BLOCKS}

        assert {
            name: (100 * marks.onset[marks.description == description]).tolist()
            for name, description in BLOCKS.items()
        } == {name: windows["start"].tolist() for name, windows in ours.items()}


BLOCKS = {"eyes-open": "eyes_open", "eyes-closed": "eyes_closed"}


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

    def test_people_without_score_are_not_fetched(self, server: Server, tmp_path: Path) -> None:
        """A hundred megabytes each."""
        hbn(data_dir=tmp_path, download=True)

        assert not any(UNSCORED in name for name in server.got)

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


@pytest.fixture(scope="module")
def folders(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a folder per release with its own participants.tsv."""
    source = data_dir / "hbn" / "participants_all_releases.tsv"
    if not source.is_file():
        pytest.skip(f"no HBN tables: {source} is missing")
    whole = pd.read_csv(source, sep="\t", dtype=str, keep_default_na=False)
    parent = tmp_path_factory.mktemp("releases")
    folders = {}
    for release, dataset in DATASETS.items():
        folders[release] = parent / dataset
        folders[release].mkdir()
        rows = whole[whole["dataset"] == dataset].drop(columns="dataset")
        rows.to_csv(folders[release] / "participants.tsv", sep="\t", index=False)
    return folders


class TestRealTables:
    """The p-factor tables of all eleven releases, where they are at hand."""

    def test_all_people_and_scores_are_read(self, folders: dict[str, Path]) -> None:
        """3,155 people, 3,116 scores; read together, so that nobody stands in two releases."""
        people, _ = read_people(folders, "p_factor")

        assert (len(people), int(people["p_factor"].notna().sum())) == (3155, 3116)

    def test_first_release_is_the_case_study_s(self, folders: dict[str, Path]) -> None:
        """136 people, 132 scores, and sex goes with the score."""
        people, _ = read_people({"R1": folders["R1"]}, "p_factor")
        scores = people["p_factor"].dropna()
        male = (people.loc[scores.index, "sex"] == "M").astype(float)

        assert (len(people), len(scores)) == (136, 132)
        assert scores.mean() == pytest.approx(-0.018, abs=5e-4)
        assert scores.std() == pytest.approx(0.889, abs=5e-4)
        assert scores.corr(male) == pytest.approx(0.23, abs=5e-3)

    @pytest.mark.parametrize("target", ["attention", "internalizing", "externalizing", "age"])
    def test_other_targets_are_read(self, target: str, folders: dict[str, Path]) -> None:
        """Words in any of eleven tables would stop it."""
        people, _ = read_people(folders, target)

        assert people[target].notna().sum() > 3000


def stall(*_: object, **__: object) -> None:
    """Take longer than anybody waits."""
    time.sleep(6)
    raise TimeoutError


def write_people_with_scores(folder: Path) -> None:
    """Give everybody another value of every score."""
    path = folder / "participants.tsv"
    header, *rows = path.read_text().splitlines()
    cells = [row.split("\t") for row in rows]
    for at, row in enumerate(cells[:-1]):
        row[6:9] = [f"0.{at}", f"1.{at}", f"2.{at}"]
    path.write_text("\n".join([header, *("\t".join(row) for row in cells)]) + "\n")


def test_registry_offers_it() -> None:
    """Under the name that a suite uses."""
    assert COHORTS["hbn"] is hbn


def test_channels_are_of_the_montage() -> None:
    """The tiny release has them all."""
    assert set(CH_NAMES) <= set(CHANNELS)
