"""What `import pfactor_bench` offers."""

from __future__ import annotations

import pytest

import pfactor_bench


@pytest.mark.parametrize("name", pfactor_bench.__all__)
def test_public_name_can_be_used(name: str) -> None:
    """Its home is where the table says."""
    assert getattr(pfactor_bench, name) is not None


def test_every_public_name_has_a_home() -> None:
    """The two lists hold the same names."""
    assert set(pfactor_bench.__all__) == set(pfactor_bench._HOMES)  # noqa: SLF001


def test_unknown_name_is_an_attribute_error() -> None:
    """As for any module."""
    with pytest.raises(AttributeError, match="no attribute 'audti'"):
        _ = pfactor_bench.audti
