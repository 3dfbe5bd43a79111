"""Which models there are by name, without importing one: braindecode takes ten seconds."""

from __future__ import annotations

import ast
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from pfactor_bench.errors import UnknownNameError

#: Installed packages offer models under this group; braindecode's own names come first.
ENTRY_POINTS = "pfactor_bench.models"


def refuse_unknown_model(name: str) -> None:
    """Refuse a name that neither braindecode nor another installed package has a model for.

    Names of another form, ``module:factory``, are not looked up; nor is any where braindecode's
    files do not tell its names: importing it must then decide.

    Raises
    ------
    UnknownNameError
        The message names the closest.
    """
    if ":" in name:
        return
    known = _exported_by_braindecode()
    if known is None or name in known:
        return
    offered = offered_models()
    if name not in offered:
        # What begins with a small letter there is a function beside the models.
        models = [one for one in known if one[0].isupper()]
        raise UnknownNameError("model", name, [*models, *offered])


def offered_models() -> dict[str, EntryPoint]:
    """Return what installed packages offer, by name."""
    return {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}


@cache
def _exported_by_braindecode() -> frozenset[str] | None:
    """Return ``braindecode.models.__all__`` as its file has it; None where it has no plain list."""
    # The package's own name only: finding a module inside it would import it.
    spec = find_spec("braindecode")
    for folder in (spec and spec.submodule_search_locations) or ():
        try:
            source = (Path(folder) / "models" / "__init__.py").read_text(encoding="utf-8")
            return _literal_all(ast.parse(source))
        except (OSError, SyntaxError, ValueError):
            continue
    return None


def _literal_all(tree: ast.Module) -> frozenset[str]:
    """Return the one list that ``__all__`` is set to.

    Raises
    ------
    ValueError
        If it is put together while the file runs.
    """
    uses = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "__all__"]
    values = [
        node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0] in uses
    ]
    if len(uses) != 1 or len(values) != 1:
        raise ValueError("__all__ is not one list")
    return frozenset(map(str, ast.literal_eval(values[0])))
