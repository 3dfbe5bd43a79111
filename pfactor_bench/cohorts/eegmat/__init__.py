"""EEGMAT: 36 people at rest and at mental arithmetic, and where to get it."""
