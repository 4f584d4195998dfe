"""Code of a user's own: a class Model, or preprocess and postprocess around a model file."""
