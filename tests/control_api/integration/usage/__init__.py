"""Usage through the restart of every part."""
