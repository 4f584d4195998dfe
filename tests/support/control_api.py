"""A control API in this process, and users who use it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from modelport_control_api.accounts.tables import User
from modelport_control_api.process import app
from modelport_control_api.process.app import ControlPlane
from modelport_control_api.settings import Settings
from modelport_control_api.signing_keys import rotation
from modelport_kube.kube import WatchEvent
from modelport_store.memory_store import MemoryStore
from modelport_store.store import Store
from pydantic import SecretStr
from sqlalchemy import Engine, event, update

PASSWORD = "SecureP@ss123"
INTERNAL_KEY = SecretStr("shared-by-the-parts-of-the-platform")
# Few rounds: the tests check what is hashed and when, not how slowly.
_FAST = {"bcrypt_rounds": 4, "limit_register": "1000/minute", "limit_login": "1000/minute"}


class IdleCluster:
    """Takes everything and does nothing: for tests that need no model to run."""

    async def apply(self, obj: dict[str, Any], *, field_manager: str) -> dict[str, Any]:
        return obj

    async def merge(
        self, kind: str, namespace: str, name: str, patch: dict[str, Any], *, field_manager: str
    ) -> dict[str, Any] | None:
        return patch

    async def get(self, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
        return None

    async def delete(self, kind: str, namespace: str, name: str) -> None:
        return

    async def list(
        self, kind: str, namespace: str | None, labels: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        return []

    async def watch(self, kind: str, namespace: str | None) -> AsyncIterator[WatchEvent]:
        yield WatchEvent("SYNCED", {})
        await asyncio.Event().wait()

    async def pod_logs(self, namespace: str, name: str, *, tail_lines: int = 200) -> str:
        return ""


def build_control_plane(
    database_url: str, folder: Path, *, store: Store | None = None, **overrides: Any
) -> ControlPlane:
    rotation.create_first(folder / "signing-keys")
    settings = Settings(
        database_url=database_url,
        signing_keys_dir=folder / "signing-keys",
        artifacts_url=str(folder / "artifacts"),
        **(_FAST | {"internal_key": INTERNAL_KEY} | overrides),
    )
    plane = app.build(settings, store=store or MemoryStore(), cluster=IdleCluster())
    spare_the_disk(plane.context.database.engine)
    return plane


def spare_the_disk(engine: Engine) -> None:
    """No test here cuts the power: waiting for the disk after each commit would be most of its time."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda driver, _: driver.execute("PRAGMA synchronous = OFF"))


def client_of(asgi: Any, *, scheme: str = "http", ip: str = "192.0.2.1") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(asgi, client=(ip, 4711))
    return httpx.AsyncClient(transport=transport, base_url=f"{scheme}://modelport.test")


@asynccontextmanager
async def serving(plane: ControlPlane) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(plane.public) as client:
        yield client
    plane.accounts.passwords.close()
    plane.context.database.close()


@dataclass
class Person:
    """One account, logged in."""

    api: httpx.AsyncClient
    email: str
    id: str
    access_token: str
    refresh_token: str

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"}

    async def make_key(self, **body: Any) -> dict[str, Any]:
        response = await self.api.post("/api/v1/api-keys", headers=self.bearer, json={"name": "ci", **body})
        assert response.status_code == 201, response.text
        key: dict[str, Any] = response.json()
        return key


async def register(api: httpx.AsyncClient, email: str = "ada@example.com") -> Person:
    made = await api.post("/api/v1/auth/register", json={"email": email, "password": PASSWORD})
    assert made.status_code == 201, made.text
    pair = await log_in(api, email)
    return Person(api, email, made.json()["id"], pair["access_token"], pair["refresh_token"])


async def log_in(api: httpx.AsyncClient, email: str, password: str = PASSWORD) -> dict[str, Any]:
    response = await api.post("/api/v1/auth/login", json={"email": email, "password": password})
    assert response.status_code == 200, response.text
    pair: dict[str, Any] = response.json()
    return pair


def make_admin(plane: ControlPlane, *people: Person) -> None:
    """Give them the role in the database, as no call has to allow it."""
    with plane.context.database.transaction() as session:
        ids = [person.id for person in people]
        session.execute(update(User).where(User.id.in_(ids)).values(is_admin=True))
