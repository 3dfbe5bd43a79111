"""Running many tasks somewhere, through crashes: pools, the loop over them, progress, the lock."""
