"""Cases on processes and elsewhere: the same record, and an honest one where a case fails."""

from __future__ import annotations

import errno
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from tiny_cases import timeless, tiny_suite

from pfactor_bench.cli.main import main
from pfactor_bench.cohorts.shared import open_shared, share_cohort
from pfactor_bench.errors import CohortError, ConfigError, ExecutionError, OutputError
from pfactor_bench.execution import cases as dispatch
from pfactor_bench.execution import results as finished
from pfactor_bench.execution import worker as casework
from pfactor_bench.execution.progress import RunInterrupted, read_progress
from pfactor_bench.pipeline.run import Execution, run
from pfactor_bench.pipeline.stages import Run
from pfactor_bench.records.record import find_measurement
from pfactor_bench.training import engine as engines

ROOT = Path(__file__).parents[2]
HERE, TWO = Execution(workers=1), Execution(workers=2)


def run_in(folder: Path, execution: Execution, *, out: str = "out", **options):
    """Run a tiny suite; return its record."""
    suite = tiny_suite(folder, **options)
    return run(suite, out=folder / out, data_dir=None, device="cpu", execution=execution)


@pytest.mark.parametrize("engine", ["plain", "fast"])
def test_processes_give_the_record_of_this_process(tmp_path: Path, engine: str) -> None:
    """To the last digit, since the number of threads is the suite's and not the machine's."""
    run_in(tmp_path, HERE, out="here", engine=engine)
    run_in(tmp_path, TWO, out="there", engine=engine)
    assert timeless(tmp_path / "here") == timeless(tmp_path / "there")
    for name in ("arrays.npz", "predictions.parquet", "figure.svg"):
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()


def test_worker_whose_packages_do_not_load_stops_the_run(tmp_path: Path) -> None:
    """No other case could succeed there, and none is to blame."""

    def work(_log: object) -> None:
        raise ModuleNotFoundError("No module named 'braindecode'", name="braindecode")

    answer = casework.attempt(tmp_path / "log", work)
    assert answer.ending == "stop"
    assert answer.reason.startswith("braindecode ")


@pytest.mark.parametrize("where", [HERE, TWO], ids=["here", "elsewhere"])
def test_record_says_which_cases_were_left_to_the_plain_loop(tmp_path: Path, where) -> None:
    """And why, in the report too."""
    layers = "nn.Flatten(), nn.RReLU(), nn.Linear(n_chans * n_times, n_outputs)"
    record = run_in(
        tmp_path, where, seeds=2, fault=f"return nn.Sequential({layers})", engine="fast"
    )
    for case in record.cases:
        assert case["trained_by"]["engine"]["kind"] == "plain"
        assert "draws random numbers outside its dropout" in case["trained_by"]["fallback"]
    report = (tmp_path / "out" / "report.md").read_text()
    assert "**2 cases were left to the plain loop**" in report


def test_pretrained_regime_runs_on_processes(tmp_path: Path) -> None:
    """Encoders travel as files."""
    from regime_suites import suite_of

    for out, execution in (("here", HERE), ("there", TWO)):
        run(
            suite_of(tmp_path), out=tmp_path / out, data_dir=None, device="cpu", execution=execution
        )
    assert timeless(tmp_path / "here") == timeless(tmp_path / "there")


class CountingThreads(ThreadPoolExecutor):
    """Threads that know how much they were given."""

    n_submitted = 0

    def submit(self, *given, **keywords):
        """Count, and hand on."""
        self.n_submitted += 1
        return super().submit(*given, **keywords)


def test_executor_that_was_handed_in_is_used(tmp_path: Path) -> None:
    """Even threads, although torch's random streams belong to the whole process."""
    run_in(tmp_path, HERE, out="here")
    with CountingThreads(3) as executor:
        run_in(tmp_path, Execution(executor=executor), out="there")
    assert executor.n_submitted == 6
    assert timeless(tmp_path / "here") == timeless(tmp_path / "there")


def test_limit_on_time_never_ends_the_process_that_leads(tmp_path: Path, monkeypatch) -> None:
    """Where its own threads are the workers."""

    def end(*_given: object, **_keywords: object) -> None:
        raise AssertionError("this process would be ended")

    monkeypatch.setattr(casework.faulthandler, "dump_traceback_later", end)
    with ThreadPoolExecutor(2) as executor:
        record = run_in(tmp_path, Execution(executor=executor, seconds=60, attempts=1))
    assert record.missing == ()


