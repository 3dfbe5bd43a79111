"""Training: the plain loop, the devices it runs on, and one case from start to end."""
