"""A user's own account, with what it holds of models."""
