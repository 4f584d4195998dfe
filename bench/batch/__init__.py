"""`make bench-batch`: jobs over files."""
