"""What a suite will cost, before it is run: a timed pilot, and sums."""
