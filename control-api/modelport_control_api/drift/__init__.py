"""Data drift: how live inputs and answers compare with a reference. Knows no models."""
