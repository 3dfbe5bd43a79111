"""Encoders on disk: what is read back, and what is refused."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import save

from pfactor_bench.errors import CheckpointError
from pfactor_bench.training.pretraining.checkpoints import (
    MANIFEST_KEYS,
    manifest_path,
    read_encoder,
    write_encoder,
)

if TYPE_CHECKING:
    from pathlib import Path

TENSORS = {"conv.weight": torch.arange(6.0).reshape(2, 3), "norm.steps": torch.tensor(4)}
MANIFEST = {"subjects": ["sub-00", "sub-01"], "cohort_fingerprint": "abc", "model": {"name": "M"}}


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """Return the tensor file of an encoder that is as it should be."""
    path = tmp_path / "encoders" / "one.safetensors"
    write_encoder(path, TENSORS, MANIFEST)
    return path


def test_tensors_read_back_bit_for_bit(stored: Path) -> None:
    """Values, shapes and kinds of number."""
    tensors = read_encoder(stored).tensors
    assert TENSORS.keys() == tensors.keys()
    assert all(torch.equal(TENSORS[name], tensors[name]) for name in TENSORS)


def test_manifest_reads_back_with_hash_of_tensor_file(stored: Path) -> None:
    """What was given, and what makes it checkable."""
    sha256 = hashlib.sha256(stored.read_bytes()).hexdigest()
    assert {**MANIFEST, "sha256": sha256} == read_encoder(stored).manifest


def test_nothing_else_is_left_beside_encoder(stored: Path) -> None:
    """No temporary file survives."""
    names = {path.name for path in stored.parent.iterdir()}
    assert {"one.safetensors", "one.json"} == names


def test_missing_tensor_file_is_refused(tmp_path: Path) -> None:
    """With its path."""
    with pytest.raises(CheckpointError, match=r"cannot read the encoder .*none\.safetensors"):
        read_encoder(tmp_path / "none.safetensors")


def test_truncated_tensor_file_is_refused(stored: Path) -> None:
    """Half a copy."""
    stored.write_bytes(stored.read_bytes()[:-4])
    with pytest.raises(CheckpointError, match="was truncated or changed"):
        read_encoder(stored)


def test_tampered_tensor_file_is_refused(stored: Path) -> None:
    """One bit of one weight."""
    content = bytearray(stored.read_bytes())
    content[-1] ^= 1
    stored.write_bytes(bytes(content))
    with pytest.raises(CheckpointError, match="was truncated or changed"):
        read_encoder(stored)


def test_pickled_checkpoint_is_refused_unread(stored: Path) -> None:
    """Such a file may run code, whatever its manifest says."""
    torch.save({"conv.weight": torch.zeros(2, 3)}, stored)
    with pytest.raises(CheckpointError, match="is a pickled file, which can run code"):
        read_encoder(stored)


def test_pickled_code_does_not_run(stored: Path, tmp_path: Path) -> None:
    """A file that would create another one is refused without doing so."""
    import pickle

    class Creates:
        def __reduce__(self):
            return (open, (str(tmp_path / "created"), "w"))

    stored.write_bytes(pickle.dumps(Creates()))
    with pytest.raises(CheckpointError):
        read_encoder(stored)
    assert not (tmp_path / "created").exists()


def test_other_format_with_right_hash_is_refused(stored: Path) -> None:
    """A manifest can be forged; the format cannot."""
    stored.write_bytes(b"no tensors at all")
    forged = {**MANIFEST, "sha256": hashlib.sha256(stored.read_bytes()).hexdigest()}
    manifest_path(stored).write_text(json.dumps(forged), encoding="utf-8")
    with pytest.raises(CheckpointError, match="is no safetensors file"):
        read_encoder(stored)


def test_header_length_that_looks_pickled_is_read(tmp_path: Path) -> None:
    """A safetensors file may begin with the byte that begins a pickle."""
    path = tmp_path / "one.safetensors"
    names = (f"{'n' * length}" for length in range(1, 400))
    tensors = next(
        made for name in names if save(made := {name: torch.zeros(1)}).startswith(b"\x80")
    )
    write_encoder(path, tensors, MANIFEST)
    assert tensors.keys() == read_encoder(path).tensors.keys()


def test_encoder_without_manifest_is_refused(stored: Path) -> None:
    """Nobody knows whom it was trained on."""
    manifest_path(stored).unlink()
    with pytest.raises(CheckpointError, match="is missing, so nobody knows whom"):
        read_encoder(stored)


@pytest.mark.parametrize("key", MANIFEST_KEYS)
def test_incomplete_manifest_is_refused(stored: Path, key: str) -> None:
    """What the checks need must be there."""
    manifest = json.loads(manifest_path(stored).read_text(encoding="utf-8"))
    del manifest[key]
    manifest_path(stored).write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(CheckpointError, match=f"has no '{key}': add it"):
        read_encoder(stored)


@pytest.mark.parametrize("text", ["{", "[]", "3"])
def test_manifest_that_is_no_mapping_is_refused(stored: Path, text: str) -> None:
    """With its path, not with a traceback of json."""
    manifest_path(stored).write_text(text, encoding="utf-8")
    with pytest.raises(CheckpointError, match="manifest"):
        read_encoder(stored)
