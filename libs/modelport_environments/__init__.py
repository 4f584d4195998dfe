"""Environments that models are served in: a Python and a locked set of packages, each with a name."""
