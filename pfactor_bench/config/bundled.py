"""The suites that come with the package, found by name."""

from __future__ import annotations

from pathlib import Path

from pfactor_bench.errors import UnknownNameError

#: Lies beside suites and is none.
EXPECTED_FAILURES = "expected_failures.yaml"

_PACKAGE = Path(__file__).parents[1]
#: Where a wheel holds them, and where a checkout keeps them: at its top, for all to see.
_FOLDERS = (_PACKAGE / "suites", _PACKAGE.parent / "suites")
_SUFFIXES = (".yaml", ".yml")


def bundled_suites() -> dict[str, Path]:
    """Return the file of every suite that comes with the package, by the suite's name."""
    folder = next((one for one in _FOLDERS if one.is_dir()), _FOLDERS[0])
    return {
        path.stem.replace("_", "-"): path
        for path in sorted(folder.glob("*.yaml"))
        if path.name != EXPECTED_FAILURES
    }


def suite_file(named: str | Path) -> Path:
    """Return the file of a suite that is given by its name or by its path.

    Parameters
    ----------
    named
        The name of a suite that comes with the package, or the path of any suite's file.

    Raises
    ------
    UnknownNameError
        If it is neither; the message names the closest name.
    """
    path = Path(named)
    if path.suffix in _SUFFIXES or len(path.parts) > 1 or path.is_file():
        return path
    known = bundled_suites()
    if str(named) not in known:
        raise UnknownNameError("suite", str(named), known)
    return known[str(named)]
