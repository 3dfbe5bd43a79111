"""Every number of a suite, computed from its held-out predictions."""
