"""The pages of accounts, keys and the platform itself."""
