"""The command line: what it prints, what it returns, and how it fails."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pfactor_bench.cli.main import _parser, main

ROOT = Path(__file__).parents[2]


def test_help_names_every_command(capsys) -> None:
    """So that nobody has to read the source."""
    with pytest.raises(SystemExit):
        main(["--help"])
    printed = capsys.readouterr().out
    assert [c for c in ("run", "judge", "render", "checks", "doctor") if c not in printed] == []


def test_unknown_suite_is_an_error_without_traceback(capsys) -> None:
    """Exit code 2 and one line."""
    assert main(["run", "nowhere.yaml"]) == 2
    assert "error: cannot read the suite 'nowhere.yaml'" in capsys.readouterr().err


def test_crash_is_not_taken_for_a_leak(capsys, monkeypatch) -> None:
    """Python's own exit code for it is that of a failed gate."""

    def crash(_options: object) -> int:
        raise ZeroDivisionError("of nobody")

    monkeypatch.setattr("pfactor_bench.cli.power.run", crash)
    assert main(["power", "--effect", "r=0.14", "--n", "27"]) == 70
    printed = capsys.readouterr().err
    assert "ZeroDivisionError: of nobody" in printed
    assert "pfactor-bench's own fault" in printed


@pytest.mark.parametrize("command", ["run", "plan"])
@pytest.mark.parametrize("count", ["0", "-1", "two"])
def test_count_of_processes_is_above_zero(command: str, count: str, capsys) -> None:
    """As argparse refuses anything else: usage, and exit code 2."""
    with pytest.raises(SystemExit, match="2"):
        main([command, "suite.yaml", "--workers", count])
    assert f"invalid count above 0 value: '{count}'" in capsys.readouterr().err


def test_missing_cuda_is_refused_with_the_fix(capsys, tmp_path: Path, monkeypatch) -> None:
    """Before anything is trained."""
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    suite = str(ROOT / "suites" / "case_study.yaml")
    assert main(["run", suite, "--device", "cuda", "--out", str(tmp_path)]) == 2
    assert "use --device cpu" in capsys.readouterr().err


def test_checks_lists_every_code(capsys) -> None:
    """One line each."""
    from pfactor_bench.checks import catalogue

    assert main(["checks"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == [entry.code for entry in catalogue()]


def test_checks_explains_one(capsys) -> None:
    """How it is detected, why it matters, how to fix it."""
    assert main(["checks", "LK003"]) == 0
    assert "How to fix it" in capsys.readouterr().out


def test_unknown_check_is_refused(capsys) -> None:
    """With the closest code."""
    assert main(["checks", "LK03"]) == 2
    assert "did you mean" in capsys.readouterr().err


def test_render_reproduces_report_and_figure(tiny_report: Path, tmp_path: Path) -> None:
    """From record and arrays alone."""
    for name in ("record.json", "arrays.npz"):
        shutil.copy(tiny_report / name, tmp_path)
    assert main(["render", str(tmp_path)]) == 0
    for name in ("report.md", "figure.svg", "figure.png"):
        assert (tmp_path / name).read_bytes() == (tiny_report / name).read_bytes(), name


def test_judge_applies_other_claims(tiny_report: Path, tmp_path: Path, capsys) -> None:
    """A changed threshold changes the verdict, without training."""
    for name in ("record.json", "arrays.npz"):
        shutil.copy(tiny_report / name, tmp_path)
    suite = tmp_path / "strict.yaml"
    definition = json.loads((tmp_path / "record.json").read_text())["suite"]["definition"]
    definition["claims"] = [
        {
            "id": "impossible",
            "text": "No error at all.",
            "measurement": "from-scratch/seed-1/train_mse",
            "equals": 0,
            "level": "gate",
        }
    ]
    suite.write_text(json.dumps(definition))
    assert main(["judge", str(tmp_path), "--suite", str(suite)]) == 1
    assert "fails        gate   impossible" in capsys.readouterr().out


def test_judging_nothing_is_an_error(tmp_path: Path, capsys) -> None:
    """The folder holds no record."""
    assert main(["judge", str(tmp_path)]) == 2
    assert "no record at" in capsys.readouterr().err


def test_broken_record_is_an_error(tmp_path: Path, capsys) -> None:
    """Half a file, say."""
    (tmp_path / "record.json").write_text('{"schema_version": 1, "suite": ')
    assert main(["render", str(tmp_path)]) == 2
    assert "cannot read the record" in capsys.readouterr().err


def test_record_of_another_schema_is_refused(tmp_path: Path, capsys) -> None:
    """Its version is named."""
    (tmp_path / "record.json").write_text('{"schema_version": 99}')
    assert main(["render", str(tmp_path)]) == 2
    assert "schema_version 99" in capsys.readouterr().err


def test_doctor_finds_this_environment_healthy(capsys) -> None:
    """It runs the tests, after all."""
    assert main(["doctor"]) == 0
    assert "everything needed is there" in capsys.readouterr().out


def test_commands_are_silent_about_the_name_of_a_montage() -> None:
    """Which braindecode uses, and a user cannot change; whoever imports it hears of it as ever."""
    program = (
        "import warnings; before = warnings.filters[:]; from pfactor_bench.cli.main import main; "
        "main(['doctor']); assert warnings.filters == before"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "everything needed is there" in told.stdout
    assert "Montage name" not in told.stderr


def test_doctor_says_how_to_fix_a_broken_pair(capsys, monkeypatch) -> None:
    """A torch that torchaudio refuses."""
    from pfactor_bench.cli import doctor

    def refuse(name: str) -> None:
        if name == "torchaudio":
            raise RuntimeError("compiled with a different CUDA version")

    monkeypatch.setattr(doctor, "import_module", refuse)
    assert main(["doctor"]) == 1
    printed = capsys.readouterr().out
    assert "cannot be imported: RuntimeError: compiled with a different CUDA version" in printed
    assert "torchaudio was built for another torch" in printed
    assert '"torch>=2.13" "torchaudio>=2.11.1"' in printed


@pytest.mark.parametrize("command", ["compare", "publish", "export"])
def test_example_in_the_help_is_a_command(command: str, capsys) -> None:
    """What it shows can be typed."""
    with pytest.raises(SystemExit):
        main([command, "--help"])
    program, *typed = capsys.readouterr().out.splitlines()[-1].split()
    assert ("pfactor-bench", command) == (program, typed[0])
    assert callable(_parser().parse_args(typed).command.run)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"no archive"])
def test_broken_arrays_are_an_error(
    content: bytes, tiny_report: Path, tmp_path: Path, capsys
) -> None:
    """As a download that broke off leaves them."""
    folder = tmp_path / "report"
    shutil.copytree(tiny_report, folder)
    (folder / "arrays.npz").write_bytes(content)
    assert main(["render", str(folder)]) == 2
    assert "which the figure needs" in capsys.readouterr().err


def test_site_that_cannot_be_written_names_its_own_option(tmp_path: Path, capsys) -> None:
    """There is no --out."""
    (tmp_path / "a-file").write_text("in the way")
    reports = Path(__file__).parents[2] / "reports"
    assert main(["publish", str(reports), "--site", str(tmp_path / "a-file")]) == 2
    assert "choose another with --site" in capsys.readouterr().err
