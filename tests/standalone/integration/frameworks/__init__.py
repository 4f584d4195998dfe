"""Frameworks that the platform has no library for, served by it in environments of their own."""
