"""All seeds and folds of a model trained at once, checked against the plain loop."""
