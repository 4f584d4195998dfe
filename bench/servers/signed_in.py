"""Somebody with a session at a platform, and what the benches need of it."""

import json
from dataclasses import dataclass
from typing import Any

import httpx

from bench.models.model import Model


@dataclass(frozen=True)
class SignedIn:
    client: httpx.Client

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": self.client.headers["Authorization"]}

    def upload(self, model: Model) -> str:
        """Upload, wait until it is ready, and return the model's id. Raises RuntimeError."""
        with model.path.open("rb") as file:
            answer = self.client.post(
                "/api/v1/models/upload", files={"file": file}, data={"name": model.name}
            )
        uploaded = answer.raise_for_status().json()
        ready: dict[str, Any] = (
            self.client.get(f"/api/v1/models/{uploaded['id']}?wait=60").raise_for_status().json()
        )
        if ready["status"] != "ready":
            raise RuntimeError(f"the model is {ready['status']}: {json.dumps(ready['message'])}")
        return str(ready["id"])
