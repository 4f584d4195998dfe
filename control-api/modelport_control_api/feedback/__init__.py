"""What turned out to be true of predictions: received from the model's owner, and kept for its days."""
