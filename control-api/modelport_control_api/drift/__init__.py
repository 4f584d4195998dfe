"""Whether what a model is asked still looks like what it was made for."""
