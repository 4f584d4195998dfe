"""One platform over HTTP: `blocking` blocks, `asynchronous` awaits; what they do is in the same flows."""