def test_what_workers_mapped_is_removed_at_the_end(tmp_path: Path) -> None:
    """A second copy of the windows is of no use then."""
    run_in(tmp_path, TWO)
    assert not (tmp_path / "out" / "shared").exists()


@pytest.mark.parametrize("execution", [HERE, TWO], ids=["here", "processes"])
def test_failed_case_is_recorded_and_the_rest_goes_on(tmp_path: Path, execution) -> None:
    """Its numbers are missing, with the reason; the log holds the traceback."""
    record = run_in(tmp_path, execution, fault="assert seed != 44, 'injected'")
    (missing,) = record.missing
    assert (missing["id"], missing["seed"]) == ("from-scratch/seed-44", 44)
    assert "injected" in missing["reason"]
    log = Path(missing["reason"].partition("log: ")[2])
    assert "AssertionError: injected" in log.read_text()
    found = find_measurement(record, "from-scratch/seed-44/skill")
    assert (found.value, found.missing_because) == (None, missing["reason"])
    assert find_measurement(record, "from-scratch/seed-45/skill").value is not None
    assert len(record.cases) == 5


def test_regime_that_lacks_a_seed_has_no_pooled_value(tmp_path: Path) -> None:
    """The mean of the survivors would be another quantity, and a claim on it stays open."""
    record = run_in(tmp_path, HERE, fault="assert seed != 44")
    pooled = find_measurement(record, "from-scratch/skill")
    assert "1 of 6 seeds failed (44)" in pooled.missing_because
    assert [verdict.status for verdict in record.verdicts] == ["inconclusive"]


def test_incomplete_record_obeys_the_schema_and_says_so_in_the_report(tmp_path: Path) -> None:
    """Before any number is quoted."""
    run_in(tmp_path, HERE, fault="assert seed != 44")
    data = json.loads((tmp_path / "out" / "record.json").read_text())
    jsonschema.validate(data, json.loads((ROOT / "docs" / "record.schema.json").read_text()))
    report = (tmp_path / "out" / "report.md").read_text()
    assert "1 of 6 cases is missing" in report
    assert report.index("is missing") < report.index("skill has no value: 1 of 6 seeds")


def test_other_regimes_of_an_incomplete_suite_are_whole(tmp_path: Path) -> None:
    """A comparison with what lacks a seed is missing, too."""
    regimes = "[from-scratch, {start: from-scratch, label: slow, learning_rate: 0.0001}]"
    fault = (
        "done = here / 'done'; n = len(list(here.glob('done*'))); (here / f'done{n}').touch(); "
        "assert n != 1 + 2 * 6 + 1"
    )
    record = run_in(tmp_path, HERE, fault=fault, regimes=regimes)
    (missing,) = record.missing
    assert missing["regime"] == "slow"
    assert find_measurement(record, "from-scratch/skill").value is not None
    assert find_measurement(record, "slow/skill").value is None


def test_run_without_a_single_result_is_an_error(tmp_path: Path) -> None:
    """With the first reason."""
    with pytest.raises(ExecutionError, match=r"none of 6 cases succeeded.*injected"):
        run_in(tmp_path, HERE, fault="assert seed == 0, 'injected'")


def test_command_line_says_what_is_missing(tmp_path: Path, capsys) -> None:
    """Exit code 3; status gives the same."""
    tiny_suite(tmp_path, fault="assert seed != 44, 'injected'")
    out = str(tmp_path / "out")
    assert main(["run", str(tmp_path / "suite.yaml"), "--out", out, "--workers", "1"]) == 3
    assert "missing      case   from-scratch/seed-44: ModelError" in capsys.readouterr().out
    assert main(["status", out]) == 3
    printed = capsys.readouterr().out
    assert "finished: 5 of 6 cases done, 1 failed" in printed
    assert "from-scratch/seed-44: ModelError" in printed


def test_dead_worker_is_replaced_and_its_case_recorded(tmp_path: Path) -> None:
    """With the log of each attempt."""
    fault = "if seed == 44: os.kill(os.getpid(), signal.SIGKILL)"
    record = run_in(tmp_path, Execution(workers=2, attempts=2), fault=fault)
    (missing,) = record.missing
    assert "killed by SIGKILL" in missing["reason"]
    log = Path(missing["reason"].partition("log: ")[2]).read_text()
    assert log.count("attempt on") == 2


