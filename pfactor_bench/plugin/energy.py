"""What work costs in energy, where the machine counts it.

Linux shows the counters of Intel's and AMD's processors (RAPL) under ``/sys/class/powercap``; many
systems let only root read them, and a virtual machine has none. GPUs are not read.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

_COUNTERS = Path("/sys/class/powercap")


def energy_of(work: Callable[[], object], counters: Path = _COUNTERS) -> float | None:
    """Do some work and return the joules that the processors took meanwhile.

    Parameters
    ----------
    work
        Returns when it is done.
    counters
        The folder of the kernel's power capping zones.

    Returns
    -------
    float or None
        Of whole processor packages, with everything else that ran on them, idling included; None
        where nothing counts.
    """
    before = _read(counters)
    work()
    after = _read(counters)
    if not before or before.keys() != after.keys():
        return None
    # A counter starts again at 0 after its largest value.
    micro = sum(
        (after[zone][0] - start) % (largest + 1) for zone, (start, largest) in before.items()
    )
    return micro / 1e6


def _read(counters: Path) -> dict[str, tuple[int, int]]:
    """Return microjoules so far and the largest value, by package; parts of one are not read."""
    found = {}
    for zone in sorted(counters.glob("intel-rapl:*")):
        try:
            name = (zone / "name").read_text(encoding="ascii").strip()
            if name.startswith("package"):
                found[zone.name] = (
                    int((zone / "energy_uj").read_text(encoding="ascii")),
                    int((zone / "max_energy_range_uj").read_text(encoding="ascii")),
                )
        except (OSError, ValueError):
            return {}
    return found
