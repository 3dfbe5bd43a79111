"""What chance alone gives: a suite trained again on permuted targets."""
