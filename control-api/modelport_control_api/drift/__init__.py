"""Data drift: how live inputs and predictions compare with a reference. Knows no models."""
