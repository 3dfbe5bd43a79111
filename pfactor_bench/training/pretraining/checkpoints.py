"""Encoders on disk: safetensors with a JSON manifest that says who and what they were made from.

A file of pickled weights can run code when it is loaded, so none is ever read.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pfactor_bench.errors import CheckpointError
from pfactor_bench.files import ensure_writable, write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import torch

#: What a manifest must say before its tensors are used.
MANIFEST_KEYS = ("subjects", "cohort_fingerprint", "model", "sha256")

#: How the archives that torch.save writes begin, and bare pickles.
_PICKLED = (b"PK\x03\x04", b"\x80")

#: Where safetensors puts the brace that opens its header, after eight bytes of its length.
_HEADER = 8


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Encoder:
    """A pretrained model without its head.

    Parameters
    ----------
    tensors
        Its state by name, on the CPU.
    manifest
        ``subjects`` it was trained on, ``cohort_fingerprint``, ``model``, ``sha256`` of the tensor
        file and whatever else is known of its making, as plain JSON values.
    path
        The tensor file.
    """

    tensors: Mapping[str, torch.Tensor]
    manifest: Mapping[str, Any]
    path: Path


def manifest_path(path: Path) -> Path:
    """Return where the manifest of a tensor file stands: beside it."""
    return path.with_suffix(".json")


def write_encoder(
    path: Path, tensors: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> Encoder:
    """Write an encoder so that a reader finds all of it or none, and return it.

    Parameters
    ----------
    path
        Of the tensor file, ``*.safetensors``.
    tensors, manifest
        As in `Encoder`; ``sha256`` is added to the manifest here.

    Raises
    ------
    OutputError
        If the folder cannot be written to.
    """
    from safetensors.torch import save

    content = save(dict(tensors))
    complete = {**manifest, "sha256": hashlib.sha256(content).hexdigest()}
    text = json.dumps(complete, indent=1, ensure_ascii=False, allow_nan=False)
    ensure_writable(path.parent)
    write_atomically(path, content)
    # Last: a manifest promises complete tensors.
    write_atomically(manifest_path(path), f"{text}\n".encode())
    return Encoder(tensors=tensors, manifest=complete, path=path)


def read_encoder(path: Path) -> Encoder:
    """Read an encoder and make sure that it is the one that its manifest describes.

    Parameters
    ----------
    path
        Of the tensor file.

    Raises
    ------
    CheckpointError
        If file or manifest is missing, the file is pickled, truncated, changed or no safetensors
        file, or the manifest does not say what it must.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"cannot read the encoder {str(path)!r}: {error.strerror}") from error
    if content.startswith(_PICKLED) and content[_HEADER : _HEADER + 1] != b"{":
        raise CheckpointError(
            f"the encoder {str(path)!r} is a pickled file, which can run code when it is loaded: "
            f"store its state_dict with safetensors.torch.save_file instead"
        )
    manifest = _read_manifest(manifest_path(path))
    found = hashlib.sha256(content).hexdigest()
    if found != manifest["sha256"]:
        raise CheckpointError(
            f"the encoder {str(path)!r} has sha256 {found[:12]}…, its manifest says "
            f"{str(manifest['sha256'])[:12]}…: it was truncated or changed; delete both files to "
            f"pretrain again, or copy them again"
        )
    try:
        tensors = load(content)
    except SafetensorError as error:
        raise CheckpointError(
            f"the encoder {str(path)!r} is no safetensors file ({error}): store its state_dict "
            f"with safetensors.torch.save_file"
        ) from error
    return Encoder(tensors=tensors, manifest=manifest, path=path)


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(
            f"the encoder's manifest {str(path)!r} is missing, so nobody knows whom it was trained "
            f"on: write one with {', '.join(map(repr, MANIFEST_KEYS))}"
        ) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CheckpointError(
            f"cannot read the encoder's manifest {str(path)!r}: {error}"
        ) from error
    keys = manifest if isinstance(manifest, dict) else ()
    missing = [key for key in MANIFEST_KEYS if key not in keys]
    if missing:
        raise CheckpointError(
            f"the encoder's manifest {str(path)!r} has no {missing[0]!r}: add it, or pretrain again"
        )
    complete: dict[str, Any] = manifest
    return complete
