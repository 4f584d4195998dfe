"""PyTorch, as far as it goes without the library."""
