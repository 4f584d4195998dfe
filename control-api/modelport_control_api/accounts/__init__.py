"""Who users are and what they hold to prove it: passwords, sessions, API keys, and the audit log."""
