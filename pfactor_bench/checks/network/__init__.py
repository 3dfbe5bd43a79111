"""Checks of a network by itself: state, batch statistics, precision, devices."""
