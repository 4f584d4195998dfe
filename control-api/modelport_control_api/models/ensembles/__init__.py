"""Versions of models that are there, joined to be one new version."""
