"""What a model file is, determined by its content. Nothing is ever unpickled, imported or run."""
