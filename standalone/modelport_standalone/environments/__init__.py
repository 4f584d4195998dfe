"""The environments of models on one machine: made at first need by uv, kept, and removed when asked for."""
