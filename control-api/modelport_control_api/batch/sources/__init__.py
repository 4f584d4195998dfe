"""Inputs that are fetched from where they lie, in place of being sent."""
