"""An environment whose packages do not load together is named, with what mends it."""

from __future__ import annotations

import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from pfactor_bench.environment.packages import PACKAGES, fix_for, packages_needed
from pfactor_bench.errors import EnvironmentProblemError, StudyError

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"

#: What real environments say.
OTHER_TORCH = "libtorchaudio.so: undefined symbol: torch_exception_get_what_without_backtrace"
NO_CUDA = "libc10_cuda.so: cannot open shared object file: No such file or directory"


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Return a function that installs a package of a given content in place of the real one."""
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] in PACKAGES]:
        monkeypatch.delitem(sys.modules, name)

    def install(name: str, **modules: str) -> None:
        (tmp_path / name).mkdir()
        for module, content in {"__init__": "", **modules}.items():
            (tmp_path / name / f"{module}.py").write_text(content)

    yield install
    for name in [name for name in sys.modules if name.partition(".")[0] in PACKAGES]:
        del sys.modules[name]


@pytest.mark.parametrize("problem", [OTHER_TORCH, NO_CUDA])
def test_broken_binary_is_named_with_its_own_fix(packages, problem: str) -> None:
    """It is torchaudio that fails, whoever imports it."""
    packages("torchaudio", __init__=f"raise OSError({problem!r})")
    packages("braindecode", __init__="import torchaudio")
    with pytest.raises(EnvironmentProblemError) as raised, packages_needed():
        import_module("braindecode")
    told = str(raised.value)
    assert told.startswith("torchaudio ")
    assert f"cannot be imported: OSError: {problem}\n{fix_for('torchaudio', problem)}" in told


def test_package_that_is_not_there_is_named(packages) -> None:
    """As after `pip install --no-deps`."""
    packages("braindecode", __init__="raise ModuleNotFoundError('No module ...', name='mne')")
    with pytest.raises(EnvironmentProblemError, match=r"^mne "), packages_needed():
        import_module("braindecode")


def test_package_that_lacks_another_is_named(packages) -> None:
    """What braindecode needs is its own matter; that it cannot be imported is ours."""
    packages("braindecode", __init__="import a_package_that_nobody_has")
    with (
        pytest.raises(EnvironmentProblemError, match=r"^braindecode .*a_package"),
        packages_needed(),
    ):
        import_module("braindecode")


def test_error_raised_for_a_failed_import_is_seen_through(packages) -> None:
    """A file of the user's that cannot be read because torchaudio is broken."""
    packages("torchaudio", __init__=f"raise OSError({OTHER_TORCH!r})")

    def read() -> None:
        try:
            import_module("torchaudio")
        except OSError as error:
            raise StudyError("cannot import 'mine.py:study'") from error

    with pytest.raises(EnvironmentProblemError, match=r"^torchaudio "), packages_needed():
        read()


@pytest.mark.parametrize(
    "statement",
    [
        "raise OSError('no space left on device')",
        "import a_package_that_nobody_has",
        "from braindecode import no_such_name",
        "import braindecode.no_such_module",
        "import braindecode.needs_more",
    ],
)
def test_other_errors_pass_as_they_are(packages, statement: str) -> None:
    """The environment is not to blame for what a study does."""
    packages("braindecode", needs_more="raise ImportError('an extra is needed')")
    with pytest.raises((OSError, ImportError)), packages_needed():
        exec(statement, {"__name__": "a_study"})  # noqa: S102 - it is written above


@pytest.mark.parametrize(
    "content",
    [
        "raise MemoryError",
        "raise ImportError('libtorch_cuda.so: failed to map segment from shared object')",
        "raise FutureWarning('turned into an error')",
    ],
)
def test_import_that_failed_for_another_reason_is_no_broken_environment(
    packages, content: str
) -> None:
    """No installation would help."""
    packages("torch", __init__=content)
    with pytest.raises((MemoryError, ImportError, FutureWarning)), packages_needed():
        import_module("torch")


def test_fixes_differ_by_what_is_wrong() -> None:
    """A pair of other versions, a pair from two places, a package that is missing."""
    missing = "No module named 'torchaudio'"
    fixes = [fix_for("torchaudio", problem) for problem in (OTHER_TORCH, NO_CUDA, missing)]
    assert len(set(fixes)) == 3
    assert "--force-reinstall" in fixes[1]


def test_fix_installs_what_the_project_requires() -> None:
    """Else it would mend one environment into another that breaks."""
    required = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]
    pair = [one for one in required if one.startswith("torch")]
    assert [one for one in pair if f'"{one}"' not in fix_for("torchaudio", OTHER_TORCH)] == []
