"""Watches the data drift of each version, and returns what was found."""