def test_hanging_case_is_ended(tmp_path: Path) -> None:
    """The log says where it hung."""
    fault = "if seed == 44: time.sleep(3600)"
    record = run_in(tmp_path, Execution(workers=2, attempts=1, seconds=6), fault=fault)
    (missing,) = record.missing
    assert missing["id"] == "from-scratch/seed-44"
    assert missing["reason"].startswith("it did not finish within 6 s")
    assert "in build" in Path(missing["reason"].partition("log: ")[2]).read_text()


def test_failed_case_is_run_again_next_time(tmp_path: Path) -> None:
    """Only that one: its model now works, and the others' files are as good as before."""
    fault = "assert seed != 44 or (here / 'mended').exists()"
    run_in(tmp_path, HERE, fault=fault)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out/cases").glob("*.npz")}
    (tmp_path / "mended").touch()
    assert run_in(tmp_path, HERE, fault=fault).missing == ()
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "out/cases").glob("*.npz")}
    assert before.items() < after.items()
    assert len(after) == 6


def test_interrupt_keeps_what_is_finished_and_says_how_to_go_on(tmp_path: Path) -> None:
    """As Ctrl-C does."""

    def interrupt(progress) -> None:
        if progress.done == 3 and progress.state == "running":
            raise KeyboardInterrupt

    suite = tiny_suite(tmp_path)
    with pytest.raises(
        RunInterrupted, match=r"3 of 6 cases .* to go on .*: pfactor-bench run suite"
    ):
        run(
            suite,
            out=tmp_path / "out",
            data_dir=None,
            device="cpu",
            execution=TWO,
            on_progress=interrupt,
        )
    stored = read_progress(tmp_path / "out")
    assert (stored.state, stored.n_running) == ("interrupted", 0)
    assert stored.command.endswith(f" --out {tmp_path / 'out'}")


def test_interrupted_command_exits_with_130(tmp_path: Path, capsys, monkeypatch) -> None:
    """And one line."""

    def interrupt(*_args: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(engines, "run_group", interrupt)
    tiny_suite(tmp_path)
    command = [
        "run",
        str(tmp_path / "suite.yaml"),
        "--out",
        str(tmp_path / "out"),
        "--workers",
        "1",
    ]
    assert main(command) == 130
    assert "0 of 6 cases are finished and kept; to go on" in capsys.readouterr().err
    assert main(["status", str(tmp_path / "out")]) == 3
    assert "stopped" in capsys.readouterr().out


def test_full_disk_ends_the_run_and_keeps_what_is_finished(tmp_path: Path, monkeypatch) -> None:
    """The third case does not fit; no other is tried."""
    written = []

    def full(path: Path, content: bytes) -> None:
        if path.suffix == ".npz" and len(written) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path)
        original(path, content)

    original = finished.write_atomically
    monkeypatch.setattr(finished, "write_atomically", full)
    with pytest.raises(OutputError, match=r"No space left.*finished before is kept; make room"):
        run_in(tmp_path, HERE)
    monkeypatch.undo()
    assert len(list((tmp_path / "out" / "cases").glob("*.npz"))) == 2
    assert run_in(tmp_path, HERE).missing == ()


