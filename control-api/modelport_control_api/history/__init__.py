"""Sampled requests and responses of a model whose owner asked for them."""
