"""Measurements: what runs is a module, such as `python -m bench.run`."""
