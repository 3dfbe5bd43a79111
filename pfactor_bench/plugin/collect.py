"""A suite's YAML file as a file of tests, wherever it lies."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from pfactor_bench.errors import PfactorBenchError

#: What every suite says at its top. A file with most of them is one, though it may be broken.
_REQUIRED = {"name", "title", "question", "cohort", "split", "regimes", "seeds", "budget"}
_MOST = 5


class SuiteFile(pytest.Module):
    """A suite's file, whose tests are those of `pfactor_bench.plugin.suite_tests`."""

    def _getobj(self) -> ModuleType:
        return import_module("pfactor_bench.plugin.suite_tests")

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """Return the suite's tests; a broken suite is told in a line, as a syntax error would be.

        Raises
        ------
        pytest.Collector.CollectError
            With file and line.
        """
        from pfactor_bench.config import load_suite

        try:
            load_suite(self.path)
        except PfactorBenchError as error:
            raise self.CollectError(str(error)) from None
        return super().collect()

    def funcnamefilter(self, name: str) -> bool:
        """Say whether a function is a test, whatever a project calls its own."""
        return name.startswith("test_")


def has_suite_shape(path: Path) -> bool:
    """Return whether a YAML file looks like a suite, valid or not: others may have YAML, too."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    keys = re.findall(r"^(\w+)[ \t]*:", text, flags=re.MULTILINE)
    return len(_REQUIRED.intersection(keys)) >= _MOST
