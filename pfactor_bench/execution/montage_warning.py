"""A warning about braindecode that a command's user can do nothing about."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def montage_warning_ignored() -> Iterator[None]:
    """Ignore MNE's warning that braindecode builds a montage by its old name while it is imported.

    For commands and their workers alone: whoever imports braindecode through the library is warned.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Montage name 'standard_1020'", FutureWarning)
        yield
