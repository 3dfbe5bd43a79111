"""Encoders: what they are pretrained on and on whom, and how they are kept."""
