"""Users and models on the shared platform, for tests that call the whole API."""

import io
from collections.abc import Iterator
from typing import Any

import httpx
import joblib
import pytest
from modelport_control_api.process.app import ControlPlane

from tests.support.models import iris_logistic
from tests.support.platform_process import PlatformProcess, wait_until_ready


def iris_file() -> bytes:
    """A model that was trained on a NumPy array."""
    file = io.BytesIO()
    joblib.dump(iris_logistic().model, file)
    return file.getvalue()


def upload_iris(client: httpx.Client, **fields: str) -> dict[str, Any]:
    """Return the model as it is at once: it loads from now on."""
    form = {"name": "Iris", **fields}
    response = client.post("/api/v1/models/upload", files={"file": iris_file()}, data=form)
    model: dict[str, Any] = response.raise_for_status().json()
    return model


@pytest.fixture
def plane(control_plane: ControlPlane, api: httpx.AsyncClient) -> ControlPlane:
    """In this process; `api` closes it."""
    return control_plane


@pytest.fixture(scope="session")
def nobody(platform: PlatformProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=platform.url, timeout=90) as client:
        yield client


@pytest.fixture(scope="session")
def ann(platform: PlatformProcess) -> Iterator[httpx.Client]:
    with platform.register_user() as client:
        yield client


@pytest.fixture(scope="session")
def bob(platform: PlatformProcess) -> Iterator[httpx.Client]:
    with platform.register_user() as client:
        yield client


@pytest.fixture(scope="session")
def iris_id(ann: httpx.Client) -> str:
    """Ann's private model. Change nothing of it: every test shares it."""
    id_ = str(upload_iris(ann)["id"])
    wait_until_ready(ann, id_)
    return id_
