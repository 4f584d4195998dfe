"""The data plane's front: authenticates, limits, caches and routes predictions."""
