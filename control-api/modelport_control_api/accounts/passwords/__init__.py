"""What a password must be, and how it is hashed."""
