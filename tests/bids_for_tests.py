"""What stands in the tiny BIDS folder that tests are given."""

from __future__ import annotations

#: Amplitude of each channel's 10 Hz rhythm in the tiny BIDS folder, in microvolts.
TINY_MICROVOLTS = {"Fz": 10.0, "Cz": 20.0, "Pz": 40.0, "EOG": 80.0}
TINY_SUBJECTS = ("sub-01", "sub-02", "sub-03", "sub-04")
