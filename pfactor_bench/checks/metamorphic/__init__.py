"""Checks that run a study again on cohorts on which it must answer the same."""
