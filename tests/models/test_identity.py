"""What a stored result is made from: nothing that changes it may stay the same by name."""

from __future__ import annotations

import ast
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from pfactor_bench.models import identity, names
from pfactor_bench.types import ModelSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

PACKAGE = Path(identity.__file__).parents[1]

#: What results pass through and are not made by: names of things, errors, files.
NO_PART = {
    "_version.py",
    "errors.py",
    "files.py",
    "models/identity.py",
    "models/names.py",
    "records",
    "registry.py",
    "types",
}


def imported(path: Path) -> Iterator[Path]:
    """Yield the files of this package that a file imports, but for their types' names."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.If)]
    of_types = {
        id(node)
        for block in blocks
        if getattr(block.test, "id", "") == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and id(node) not in of_types:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            files = [PACKAGE.parent / f"{name.replace('.', '/')}.py" for name in names]
            yield from (file for file in files if file.is_relative_to(PACKAGE) and file.exists())


def reached(*begin: str) -> set[str]:
    """Return the files of the package that some files import, however indirectly."""
    waiting, seen = [PACKAGE / name for name in begin], set()
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += imported(path)
    return {path.relative_to(PACKAGE).as_posix() for path in seen}


def test_all_code_that_trains_is_part_of_what_a_result_is_made_from() -> None:
    """Otherwise a case that was finished by other code would pass for one of this."""
    files = reached(
        "training/engine.py", "training/pretraining/pretraining.py", "execution/results.py"
    )
    hashed = {*identity._TRAINING, *NO_PART}  # noqa: SLF001
    unseen = {file for file in files if not any(file.startswith(part) for part in hashed)}
    assert unseen == set()


def test_update_of_a_package_that_offers_a_model_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its code is not looked at, its version is."""
    made_from = []
    for version in ("1.0", "1.1"):
        package = SimpleNamespace(name="mine", version=version)
        offered = SimpleNamespace(name="Mine", dist=package)
        monkeypatch.setattr(names, "entry_points", lambda offered=offered, **_: [offered])
        made_from.append(identity.model_identity(ModelSpec(name="Mine")))
    assert [one["package"] for one in made_from] == ["mine 1.0", "mine 1.1"]
    assert "package" not in identity.model_identity(ModelSpec(name="EEGNet"))
