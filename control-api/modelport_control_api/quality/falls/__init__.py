"""Versions that predict worse than they did: found in the background, and told."""
