"""Model files, stored once for each content and found by their sha256."""
