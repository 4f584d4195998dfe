"""The gateway's HTTP: the ASGI app, the fast path, and uploads for batch jobs."""
