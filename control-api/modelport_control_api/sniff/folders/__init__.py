"""Folders of other tools in one file: whose they are, and what of them is served."""
