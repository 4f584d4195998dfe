"""Sampled requests and responses of a model whose owner turned it on."""
