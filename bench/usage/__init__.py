"""What counting usage costs, and whether it is exact."""
