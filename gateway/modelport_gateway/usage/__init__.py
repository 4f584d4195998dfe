"""Counting every request once, and telling the control API until it has written it down."""
