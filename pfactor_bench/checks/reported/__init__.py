"""Checks of what was reported: claims, measurements, fits, seeds and exclusions."""
