"""What a model file is, told from its content. Nothing is ever unpickled, imported or run."""
