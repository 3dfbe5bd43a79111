"""Models by name, their heads and regimes, baselines, and the features they stand on."""
