"""The calls on models and versions: upload, status, traffic, logs."""
