"""Audits: from a target on the command line or in Python to findings and a verdict."""
