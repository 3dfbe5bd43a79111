"""What pytest-benchmark is told about machines: which one it is, and when not to compare."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

import pytest

_KEY = "pfactor_bench"


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    """Add what times depend on to what is stored with them."""
    import torch

    cpu = machine_info.get("cpu", {})
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    machine_info[_KEY] = {
        "processor": cpu.get("brand_raw", platform.processor()),
        "cores": cpu.get("count"),
        "GPU": gpu,
        "threads": torch.get_num_threads(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
    }


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_compare_machine_info(
    machine_info: Mapping[str, Any], compared_benchmark: Mapping[str, Any]
) -> None:
    """Refuse to compare with the numbers of another machine.

    Raises
    ------
    pytest.UsageError
        With what differs.
    """
    here, stored = machine_info.get(_KEY, {}), compared_benchmark["machine_info"].get(_KEY, {})
    other = [
        f"{name} {here.get(name)!r} here, {stored.get(name)!r} there"
        for name in here
        if here.get(name) != stored.get(name)
    ]
    if other:
        raise pytest.UsageError(
            f"the stored times were measured on another machine ({'; '.join(other)}), so a "
            f"difference would say nothing about the code: measure a baseline here with "
            f"--benchmark-save=NAME"
        )
