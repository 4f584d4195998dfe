"""From an input's bytes to rows that a model can be asked, and from answers to the bytes of a download."""
