"""Records in the forms that other tools read: SARIF, model cards, step summaries."""
