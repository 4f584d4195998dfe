"""A canary: shares of traffic as asked for, over callers who are each faithful to one version."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from tests.e2e.accounts import Person, register, save
from tests.support.models import iris_logistic_named
from tests.support.waiting import eventually

pytestmark = pytest.mark.e2e

REQUESTS = 2_000


@pytest.fixture(scope="module")
def canary(platform: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Person, str]]:
    folder = tmp_path_factory.mktemp("canary")
    person = register(platform.url, folder)
    path = save(iris_logistic_named().model, folder / "iris.joblib")
    model_id = person.upload(path, "--name", "canary")["id"]
    limit = {"rate_limit": {"requests": 1_000_000, "period_seconds": 1}}
    person.http().patch(f"/api/v1/models/{model_id}", json=limit).raise_for_status()
    person.upload(path, "--to", model_id, "--no-traffic")
    person.cli("traffic", model_id, "v1=90", "v2=10")
    eventually(lambda: person.model(model_id)["traffic"] == {"v1": 90, "v2": 10})
    yield person, model_id
    person.cli("delete", model_id, "--yes")


async def predict(person: Person, model_id: str, sessions: list[str]) -> list[str]:
    """The version that answered each session, in order."""
    places = asyncio.Semaphore(20)
    body = {"input": [5.1, 3.5, 1.4, 0.2]}
    headers = {"Authorization": f"Bearer {person.token}"}

    async with aiohttp.ClientSession(person.url, headers=headers) as client:

        async def one(session: str) -> str:
            async with (
                places,
                client.post(
                    f"/predict/{model_id}", json=body, headers={"X-Modelport-Session": session}
                ) as response,
            ):
                assert response.status == 200, await response.text()
                return response.headers["X-Modelport-Version"]

        return await asyncio.gather(*(one(session) for session in sessions))


async def test_shares_are_within_three_percent_of_the_weights(canary: tuple[Person, str]) -> None:
    versions = Counter(await predict(*canary, [f"session-{number}" for number in range(REQUESTS)]))
    assert abs(versions["v1"] / REQUESTS - 0.9) <= 0.03, versions
    assert abs(versions["v2"] / REQUESTS - 0.1) <= 0.03, versions


async def test_a_session_stays_with_its_version_on_every_gateway(canary: tuple[Person, str]) -> None:
    for session in ("one", "two", "three", "four", "five"):
        assert len(set(await predict(*canary, [session] * 20))) == 1
