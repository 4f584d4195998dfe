"""From an input's bytes to rows for a model, and from predictions to the bytes of a download."""
