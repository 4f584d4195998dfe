"""The files in a folder of Transformers that say what it is, by their names."""

CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
