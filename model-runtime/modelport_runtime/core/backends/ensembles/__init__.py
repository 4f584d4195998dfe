"""Ensembles: versions of any framework, joined to be one. Each member keeps its own backend."""
