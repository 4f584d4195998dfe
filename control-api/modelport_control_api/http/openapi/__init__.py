"""/openapi.json: what FastAPI knows of the control API, and what the gateway answers at the same address."""
