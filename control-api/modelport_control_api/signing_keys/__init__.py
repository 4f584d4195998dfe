"""The Ed25519 keys that sign access tokens: files in one folder, rotated with overlap."""
