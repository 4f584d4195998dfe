"""Transformers: classifiers of texts, from a folder that holds configuration, tokenizer and weights."""
