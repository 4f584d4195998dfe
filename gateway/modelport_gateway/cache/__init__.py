"""The keys under which responses are cached."""
