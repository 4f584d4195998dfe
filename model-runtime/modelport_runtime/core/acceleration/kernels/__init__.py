"""What a plan says, done with NumPy alone."""
