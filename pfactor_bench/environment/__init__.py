"""The environment that everything runs in: whether its packages load together, and if not, why."""
