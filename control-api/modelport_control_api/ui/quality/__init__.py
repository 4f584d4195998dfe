"""The page of a model's quality."""
