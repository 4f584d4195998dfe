"""Watches the data drift of each version, and answers what was found."""
