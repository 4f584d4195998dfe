"""Keys for programs: made, listed, rotated and revoked by users."""
