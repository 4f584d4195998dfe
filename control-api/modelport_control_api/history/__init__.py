"""Sampled requests and answers of a model whose owner asked for them."""
