"""One process, one model version: load, validate, batch, predict. It is untrusted once the model is read."""
