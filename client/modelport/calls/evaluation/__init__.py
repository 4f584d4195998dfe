"""Feedback, quality and experiments: what comes of predictions."""
