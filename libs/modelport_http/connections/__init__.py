"""Limits on connections from untrusted clients: how many, how long idle, how large a head."""
