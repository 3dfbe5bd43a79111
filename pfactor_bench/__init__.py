"""Test-first benchmark and leakage audit for cross-subject EEG regression."""

from __future__ import annotations

__version__ = "0.1.0"
