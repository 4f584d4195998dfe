"""The server process: HTTP, validation and batching. It never reads the model file."""
