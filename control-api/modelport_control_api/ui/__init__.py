"""The web UI: pages rendered here, for users with a browser."""
