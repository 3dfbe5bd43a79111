"""One direction: a folder of the package imports only folders that stand below it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "pfactor_bench"

#: From the ground up. Rooms (a folder, or a file at the root) of one floor do not know each other.
FLOORS = (
    ("types", "errors", "seeds", "_version"),
    ("statistics", "claims", "registry", "files", "terminal", "environment"),
    ("cohorts",),
    ("splits",),
    ("models",),
    ("training",),
    ("studies", "config", "records"),
    ("checks", "execution", "report"),
    ("auditing", "measurements", "publish"),
    ("pipeline",),
    ("testing", "experiments"),
    ("cli", "plugin"),
    ("__init__", "__main__"),
)

FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    """Return the folder at the package's root, or the file there, that a module belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    """Return the rooms that a module imports, annotations excepted."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    names: list[str] = []
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return {name.split(".")[1] for name in names if name.startswith("pfactor_bench.")}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_imports_only_floors_below(path: Path) -> None:
    """The order is in `FLOORS`; a new folder needs a place there."""
    here = room_of(path)
    others = imported_rooms(path) & FLOOR_OF.keys() - {here}
    assert {room for room in others if FLOOR_OF[room] >= FLOOR_OF[here]} == set()


def test_every_room_has_a_floor() -> None:
    """A folder that no floor names would be held to nothing."""
    assert {room_of(path) for path in MODULES} == FLOOR_OF.keys()


def test_every_folder_says_what_it_holds() -> None:
    """In the docstring of its ``__init__.py``."""
    folders = {path.parent for path in MODULES}
    silent = [
        folder
        for folder in folders
        if not ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_few_files_stand_at_the_root() -> None:
    """Whoever opens the package sees its folders first."""
    assert len([path for path in MODULES if path.parent == PACKAGE]) <= 8
