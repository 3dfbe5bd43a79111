"""What needs many runs of a suite: permutation, learning curves, costs."""
