"""Checks of split, table and signal as they stand; nothing is run again."""
