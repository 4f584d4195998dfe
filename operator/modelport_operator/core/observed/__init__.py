"""What there is of a model: its pods, what ended in them, and what their runtimes report."""
