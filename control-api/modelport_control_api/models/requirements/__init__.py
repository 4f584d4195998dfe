"""Versions with requirements of their own: locked at upload, and listed as a bill of materials."""
