"""The manifest of a split: its folds by subject, for others to replay on their own rows."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench._version import __version__
from pfactor_bench.cohorts.assemble import listed
from pfactor_bench.errors import ConfigError
from pfactor_bench.splits.rows import rows_of
from pfactor_bench.splits.schema import SCHEMA_VERSION, ManifestJson
from pfactor_bench.types.typed_json import check_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pfactor_bench.types import Split

__all__ = ["apply_manifest", "checksum", "make_manifest"]


def make_manifest(
    split: Split,
    subjects: NDArray[np.str_],
    *,
    arguments: Mapping[str, Any],
    fingerprint: str | None,
) -> dict[str, Any]:
    """Return the manifest of a split, as plain JSON values.

    Parameters
    ----------
    split
        Named by the rule that drew it.
    subjects
        The subject of each row, shape ``(n_rows,)``.
    arguments
        Of the rule, its seed among them.
    fingerprint
        Of the cohort; None where it is not known.
    """
    given = dict(arguments)
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "splitter": split.name,
        "seed": given.pop("seed", None),
        "arguments": given,
        "versions": {
            "pfactor-bench": __version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "fingerprint": fingerprint,
        "folds": [
            {
                "name": fold.name,
                "train_subjects": np.unique(subjects[fold.train]).tolist(),
                "test_subjects": np.unique(subjects[fold.test]).tolist(),
            }
            for fold in split.folds
        ],
    }
    return {**manifest, "sha256": checksum(manifest)}


def apply_manifest(
    manifest: Mapping[str, Any], table: object
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return the positions of training and test rows that a manifest means, fold by fold.

    Parameters
    ----------
    manifest
        As `to_manifest` of a splitter returns it, or parsed from its JSON.
    table
        A data frame with a column ``subject``, a cohort, or a data set of braindecode: a position
        is that of a window, or of a recording where they are not cut into windows.

    Returns
    -------
    list of (ndarray, ndarray)
        What scikit-learn takes as ``cv``.

    Raises
    ------
    ConfigError
        If it is no manifest, was edited, or a subject is missing from the table or new in it.
    """
    _check(manifest)
    folds = manifest["folds"]
    subjects = rows_of(table)["subject"].to_numpy(dtype=str)
    _require_same(set(_named(folds[0])), set(subjects.tolist()))
    return [
        (
            np.flatnonzero(np.isin(subjects, fold["train_subjects"])),
            np.flatnonzero(np.isin(subjects, fold["test_subjects"])),
        )
        for fold in folds
    ]


def checksum(manifest: Mapping[str, Any]) -> str:
    """Return the sha256 of all fields of a manifest but ``sha256``."""
    content = {key: value for key, value in manifest.items() if key != "sha256"}
    return sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _check(manifest: Mapping[str, Any]) -> None:
    if not isinstance(manifest, Mapping) or "schema_version" not in manifest:
        raise ConfigError(
            f"{type(manifest).__name__!r} is no split manifest: pass what to_manifest returns, or "
            f"the parsed JSON of it, with its schema_version"
        )
    if manifest["schema_version"] != SCHEMA_VERSION:
        raise ConfigError(
            f"schema_version is {manifest['schema_version']!r}: this version of pfactor-bench "
            f"reads {SCHEMA_VERSION}; make the manifest anew, or update pfactor-bench"
        )
    try:
        check_json(ManifestJson, dict(manifest))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"no split manifest can be read: {error}") from error
    found = checksum(manifest)
    if manifest["sha256"] != found:
        raise ConfigError(
            f"the manifest was edited after it was made: its sha256 is {manifest['sha256']!r} and "
            f"its content's is {found!r}; take the original, or make it anew"
        )
    _check_folds(manifest["folds"])


def _check_folds(folds: list[dict[str, Any]]) -> None:
    """Refuse folds that no splitter by subject draws, whoever wrote them down."""
    for name, times in Counter(fold["name"] for fold in folds).items():
        if times > 1:
            raise ConfigError(f"two folds are called {name!r}: name each once")
    for fold in folds:
        train, test = set(fold["train_subjects"]), set(fold["test_subjects"])
        if train & test:
            raise ConfigError(
                f"fold {fold['name']!r} of the manifest has {_quoted(train & test)} in train and "
                f"test: it leaks; split by subject"
            )
        subject, times = Counter(_named(fold)).most_common(1)[0]
        if times > 1:
            raise ConfigError(
                f"fold {fold['name']!r} names subject {subject!r} twice: once will do"
            )
        other = (train | test) ^ set(_named(folds[0]))
        if other:
            raise ConfigError(
                f"fold {fold['name']!r} has other subjects than {folds[0]['name']!r}: "
                f"{_quoted(other)}; each fold has to name all"
            )


def _named(fold: Mapping[str, Any]) -> list[str]:
    return [*fold["train_subjects"], *fold["test_subjects"]]


def _require_same(in_manifest: set[str], in_table: set[str]) -> None:
    missing, new = in_manifest - in_table, in_table - in_manifest
    wrong = [
        f"{_quoted(names)} of the {here} {'is' if len(names) == 1 else 'are'} not in the {there}"
        for names, here, there in (
            (missing, "manifest", "table"),
            (new, "table", "manifest"),
        )
        if names
    ]
    if wrong:
        raise ConfigError(
            f"{', and '.join(wrong)}: a split is replayed on exactly its subjects; compare how "
            f"they are spelt, or split anew"
        )


def _quoted(names: set[str]) -> str:
    word = "subject" if len(names) == 1 else "subjects"
    return f"{word} {listed([repr(name) for name in sorted(names)])}"
