"""One running platform, an account on it, and a way to serve a model with it."""

import io
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import joblib
import pytest

from tests.support.platform_process import settled

PASSWORD = "Sensible-Passphrase-7"


def log_in(url: str, email: str) -> httpx.Client:
    response = httpx.post(f"{url}/api/v1/auth/login", json={"email": email, "password": PASSWORD}, timeout=60)
    token = response.raise_for_status().json()["access_token"]
    return httpx.Client(base_url=url, timeout=90, headers={"Authorization": f"Bearer {token}"})


def register(url: str) -> httpx.Client:
    """A new user's session."""
    email = f"{uuid4().hex}@example.com"
    httpx.post(
        f"{url}/api/v1/auth/register", json={"email": email, "password": PASSWORD}, timeout=60
    ).raise_for_status()
    return log_in(url, email)


@pytest.fixture(scope="session")
def account(platform: Any) -> Iterator[httpx.Client]:
    with register(platform.url) as client:
        yield client


@pytest.fixture(scope="session")
def outsider(platform: Any) -> Iterator[httpx.Client]:
    with register(platform.url) as client:
        yield client


@pytest.fixture(scope="session")
def serve(account: httpx.Client) -> Callable[..., dict[str, Any]]:
    """Upload a fitted model and wait until it answers; gives the model as the API has it."""

    def upload(model: Any, **fields: str) -> dict[str, Any]:
        file = io.BytesIO()
        joblib.dump(model, file)
        form = {"name": "test model", **fields}
        response = account.post("/api/v1/models/upload", files={"file": file.getvalue()}, data=form)
        id_ = response.raise_for_status().json()["id"]
        served = settled(account, f"/api/v1/models/{id_}")
        assert served["status"] == "ready", served
        return served

    return upload
