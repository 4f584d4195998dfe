"""Counting every request once, and reporting it to the control API until that has stored it."""
