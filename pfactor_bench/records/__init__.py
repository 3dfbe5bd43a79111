"""The record of a run: what is stored, how old ones are read, and what it rests on."""
