"""Control APIs on SQLite, on PostgreSQL, and on both in turn."""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx
    from modelport_control_api.process.app import ControlPlane

    from tests.support.control_api import Person


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file: copying it is faster than migrating for each test."""
    from modelport_control_api.migrations import upgrade as migrate

    file = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    migrate.upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    file = tmp_path / "control-api.db"
    shutil.copyfile(sqlite_template, file)
    return f"sqlite:///{file}"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A test that takes this runs on both databases."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def control_plane(sqlite_url: str, tmp_path: Path) -> "ControlPlane":
    from tests.support.control_api import build_control_plane

    return build_control_plane(sqlite_url, tmp_path)


@pytest.fixture
async def api(control_plane: "ControlPlane") -> AsyncIterator["httpx.AsyncClient"]:
    from tests.support.control_api import serving

    async with serving(control_plane) as client:
        yield client


@pytest.fixture
async def ada(api: "httpx.AsyncClient") -> "Person":
    from tests.support.control_api import register

    return await register(api, "ada@example.com")


@pytest.fixture
async def bob(api: "httpx.AsyncClient") -> "Person":
    from tests.support.control_api import register

    return await register(api, "bob@example.com")


@pytest.fixture
def forget_wheel() -> Iterator[Callable[[], None]]:
    """For tests with another client, which is looked up once a process. Call it where that changes again."""
    from modelport_control_api.http.client_wheel import wheel_name

    wheel_name.cache_clear()
    yield wheel_name.cache_clear
    wheel_name.cache_clear()
