"""Compares live inputs with a reference, and how sure the finding is."""
