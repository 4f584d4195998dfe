"""What was predicted, and what turned out to be true: rows of both, joined by the prediction's id and row."""
