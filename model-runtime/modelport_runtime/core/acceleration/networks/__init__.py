"""Small networks of PyTorch and Keras as a list of array operations."""
