"""Skill by the number of subjects trained on."""
