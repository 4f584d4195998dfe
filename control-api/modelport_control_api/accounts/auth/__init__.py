"""Accounts: registration, sessions, access and refresh tokens, and what a credential may do."""
