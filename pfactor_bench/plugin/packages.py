"""The hook that asks for what suites stand on before any of their tests runs."""

from __future__ import annotations

import pytest

from pfactor_bench.environment.packages import require_braindecode
from pfactor_bench.errors import EnvironmentProblemError


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Make an environment that cannot run a suite a usage error, in place of many failures.

    Raises
    ------
    pytest.UsageError
        If braindecode cannot be imported and a test that is left wants a suite.
    """
    if config.option.collectonly or not any(map(_wants_a_suite, items)):
        return
    try:
        require_braindecode()
    except EnvironmentProblemError as error:
        raise pytest.UsageError(str(error)) from error


def _wants_a_suite(test: pytest.Item) -> bool:
    callspec = getattr(test, "callspec", None)
    given = callspec.params.values() if callspec else ()
    return any(type(one).__module__.startswith("pfactor_bench.plugin.") for one in given)
