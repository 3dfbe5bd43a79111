"""What need not train must answer at once."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

HEAVY = {"torch", "braindecode", "eegdash", "mne"}

#: Of the processor, which other work on a machine stretches less than the clock's: the
#: budget is a second or two on a quiet machine, and a test machine is not always quiet.
SECONDS = 2.8


def modules_after(arguments: list[str]) -> tuple[set[str], float]:
    """Run a command in a fresh interpreter: the modules it imported and the processor's seconds."""
    program = (
        "import sys\n"
        "from pfactor_bench.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "except SystemExit:\n    pass\n"
        "print('MODULES', *{name.partition('.')[0] for name in sys.modules})\n"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.run(
        [sys.executable, "-c", program, *arguments], check=True, capture_output=True, text=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return set(process.stdout.splitlines()[-1].split()), seconds


@pytest.mark.parametrize("command", ["--help", "checks", "judge", "render", "suites"])
def test_light_command_imports_nothing_heavy(command: str, tiny_report) -> None:
    """Neither torch nor what stands on it."""
    needs_record = command in {"judge", "render"}
    modules, _ = modules_after([command, *([str(tiny_report)] if needs_record else [])])
    assert not HEAVY & modules


def test_misspelt_model_costs_no_import_of_braindecode() -> None:
    """Its name is looked up in braindecode's files."""
    modules, _ = modules_after(["audit", "EEGConfromer"])
    assert not {*HEAVY, "pandas", "sklearn"} & modules


@pytest.mark.timing
def test_misspelt_model_is_refused_quickly() -> None:
    """Within a second."""
    assert min(modules_after(["audit", "EEGConfromer"])[1] for _ in range(3)) < 1.0


@pytest.mark.timing
@pytest.mark.parametrize("command", ["--help", "checks", "judge", "render"])
def test_light_command_answers_quickly(command: str, tiny_report) -> None:
    """The best of three, so that a busy machine does not decide."""
    needs_record = command in {"judge", "render"}
    arguments = [command, *([str(tiny_report)] if needs_record else [])]
    allowed = max(SECONDS, 2.5 * _of_this_machine())
    assert min(modules_after(arguments)[1] for _ in range(3)) < allowed


def _of_this_machine() -> float:
    """Return the seconds of processor time that importing what draws takes: machines differ."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", "import matplotlib.pyplot"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
