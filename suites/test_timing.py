"""How long training and predicting take, for each seed, regime and device.

    pytest suites/test_timing.py --benchmark-save=mine            # keep the numbers
    pytest suites/test_timing.py --benchmark-compare=mine         # compare with them

A comparison with another machine's numbers is refused. ``joules`` is stored with a time where the
machine counts them: those of all its processors while the work was done once more.
"""

from __future__ import annotations

from pfactor_bench.plugin.suite_tests import test_prediction, test_training_epoch

__all__ = ["test_prediction", "test_training_epoch"]
