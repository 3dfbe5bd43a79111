"""Skill by the number of people trained on."""
