"""Connections that go to the public internet only, whatever a stranger's URL says."""
