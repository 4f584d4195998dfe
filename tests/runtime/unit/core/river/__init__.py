"""What river has seen is understood without it."""
