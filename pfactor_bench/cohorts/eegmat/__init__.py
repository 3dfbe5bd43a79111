"""EEGMAT: 36 subjects at rest and at mental arithmetic, and where to get it."""
