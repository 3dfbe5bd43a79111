"""The Healthy Brain Network: its releases, participants, recordings and download."""
