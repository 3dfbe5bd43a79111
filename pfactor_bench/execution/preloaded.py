"""Imports braindecode's models for the workers that are forked afterwards, and for nothing else."""

from pfactor_bench.execution.montage_warning import montage_warning_ignored

with montage_warning_ignored():
    import braindecode.models  # noqa: F401
