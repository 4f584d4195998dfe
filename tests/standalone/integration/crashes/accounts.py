"""What a person has on a platform: a session, an API key, and models that tell who answered."""

import io
from dataclasses import dataclass
from uuid import uuid4

import httpx
import joblib
from sklearn.linear_model import LogisticRegression

from tests.support.platform_process import wait_until_ready

_PASSWORD = "Sensible-Passphrase-7"
ROW = [1.0, 2.0]


@dataclass(frozen=True)
class Account:
    """Both were made before whatever happens to the platform, and must outlive it."""

    access_token: str
    api_key: str

    def client(self, url: str) -> httpx.Client:
        """Manages models with the token."""
        return httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {self.access_token}"}, timeout=60
        )

    def caller(self, url: str) -> httpx.Client:
        """Predicts with the API key, and wants to hear the model itself each time."""
        headers = {"X-API-Key": self.api_key, "Cache-Control": "no-store"}
        return httpx.Client(base_url=url, headers=headers, timeout=60)


def register(url: str) -> Account:
    person = {"email": f"{uuid4().hex}@example.com", "password": _PASSWORD}
    with httpx.Client(base_url=url, timeout=60) as client:
        client.post("/api/v1/auth/register", json=person).raise_for_status()
        token = client.post("/api/v1/auth/login", json=person).raise_for_status().json()["access_token"]
        key = client.post(
            "/api/v1/api-keys", json={"name": "app"}, headers={"Authorization": f"Bearer {token}"}
        ).raise_for_status()
    return Account(token, key.json()["key"])


def telling_model(tag: str) -> bytes:
    """A file whose model answers `tag` for `ROW`: by the response one knows the file."""
    model = LogisticRegression().fit([[-1.0, -2.0], ROW], [f"not {tag}", tag])
    file = io.BytesIO()
    joblib.dump(model, file)
    return file.getvalue()


def upload(client: httpx.Client, tag: str) -> str:
    """Upload a telling model; give its id."""
    response = client.post(
        "/api/v1/models/upload", files={"file": telling_model(tag)}, data={"name": tag}
    ).raise_for_status()
    return str(response.json()["id"])


def serve(client: httpx.Client, tag: str) -> str:
    """Upload a telling model and wait until it is ready; give its id."""
    model_id = upload(client, tag)
    wait_until_ready(client, model_id)
    return model_id
