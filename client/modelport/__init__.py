"""The Python SDK and the `modelport` command. Speaks REST only."""
