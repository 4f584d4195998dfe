"""Compares live inputs with a reference, and says how sure the finding is."""
