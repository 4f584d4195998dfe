"""What was predicted, of models whose owners will say what turned out to be true (decision 58)."""
