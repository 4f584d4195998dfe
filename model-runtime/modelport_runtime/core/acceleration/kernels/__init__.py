"""A plan, carried out with NumPy alone."""
