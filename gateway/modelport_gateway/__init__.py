"""The data plane: authenticates, limits, caches and routes predictions."""
