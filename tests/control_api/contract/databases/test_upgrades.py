"""Data that the build before wrote, on both databases: every GET returns what that build returned."""

import tomllib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import httpx
import pytest
from modelport_control_api.db import base
from modelport_control_api.db.engine import build_engine
from modelport_control_api.migrations import upgrade as migrate
from modelport_control_api.monitoring import evaluator
from modelport_control_api.settings import Settings
from modelport_control_api.usage import retention
from modelport_standalone.local_cluster.saved_models import SavedModels
from sqlalchemy import MetaData, select

from tests.control_api.unit.models.fake_cluster import FakeCluster
from tests.control_api.unit.models.platform import Account, Platform, running_platform
from tests.support.control_api import INTERNAL_KEY
from tests.support.releases import stored
from tests.support.releases.addresses import addresses
from tests.support.releases.comparing import BY_THE_GATEWAY, difference, known_of
from tests.support.waiting import until

_ROOT = Path(__file__).parents[4]
_CENTURY_SECONDS = 100 * 365 * 86_400


@dataclass(frozen=True)
class Upgraded:
    """`url`: the migrated database; `folder` holds what else that build left."""

    recorded: stored.Recorded
    url: str
    folder: Path
    clock: "_Clock"

    @asynccontextmanager
    async def started(self, cluster: FakeCluster | None = None) -> AsyncIterator[Platform]:
        """The control API of today, on the cluster as that build left it unless given."""
        cluster = cluster or FakeCluster(_models_of(self.recorded.data))
        settings = Settings(
            database_url=self.url,  # type: ignore[arg-type]  # pydantic makes a SecretStr of it
            signing_keys_dir=self.recorded.data / "signing-keys",
            artifacts_url=str(self.recorded.data / "artifacts"),
            internal_key=INTERNAL_KEY,
            overwrite_outside_changes=True,
            access_token_seconds=_CENTURY_SECONDS,
        )
        async with running_platform(settings, self.folder, cluster) as platform:
            for name in cluster.objects:
                await platform.heard(name, bool)
            yield platform

    async def read(self, account: Account, address: str, before: dict[str, Any]) -> httpx.Response:
        """In the second in which that build read it."""
        self.clock.moment = datetime.fromisoformat(before["at"])
        return await account.http.get(address)

    async def log_in(self, platform: Platform, role: str) -> Account:
        person = self.recorded.people[role]
        body = {name: person[name] for name in ("email", "password")}
        async with platform.client() as http:
            tokens = (await http.post("/api/v1/auth/login", json=body)).raise_for_status().json()
        return Account(platform.client(Authorization=f"Bearer {tokens['access_token']}"))


