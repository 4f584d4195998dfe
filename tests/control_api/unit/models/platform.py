"""A control API over real SQLite and a real artifact folder, with a cluster that the test plays."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from modelport_control_api import outbox
from modelport_control_api.accounts.auth.accounts import ensure_admin
from modelport_control_api.db.base import utc_now
from modelport_control_api.process.app import ControlPlane, build
from modelport_control_api.registry.tables import ModelRow
from modelport_control_api.settings import Settings
from modelport_control_api.signing_keys import rotation
from modelport_process import internal_key
from modelport_store.memory_store import MemoryStore
from modelport_store.store import Limit
from sqlalchemy import update

from tests.control_api.unit.models.fake_cluster import READY, FakeCluster
from tests.support.control_api import INTERNAL_KEY, spare_the_disk
from tests.support.waiting import until

PASSWORD = "Correct-Horse-7"
MANY = Limit(100_000, 60)


@dataclass
class Account:
    """`http` sends its access token."""

    http: httpx.AsyncClient

    async def upload(self, content: bytes, name: str = "Iris", **fields: str) -> httpx.Response:
        return await self.http.post(
            "/api/v1/models/upload", files={"file": ("model", content)}, data={"name": name, **fields}
        )

    async def upload_version(self, model_id: str, content: bytes, **fields: str) -> httpx.Response:
        url = f"/api/v1/models/{model_id}/versions"
        return await self.http.post(url, files={"file": ("model", content)}, data=fields)


@dataclass
class Platform:
    plane: ControlPlane
    cluster: FakeCluster
    root: Path

    def client(self, **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.plane.public)
        return httpx.AsyncClient(transport=transport, base_url="http://platform", headers=headers)

    def internal(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.plane.internal)
        headers = internal_key.show(INTERNAL_KEY)
        return httpx.AsyncClient(transport=transport, base_url="http://internal", headers=headers)

    async def account(self, name: str) -> Account:
        credentials = {"email": f"{name}@example.com", "password": PASSWORD}
        async with self.client() as http:
            registered = await http.post("/api/v1/auth/register", json=credentials)
            assert registered.status_code == 201, registered.text
        return await self.log_in(name)

    async def log_in(self, name: str) -> Account:
        credentials = {"email": f"{name}@example.com", "password": PASSWORD}
        async with self.client() as http:
            tokens = (await http.post("/api/v1/auth/login", json=credentials)).json()
        return Account(self.client(Authorization=f"Bearer {tokens['access_token']}"))

    def settle(self) -> None:
        """As if the last change lay so far back that every watch must have seen it."""
        with self.plane.context.database.transaction() as session:
            session.execute(update(ModelRow).values(updated_at=utc_now() - timedelta(minutes=1)))
        assert self.plane.models.statuses._reflector._live_since is not None
        self.plane.models.statuses._reflector._live_since -= 60

    async def heard(self, model_id: str, heard: Callable[[Any], bool]) -> None:
        """Wait until the control API knows of the model what `heard` says of its MLModel, or None."""
        await until(lambda: heard(self.plane.models.statuses.get(model_id)))

    async def admin(self) -> Account:
        context = self.plane.context
        ensure_admin(context.database, self.plane.accounts.passwords, "root@example.com", PASSWORD)
        return await self.log_in("root")

    async def published(self, model_id: str, *versions: str) -> None:
        """Wait until all `versions` have been published to the cluster."""

        def reported() -> bool:
            spec = self.cluster.objects.get(model_id, {}).get("spec", {"versions": []})
            return {version["name"] for version in spec["versions"]} >= set(versions)

        await until(reported)

    async def nothing_waits(self) -> None:
        """Wait until every change is published and known to be: the publisher may be at it already."""

        def done() -> bool:
            with self.plane.context.database.transaction(read_only=True) as session:
                return not outbox.pending(session)

        await until(done)

    async def serve(self, model_id: str, traffic: dict[str, int], **versions: Any) -> None:
        """Play the operator, and wait until the control API has heard of it."""
        facts = versions or dict.fromkeys(traffic, READY)
        await self.published(model_id, *facts)
        self.cluster.set_status(model_id, traffic=traffic, **facts)

        def heard() -> bool:
            live = self.plane.models.statuses.get(model_id)
            served = {target.version: target.weight for target in live.status.traffic} if live else None
            return served == traffic and all(live and live.status.version(name) for name in facts)

        await until(heard)

    def stored(self) -> list[str]:
        return sorted(path.name for path in (self.root / "artifacts" / "sha256").rglob("*") if path.is_file())

    def incoming(self) -> list[Path]:
        return list((self.root / "artifacts" / "incoming").iterdir())


def settings_at(root: Path, database_url: str, **changed: Any) -> Settings:
    """`database_url` is migrated."""
    keys = root / "keys"
    rotation.create_first(keys)
    values: dict[str, Any] = {
        "database_url": database_url,
        "signing_keys_dir": keys,
        "artifacts_url": str(root / "artifacts"),
        "internal_key": INTERNAL_KEY,
        "bcrypt_rounds": 4,
        "limit_register": MANY,
        "limit_login": MANY,
        "limit_upload": MANY,
        **changed,
    }
    return Settings(**values)


@asynccontextmanager
async def running_platform(
    settings: Settings, root: Path, cluster: FakeCluster | None = None
) -> AsyncIterator[Platform]:
    cluster = cluster or FakeCluster()
    plane = build(settings, store=MemoryStore(), cluster=cluster)
    spare_the_disk(plane.context.database.engine)
    async with plane.running():
        yield Platform(plane, cluster, root)


ORIGIN = "http://localhost"


async def sign_in(platform: Platform, name: str) -> httpx.AsyncClient:
    """A browser of this user, signed in by the form."""
    transport = httpx.ASGITransport(app=platform.plane.public)
    client = httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"Origin": ORIGIN})
    form = {"email": f"{name}@example.com", "password": PASSWORD}
    assert (await client.post("/ui/login", data=form)).status_code == 303
    return client
