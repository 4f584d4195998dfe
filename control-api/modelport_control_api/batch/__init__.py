"""Predictions over files: jobs, their chunks, and the workers that do them."""
