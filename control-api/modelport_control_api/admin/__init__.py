"""What administrators see of the whole platform."""
