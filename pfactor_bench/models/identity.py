"""What a stored result was made from, as hashes, so that no changed input passes for it."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pfactor_bench._version import __version__
from pfactor_bench.models.build import model_file, offering_package
from pfactor_bench.types import ModelSpec, Split

#: Packages whose version may change a trained weight.
_PACKAGES = ("torch", "braindecode", "numpy")

#: The parts of this package whose code does.
_TRAINING = (
    "execution/results.py",
    "models/heads.py",
    "statistics/metrics.py",
    "models/build.py",
    "models/regimes.py",
    "seeds.py",
    "cohorts/memory_maps.py",
    "training",
)


def digest(value: object) -> str:
    """Return the sha256 of a plain value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def code_versions() -> Mapping[str, str]:
    """Return the versions of the packages that train, and a hash of the code here that does."""
    return {
        "pfactor_bench": __version__,
        "code": code_hash(*_TRAINING),
        **{name: version(name) for name in _PACKAGES},
    }


@cache
def code_hash(*parts: str) -> str:
    """Return a hash of parts of this package's code: files, and folders with all their modules."""
    named = (Path(__file__).parents[1] / name for name in parts)
    return _hash_files(file for path in named for file in (sorted(path.rglob("*.py")) or [path]))


def model_identity(spec: ModelSpec) -> Mapping[str, Any]:
    """Return what a model is made from.

    Its name and arguments, its code where that is local, and the version of the package that offers
    it where one does.
    """
    package = offering_package(spec)
    return {
        "name": spec.name,
        "args": dict(spec.args),
        "head": spec.head,
        "code": _hash_files(_source_of(spec)),
        **({} if package is None else {"package": package}),
    }


@lru_cache(maxsize=2)  # the same for every case of a suite, and as long as the cohort
def split_identity(split: Split) -> str:
    """Return a hash of who is trained on and who is held out, window by window."""
    folds = [asdict(fold) for fold in split.folds]
    return digest([{key: _plain(value) for key, value in fold.items()} for fold in folds])


def _plain(value: Any) -> object:  # noqa: ANN401
    return value if isinstance(value, str) else value.tolist()


def _source_of(spec: ModelSpec) -> list[Path]:
    """Return the file of a model that no installed version describes."""
    path = model_file(spec)
    if path is not None:
        return [path]
    location, colon, _ = spec.name.rpartition(":")
    found = importlib.util.find_spec(location) if colon else None
    return [Path(found.origin)] if found is not None and found.origin else []


def _hash_files(files: Iterable[Path]) -> str:
    combined = hashlib.sha256()
    for file in files:
        combined.update(hashlib.sha256(file.read_bytes()).digest())
    return combined.hexdigest()
