"""Requests: prepared beforehand, and sent in closed or open loops."""
