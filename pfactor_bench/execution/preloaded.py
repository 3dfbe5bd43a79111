"""Imports what every job needs, for the workers that are forked afterwards and nothing else."""

import contextlib
from importlib import import_module

from pfactor_bench.execution.montage_warning import montage_warning_ignored

# A package that cannot be imported is told by whoever needs it; here it would end the process that
# all workers are forked from, with a traceback.
with contextlib.suppress(Exception), montage_warning_ignored():
    for name in (
        "torch._dynamo",
        "braindecode.models",
        "pfactor_bench.execution.worker",
        "pfactor_bench.training.engine",
    ):
        import_module(name)
