"""Random seeds made from names, so that no two uses ever share a stream by accident."""

from __future__ import annotations

import hashlib

__all__ = ["seed_for"]


def seed_for(*parts: object) -> int:
    """Return a 32-bit seed that depends on every part and on nothing else.

    Parameters
    ----------
    *parts
        What the seed is for, from the general to the particular:
        ``seed_for("bootstrap", suite, case)``.

    Returns
    -------
    int
        The same for the same parts, in every process and on every machine.
    """
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