def test_read_only_folder_is_refused_before_any_work(tmp_path: Path, monkeypatch) -> None:
    """With the way out."""

    def read_only(*_args: object, **_options: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("pfactor_bench.files.tempfile.TemporaryFile", read_only)
    with pytest.raises(OutputError, match=r"Read-only file system.*choose another with --out"):
        run_in(tmp_path, HERE)


def test_folder_that_becomes_read_only_ends_the_run(tmp_path: Path, monkeypatch) -> None:
    """As a network share does that is remounted."""

    def read_only(*_args: object, **_options: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(finished, "write_atomically", read_only)
    with pytest.raises(OutputError, match="Read-only file system"):
        run_in(tmp_path, HERE)


@pytest.mark.parametrize("how", ["cut off", "empty", "other bytes", "a folder"])
def test_unreadable_entry_is_computed_again(tmp_path: Path, how: str) -> None:
    """A folder in its place cannot be replaced, and is named."""
    run_in(tmp_path, HERE)
    before = timeless(tmp_path / "out")
    path = min((tmp_path / "out" / "cases").glob("*.npz"))
    content = path.read_bytes()
    path.unlink()
    if how == "a folder":
        (path / "inside").mkdir(parents=True)
        record = run_in(tmp_path, HERE)
        assert "IsADirectoryError" in record.missing[0]["reason"]
        return
    path.write_bytes({"cut off": content[:-500], "empty": b"", "other bytes": b"x" * 999}[how])
    run_in(tmp_path, HERE)
    assert before == timeless(tmp_path / "out")


def test_entry_that_looks_whole_and_is_not_is_noticed(tmp_path: Path) -> None:
    """A flipped bit in its predictions."""
    run_in(tmp_path, HERE)
    path = min((tmp_path / "out" / "cases").glob("*.npz"))
    content = bytearray(path.read_bytes())
    content[200] ^= 0xFF
    path.write_bytes(bytes(content))
    assert run_in(tmp_path, HERE).missing == ()


def test_two_runs_in_one_folder_do_not_meet(tmp_path: Path) -> None:
    """The second is told of the first."""
    from pfactor_bench.execution.lock import only_run_in

    (tmp_path / "out").mkdir()
    with only_run_in(tmp_path / "out"), pytest.raises(OutputError, match="another run"):
        run_in(tmp_path, HERE)


def test_more_threads_than_one_leave_no_room_for_workers(tmp_path: Path) -> None:
    """The case study trains each case on every core."""
    tiny_suite(tmp_path)
    path = tmp_path / "suite.yaml"
    path.write_text(path.read_text() + "threads: all\n")
    from pfactor_bench.config import load_suite

    suite = load_suite(path)
    with pytest.raises(ConfigError, match="leave --workers out"):
        run(suite, out=tmp_path / "out", data_dir=None, device="cpu", execution=TWO)


def test_callers_who_ask_for_nothing_get_no_process(tmp_path: Path, monkeypatch) -> None:
    """A library must not fork behind its caller's back; the command line asks for processes."""

    def refuse(*_args: object, **_options: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(dispatch, "Processes", refuse)
    assert run_in(tmp_path, Execution()).missing == ()


@pytest.mark.parametrize(("cores", "where"), [(1, "this process"), (2, "2 processes")])
def test_none_takes_a_process_per_core(tmp_path: Path, monkeypatch, cores: int, where: str) -> None:
    """From the first case on: processes are warm by the time the cohort is loaded."""
    monkeypatch.setattr(dispatch, "most_workers", lambda _suite, _device: cores)
    seen = []
    suite = tiny_suite(tmp_path)
    run(
        suite,
        out=tmp_path / "out",
        data_dir=None,
        device="cpu",
        execution=Execution(workers=None),
        on_progress=lambda progress: seen.append(progress.where),
    )
    assert set(seen) == {where}


def test_worker_with_other_versions_touches_nothing(tmp_path: Path, monkeypatch) -> None:
    """Its result would pass for one of this version."""
    monkeypatch.setattr(dispatch, "code_versions", lambda: {"torch": "1.0"})
    with pytest.raises(OutputError, match=r"instead of '1.0': install the same versions"):
        run_in(tmp_path, TWO)


def test_shared_cohort_is_mapped_and_equal(tmp_path: Path) -> None:
    """Samples, targets, table and meaning."""
    cohort = Run(tiny_suite(tmp_path), device="cpu").cohort
    opened = open_shared(share_cohort(cohort, tmp_path))
    assert isinstance(opened.X, np.memmap)
    np.testing.assert_array_equal(cohort.X, opened.X)
    np.testing.assert_array_equal(cohort.y, opened.y)
    assert cohort.table.astype(str).equals(opened.table.astype(str))
    assert (cohort.fingerprint, cohort.ch_names, cohort.injected) == (
        opened.fingerprint,
        opened.ch_names,
        opened.injected,
    )


def test_shared_cohort_that_was_cut_off_is_written_again(tmp_path: Path) -> None:
    """A disk that was full, say."""
    cohort = Run(tiny_suite(tmp_path), device="cpu").cohort
    path = share_cohort(cohort, tmp_path)
    (path / "X.npy").write_bytes((path / "X.npy").read_bytes()[:1000])
    assert path == share_cohort(cohort, tmp_path)
    np.testing.assert_array_equal(cohort.X, np.load(path / "X.npy"))


def test_shared_cohort_that_a_worker_does_not_see_is_named(tmp_path: Path) -> None:
    """With what must be so."""
    with pytest.raises(CohortError, match="visible under this path wherever its cases run"):
        open_shared(tmp_path / "nowhere")


def test_split_survives_the_way_to_a_worker(tmp_path: Path) -> None:
    """Names and positions."""
    from pfactor_bench.models.identity import split_identity

    split = Run(tiny_suite(tmp_path), device="cpu").split
    opened = casework.open_split(casework.share_split(split, tmp_path))
    assert (split.name, split_identity(split)) == (opened.name, split_identity(opened))
