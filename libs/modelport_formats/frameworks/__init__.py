"""Formats of single frameworks: what tells a file of theirs, and what it says of itself."""