@pytest.fixture(params=["sqlite", "postgres"])
def upgraded(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Upgraded:
    recorded = stored.unpack(request.param, tmp_path)
    clock = _Clock(recorded.at)
    for module in (base, evaluator):
        monkeypatch.setattr(module, "datetime", clock)
    monkeypatch.setattr(retention, "time", clock)
    if request.param == "sqlite":
        url = f"sqlite:///{recorded.data}/modelport.db"
    else:
        url = request.getfixturevalue("empty_postgres_url")
        _restore(url, recorded.dump)
    migrate.upgrade(url)
    return Upgraded(recorded, url, tmp_path, clock)


class _Clock:
    """Stands when the data was recorded: what is kept for days is kept until then, whenever this is run."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self, zone: tzinfo) -> datetime:
        return self.moment.astimezone(zone)

    def time(self) -> float:
        return self.moment.timestamp()


def _restore(url: str, dump: str) -> None:
    engine = build_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(dump.replace("%", "%%"))
    engine.dispose()


def _models_of(data: Path) -> dict[str, dict[str, Any]]:
    saved = SavedModels(data / "cluster" / "cluster.db")
    try:
        return {model["metadata"]["name"]: model for model in saved.load()}
    finally:
        saved.close()


@pytest.mark.parametrize("role", ["owner", "admin"])
async def test_every_get_returns_what_the_build_before_returned(upgraded: Upgraded, role: str) -> None:
    async with upgraded.started() as platform:
        account = await upgraded.log_in(platform, role)
        before = {
            address: response
            for address, response in upgraded.recorded.responses[role].items()
            if not address.startswith(BY_THE_GATEWAY)
        }
        now = {address: await upgraded.read(account, address, before[address]) for address in before}
    assert len(before) > 30
    different = {address: difference(address, before[address], now[address]) for address in before}
    assert {address: what for address, what in different.items() if what} == {}


async def test_gets_that_the_build_before_lacked_work_on_its_data(upgraded: Upgraded) -> None:
    async with upgraded.started() as platform:
        account = await upgraded.log_in(platform, "admin")
        listed = addresses(platform.plane.public.openapi(), known_of(upgraded.recorded))
        new = [
            address
            for address in listed
            if address not in upgraded.recorded.responses["admin"] and not address.startswith(BY_THE_GATEWAY)
        ]
        statuses = {address: (await account.http.get(address)).status_code for address in new}
    # No version of that build brought requirements, and nothing was computed of any. Quality is the owner's.
    nothing = {"sbom": {409}, "importance": {404, 409}, "quality": {200, 404}}
    wrong = {
        address: status
        for address, status in statuses.items()
        if status not in nothing.get(address.rpartition("/")[2], {200})
    }
    assert wrong == {}


async def test_a_second_start_changes_nothing(upgraded: Upgraded) -> None:
    async with upgraded.started() as platform:
        await _publish(platform)
        cluster = platform.cluster
    rows, published = dict(_rows(upgraded.url)), dict(cluster.objects)
    migrate.upgrade(upgraded.url)
    async with upgraded.started(cluster) as platform:
        await _publish(platform)
    assert cluster.objects == published
    assert dict(_rows(upgraded.url)) == rows


async def _publish(platform: Platform) -> None:
    """Return when each model has been compared with the cluster, which the start of the publisher does."""

    def applied() -> set[str]:
        return {model["metadata"]["name"] for model in platform.cluster.applies}

    platform.cluster.applies.clear()
    await platform.plane.models.publisher.resync()
    platform.plane.models.publisher.wake()
    await until(lambda: applied() >= platform.cluster.objects.keys())


async def test_an_upgrade_restarts_no_model(upgraded: Upgraded) -> None:
    """Another spec of a version is another deployment of it."""
    before = {name: model["spec"] for name, model in _models_of(upgraded.recorded.data).items()}
    async with upgraded.started() as platform:
        await _publish(platform)
        assert {name: model["spec"] for name, model in platform.cluster.objects.items()} == before


async def test_models_of_the_build_before_are_not_sticky_and_can_be_made_so(upgraded: Upgraded) -> None:
    async with upgraded.started() as platform:
        owner = await upgraded.log_in(platform, "owner")
        models = (await owner.http.get("/api/v1/models")).json()["items"]
        assert models
        assert {model["sticky"] for model in models} == {None}
        id_ = next(model["id"] for model in models if model["managed_by"] == "api")
        change = await owner.http.patch(f"/api/v1/models/{id_}", json={"sticky": "caller"})
        assert change.json()["sticky"] == "caller"
        await until(lambda: platform.cluster.objects[id_]["spec"].get("sticky") == "caller")


def _rows(url: str) -> Iterator[tuple[str, list[Any]]]:
    engine, tables = build_engine(url), MetaData()
    with engine.connect() as connection:
        tables.reflect(connection)
        for name, table in tables.tables.items():
            # What was last told of a model follows the cluster, in the background.
            if name == "told_states":
                continue
            yield name, sorted(map(repr, connection.execute(select(table))))
    engine.dispose()


def test_what_is_upgraded_from_is_the_release_before() -> None:
    """Once a version is out, users come from it: its data has to be recorded then."""
    version = tomllib.loads((_ROOT / "control-api" / "pyproject.toml").read_text())["project"]["version"]
    headings = [
        line.split()[1].strip("[]")
        for line in (_ROOT / "CHANGELOG.md").read_text().splitlines()
        if line.startswith("## ")
    ]
    released = [each for each in headings if each not in ("Unreleased", version)]
    wanted = released[0] if released else version
    assert stored.about(stored.newest())["version"] == wanted, (
        f"Version {wanted} is out: check it out with a .venv of its own, then run "
        "`python -m tests.support.releases.make CHECKOUT` (tests/fixtures/releases/README.md)"
    )
