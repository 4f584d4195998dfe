"""Logins that last: access tokens, refresh tokens, and browsers' sessions."""
