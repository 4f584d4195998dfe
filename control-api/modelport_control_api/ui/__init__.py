"""The web UI: pages rendered here, for people with a browser."""
