"""Connections that go to the public internet only, whatever an untrusted URL names."""
