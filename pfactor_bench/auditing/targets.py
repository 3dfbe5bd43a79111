"""What is audited: found by name or handed over, and told apart without running it here.

Code of a stranger is imported in a process of its own only, since importing runs it.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import sys
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pfactor_bench.auditing.saved import TABLES, as_table, read_predictions
from pfactor_bench.errors import StudyError, did_you_mean
from pfactor_bench.models.names import refuse_unknown_model
from pfactor_bench.studies.declaration import Declaration, declaration_of
from pfactor_bench.studies.harness import heavy_modules, to_json, warm
from pfactor_bench.studies.sandbox import Failure, run_jobs
from pfactor_bench.studies.template import refuse_signature

if TYPE_CHECKING:
    from collections.abc import Callable

    from pfactor_bench.studies.sandbox import Limits

__all__ = ["Kind", "Target", "find_target", "refuse_name"]

Kind: TypeAlias = Literal["study", "model", "regime", "estimator", "predictions"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Target:
    """Something to audit.

    Parameters
    ----------
    name
        What it is called in the report.
    kind
        A study, a model factory, a braindecode model by name, an estimator, or predictions.
    load
        Returns it; called only where foreign code may run.
    declared
        What it declares that it uses.
    """

    name: str
    kind: Kind
    load: Callable[[], Any]
    declared: Declaration = field(default_factory=Declaration)


def find_target(target: object, limits: Limits) -> Target:
    """Find out what a target is.

    Parameters
    ----------
    target
        ``path/file.py:name``, ``package.module:name``, a table's path, a braindecode model's name,
        or the study, factory, estimator, DataFrame or array itself.
    limits
        On the process that looks at it.

    Raises
    ------
    StudyError
        If it cannot be found or imported, or is none of these.
    """
    if not isinstance(target, (str, Path)):
        kind = _kind_of(target)
        declared = declaration_of(target)
        load = partial(as_table, target) if kind == "predictions" else lambda: target
        return Target(name=_name_of(target), kind=kind, load=load, declared=declared)
    text = str(target)
    refuse_name(text)
    if text.lower().endswith(TABLES):
        return Target(name=text, kind="predictions", load=partial(read_predictions, Path(text)))
    if ":" not in text:
        return Target(name=text, kind="regime", load=partial(_braindecode_name, text))
    load = partial(_import, text)
    (reply,) = run_jobs([partial(_describe, load)], limits)
    if isinstance(reply, Failure):
        raise StudyError(f"cannot import {text!r}: {reply.reason}")
    found = json.loads(reply)
    if "refused" in found:
        raise StudyError(found["refused"])
    warm(found["modules"])
    declared = Declaration(**{**found["declared"], "inputs": tuple(found["declared"]["inputs"])})
    return Target(name=text, kind=found["kind"], load=load, declared=declared)


def refuse_name(text: str) -> None:
    """Refuse what can be seen to be no target from how it is called, before anything is loaded.

    Raises
    ------
    StudyError
        If it is a file of a kind that is not read, or a Python file alone.
    UnknownNameError
        If it would be a model's name, and no model has it.
    """
    if ":" in text or text.lower().endswith(TABLES):
        return
    if text.endswith(".py"):
        raise StudyError(
            f"{text!r} is a file: name what to audit in it after a colon, such as {text}:study"
        )
    if suffix := Path(text).suffix:
        raise StudyError(
            f"{text!r} ends in {suffix!r}, which is not read: give saved predictions as "
            f"{' or '.join(TABLES)}, code as file.py:study or package.module:study, or the name "
            f"of a braindecode model"
        )
    refuse_unknown_model(text)


def _kind_of(target: object) -> Kind:
    is_array = type(target).__module__ == "numpy" and hasattr(target, "dtype")
    if is_array or (hasattr(target, "columns") and hasattr(target, "loc")):
        return "predictions"
    # A stack of regressors has its predict only once it is fitted; its class has it before.
    if all(
        hasattr(target, name) or hasattr(type(target), name)
        for name in ("fit", "predict", "get_params")
    ):
        return "estimator"
    if not callable(target):
        raise StudyError(
            f"{_name_of(target)!r} is {type(target).__name__!r}: audit a study (callable), a model "
            f"factory, a scikit-learn regressor or a table of predictions"
        )
    try:
        parameters = set(inspect.signature(target).parameters)
    except (TypeError, ValueError):
        parameters = set()
    if {"n_chans", "n_times"} <= parameters:
        return "model"
    refuse_signature(target, _name_of(target))
    return "study"


def _name_of(target: object) -> str:
    return str(getattr(target, "__name__", None) or type(target).__name__)


def _describe(load: Callable[[], object]) -> bytes:
    """Import the target, in a process of its own, and say what it is, or why it is refused."""
    try:
        target = load()
        kind = _kind_of(target)
    except StudyError as error:
        return to_json({"refused": str(error)})
    declared = asdict(declaration_of(target))
    return to_json({"kind": kind, "declared": declared, "modules": heavy_modules()})


def _import(location: str) -> object:
    place, _, attribute = location.rpartition(":")
    module = _import_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
    if not hasattr(module, attribute):
        names = [name for name in vars(module) if not name.startswith("_")]
        raise StudyError(f"{place!r} has no {attribute!r}{did_you_mean(attribute, names)}")
    return getattr(module, attribute)


def _import_file(path: Path) -> object:
    path = path.resolve()
    if not path.is_file():
        raise StudyError(f"there is no file {str(path)!r}")
    known = sys.modules.get(path.stem)
    if known is not None and getattr(known, "__file__", None) == str(path):
        return known  # a second run in this process meets what the first one has left
    # As if it had been run as a script: what lies beside it can be imported.
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise StudyError(f"{str(path)!r} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _braindecode_name(name: str) -> object:
    from pfactor_bench.models.build import find_factory
    from pfactor_bench.types import ModelSpec

    return find_factory(ModelSpec(name=name))
