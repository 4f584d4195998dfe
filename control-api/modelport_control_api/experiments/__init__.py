"""A/B tests (decision 60): versions share a model's traffic, and feedback says which is better."""
