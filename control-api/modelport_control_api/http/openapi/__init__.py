"""/openapi.json: what FastAPI knows of the control API, and what the gateway serves at the same address."""
