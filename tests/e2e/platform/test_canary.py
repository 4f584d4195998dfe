"""A canary: every caller gets the shares asked for, unless the model has sessions stay on one version."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import pytest

from tests.e2e.accounts import Person, register, save
from tests.support.models import iris_logistic_named
from tests.support.open_loop import UNLIMITED
from tests.support.waiting import eventually

pytestmark = pytest.mark.e2e

REQUESTS = 2_000


@pytest.fixture(scope="module")
def canary(platform: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Person, str]]:
    folder = tmp_path_factory.mktemp("canary")
    person = register(platform.url, folder)
    path = save(iris_logistic_named().model, folder / "iris.joblib")
    model_id = person.upload(path, "--name", "canary")["id"]
    person.http().patch(f"/api/v1/models/{model_id}", json=UNLIMITED).raise_for_status()
    person.upload(path, "--to", model_id, "--no-traffic")
    person.cli("traffic", model_id, "v1=90", "v2=10")
    eventually(lambda: person.model(model_id)["traffic"] == {"v1": 90, "v2": 10})
    yield person, model_id
    person.cli("delete", model_id, "--yes")


async def predict(person: Person, model_id: str, sessions: list[str]) -> list[str]:
    """The version that answered each request, in order; a session of "" is none."""
    places = asyncio.Semaphore(20)
    body = {"input": [5.1, 3.5, 1.4, 0.2]}
    authorization = {"Authorization": f"Bearer {person.token}"}

    async with aiohttp.ClientSession(person.url, headers=authorization) as client:

        async def one(session: str) -> str:
            headers = {"X-Modelport-Session": session} if session else {}
            async with places, client.post(f"/predict/{model_id}", json=body, headers=headers) as response:
                assert response.status == 200, await response.text()
                return response.headers["X-Modelport-Version"]

        return await asyncio.gather(*(one(session) for session in sessions))


@contextmanager
def sticky(person: Person, model_id: str, setting: str) -> Iterator[None]:
    """While the model has it; gateways hear of it within moments."""
    person.cli("update", model_id, "--sticky", setting)
    try:
        yield
    finally:
        person.cli("update", model_id, "--sticky", "off")


def check_shares(versions: list[str]) -> None:
    counts = Counter(versions)
    assert abs(counts["v1"] / REQUESTS - 0.9) <= 0.03, counts
    assert abs(counts["v2"] / REQUESTS - 0.1) <= 0.03, counts


@pytest.mark.parametrize("session", ["", "one"])
async def test_one_caller_gets_the_shares_within_three_percent_of_the_weights(
    canary: tuple[Person, str], session: str
) -> None:
    check_shares(await predict(*canary, [session] * REQUESTS))


async def test_sessions_get_the_shares_and_each_stays_with_its_version_on_every_gateway(
    canary: tuple[Person, str],
) -> None:
    with sticky(*canary, "session"):
        await until_sticky(canary)
        check_shares(await predict(*canary, [f"session-{number}" for number in range(REQUESTS)]))
        for session in ("one", "two", "three", "four", "five"):
            assert len(set(await predict(*canary, [session] * 20))) == 1


async def test_a_caller_who_names_no_session_stays_with_one_version(canary: tuple[Person, str]) -> None:
    with sticky(*canary, "caller"):
        await until_sticky(canary, "")
        assert len(set(await predict(*canary, [""] * 100))) == 1


async def until_sticky(canary: tuple[Person, str], session: str = "probe") -> None:
    """Every gateway has heard: so many requests are never drawn alike by chance."""
    for _ in range(20):
        if len(set(await predict(*canary, [session] * REQUESTS))) == 1:
            return
    pytest.fail("the gateways still draw each request")
