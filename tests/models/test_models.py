"""Models by name, module, file or entry point, and what is said of those that misfit."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest
from model_table import tried_models, write_table

from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.errors import ModelError, UnknownNameError
from pfactor_bench.models import names
from pfactor_bench.models.build import braindecode_models, build_model
from pfactor_bench.models.names import refuse_unknown_model
from pfactor_bench.types import ModelSpec

TABLE = Path(__file__).parents[2] / "docs" / "models.md"

CODE = """\
from torch import nn

def build(n_chans, n_outputs, n_times, sfreq, width=1):
    return nn.Sequential(nn.Flatten(), nn.Linear(n_chans * n_times, n_outputs * width))

def two_outputs(n_chans, n_outputs, n_times, sfreq):
    return build(n_chans, 2, n_times, sfreq)

def fixed_input(n_chans, n_outputs, n_times, sfreq):
    return nn.Sequential(nn.Flatten(), nn.Linear(7, 1))

def text(n_chans, n_outputs, n_times, sfreq):
    return "no model"

def pair(n_chans, n_outputs, n_times, sfreq):
    return nn.LSTM(n_times, 1, batch_first=True)

def no_sfreq(n_chans, n_outputs, n_times):
    return build(n_chans, n_outputs, n_times, 0)
"""


@pytest.fixture(scope="module")
def cohort():
    """Return a cohort of the smallest kind."""
    return synthetic(n_subjects=3, n_windows=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a file of model factories."""
    (tmp_path / "mine.py").write_text(CODE, encoding="utf-8")
    return tmp_path


def built(name: str, cohort, folder: Path | None = None, **args: object):
    """Build a model by name."""
    return build_model(ModelSpec(name=name, args=args, folder=folder), cohort)


def test_braindecode_model_is_found_by_name(cohort) -> None:
    """As it is called there."""
    assert type(built("ShallowFBCSPNet", cohort)).__name__ == "ShallowFBCSPNet"


def test_factory_of_local_file_is_called(cohort, folder: Path) -> None:
    """The file's path starts from the suite's folder."""
    assert built("mine.py:build", cohort, folder)[1].in_features == 1600


def test_local_file_leaves_no_module_behind(cohort, folder: Path) -> None:
    """Another file of the same name must not be mistaken for it."""
    built("mine.py:build", cohort, folder)
    assert "mine" not in sys.modules


def test_factory_of_module_is_called(cohort) -> None:
    """Anything that can be imported."""
    name = "braindecode.models.eegnet:EEGNet"
    assert type(built(name, cohort)).__name__ == "EEGNet"


def test_entry_point_offers_a_model(cohort, folder: Path, monkeypatch) -> None:
    """Of an installed package."""
    monkeypatch.syspath_prepend(str(folder))
    offered = EntryPoint(name="Mine", value="mine:build", group=names.ENTRY_POINTS)
    monkeypatch.setattr(names, "entry_points", lambda group: [offered] * (group == offered.group))
    assert built("Mine", cohort)[1].in_features == 1600


def test_entry_point_that_cannot_be_imported_is_named(cohort, monkeypatch) -> None:
    """With where it points to."""
    offered = EntryPoint(name="Mine", value="no_such_module:build", group=names.ENTRY_POINTS)
    monkeypatch.setattr(names, "entry_points", lambda **_: [offered])
    with pytest.raises(ModelError, match="is offered as 'no_such_module:build', which cannot"):
        built("Mine", cohort)


def test_unknown_name_is_refused_with_the_nearest(cohort) -> None:
    """A typo costs a second, not a night."""
    with pytest.raises(UnknownNameError, match="unknown model 'EGNet': did you mean 'EEGNet'"):
        built("EGNet", cohort)


def test_mixin_of_braindecode_is_no_model() -> None:
    """What stands beside the models under their name is not offered."""
    assert "EEGModuleMixin" not in braindecode_models()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "mine.py:two_outputs",
            r"turns \(2, 8, 200\) into \(2, 2\): expected \(2, 1\), one target",
        ),
        ("mine.py:pair", r"turns \(2, 8, 200\) into tuple: expected \(2, 1\)"),
        ("mine.py:fixed_input", r"fails on a batch of shape \(2, 8, 200\)"),
        ("mine.py:text", "returned 'str': expected a torch.nn.Module"),
        ("mine.py:no_sfreq", "it is called with n_outputs, n_chans, n_times, sfreq"),
        ("mine.py:absent", r"file .*mine\.py' cannot give 'absent'"),
        ("other.py:build", r"file .*other\.py' cannot give 'build' \(FileNotFoundError"),
        ("no_such_module:build", "module 'no_such_module' cannot give 'build'"),
    ],
)
def test_misfit_is_refused_with_what_was_expected(
    cohort, folder: Path, name: str, message: str
) -> None:
    """Shape, kind, arguments or place."""
    with pytest.raises(ModelError, match=message):
        built(name, cohort, folder)


def test_unknown_argument_is_refused_with_the_suites_arguments(cohort) -> None:
    """They are what the user can change."""
    with pytest.raises(ModelError, match=r"with arguments \{'depth': 3\}"):
        built("EEGNet", cohort, depth=3)


def test_argument_of_suite_reaches_constructor(cohort) -> None:
    """By keyword."""
    assert built("EEGNet", cohort, F1=4).F1 == 4


@pytest.mark.slow
def test_twenty_braindecode_models_train_and_table_is_up_to_date() -> None:
    """Each for an epoch of regression from start to end."""
    tried = tried_models()
    assert sum(one.problem is None for one in tried) >= 20
    assert TABLE.read_text(encoding="utf-8") == write_table(tried)


def test_names_are_known_without_importing_braindecode() -> None:
    """A typo is refused before ten seconds of imports."""
    program = (
        "import sys\n"
        "from pfactor_bench.errors import UnknownNameError\n"
        "from pfactor_bench.models.build import find_factory\n"
        "from pfactor_bench.types import ModelSpec\n"
        "try:\n    find_factory(ModelSpec(name='EEGConfromer'))\n"
        "except UnknownNameError as error:\n    print(error)\n"
        "assert not {'torch', 'braindecode', 'mne'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert done.stdout == b"unknown model 'EEGConfromer': did you mean 'EEGConformer'?\n"


@pytest.mark.parametrize("name", [*braindecode_models(), "module:factory"])
def test_no_model_of_braindecode_is_refused(name: str) -> None:
    """What its file exports is what importing it exports."""
    refuse_unknown_model(name)


@pytest.mark.parametrize(
    "source",
    [None, "__all__ = lazy.names()\n", "__all__ = ['A']\n__all__ += B\n", "("],
)
def test_names_that_cannot_be_read_are_left_to_the_import(
    source: str | None, tmp_path: Path, monkeypatch
) -> None:
    """Another version of braindecode may put its list together while it runs."""
    (tmp_path / "models").mkdir()
    if source is not None:
        (tmp_path / "models" / "__init__.py").write_text(source, encoding="utf-8")
    spec = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(names, "find_spec", lambda _name: spec)
    names._exported_by_braindecode.cache_clear()  # noqa: SLF001
    refuse_unknown_model("AModelOfTomorrow")
    names._exported_by_braindecode.cache_clear()  # noqa: SLF001
