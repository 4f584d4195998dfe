"""What only the awaiting client has: tasks that share it, and the code that it is generated as."""

import asyncio
import threading
import time

import pytest
from modelport import AsyncModelport, Modelport, Unauthorized, credentials

from client.generate_async import generated
from tests.client.unit.answers import ONE, USER, model, tokens
from tests.client.unit.platform import Answer, Asked, Platform, problem
from tests.client.unit.test_sessions import ME, REFRESH, RotatingSession, keep_session


def test_it_is_generated_from_the_blocking_one() -> None:
    stale = [path.name for path, text in generated() if path.read_text(encoding="utf-8") != text]
    assert not stale, "make docs"


def names(client: object) -> set[str]:
    return {name for name in dir(client) if not name.startswith("_")}


async def test_it_has_every_name_of_the_blocking_one(platform: Platform) -> None:
    async with AsyncModelport(platform.url, "k") as awaiting:
        with Modelport(platform.url, "k") as blocking:
            assert names(awaiting) == names(blocking)
            for group in ("models", "versions", "keys", "jobs", "predictions", "account"):
                assert names(getattr(awaiting, group)) == names(getattr(blocking, group))


async def test_requests_of_tasks_are_in_flight_at_once(platform: Platform) -> None:
    together = asyncio.Barrier(3)
    loop = asyncio.get_running_loop()

    def meet(_asked: object) -> Answer:
        asyncio.run_coroutine_threadsafe(together.wait(), loop).result(10)
        return Answer(200, ONE)

    for number in range(3):
        platform.on(f"POST /predict/m{number}", meet)
    async with AsyncModelport(platform.url, "k") as client:
        answers = await asyncio.gather(*(client.predict(f"m{number}", {}) for number in range(3)))
    assert [answer.prediction for answer in answers] == ["setosa"] * 3


@pytest.mark.parametrize("kept", [True, False])
async def test_tasks_use_a_refresh_token_once(platform: Platform, kept: bool) -> None:
    session = RotatingSession(platform)
    platform.on("POST /api/v1/auth/login", Answer(200, tokens(1, expires_in=1)))
    if kept:
        keep_session(platform.url, time.time())
    async with AsyncModelport(platform.url) as client:
        if not kept:
            await client.account.login("ada@example.com", "pw")
        users = await asyncio.gather(*(client.me() for _ in range(16)))
    assert len(users) == 16
    assert (session.newest, session.reused) == (2, False)


async def test_a_task_cancelled_during_a_renewal_stops_no_other(platform: Platform) -> None:
    session = RotatingSession(platform)
    renewing = threading.Event()

    def renew(asked: Asked) -> Answer:
        renewing.set()
        return session.refresh(asked)

    platform.on(REFRESH, renew)
    keep_session(platform.url, time.time())
    async with AsyncModelport(platform.url) as client:
        cancelled = asyncio.create_task(client.me())
        await asyncio.to_thread(renewing.wait, 10)
        cancelled.cancel()
        user = await asyncio.wait_for(client.me(), 60)
    assert cancelled.cancelled()
    assert (user.email, session.newest, session.reused) == (USER["email"], 2, False)


async def test_a_session_that_is_over_is_forgotten(platform: Platform) -> None:
    platform.on(REFRESH, problem(401, "The refresh token is revoked."))
    platform.on(ME, Answer(200, USER))
    keep_session(platform.url, time.time())
    async with AsyncModelport(platform.url) as client:
        with pytest.raises(Unauthorized, match="session has ended"):
            await client.me()
    assert credentials.load(platform.url) is None


async def test_a_wait_that_is_cancelled_ends_at_once(platform: Platform) -> None:
    platform.on("GET /api/v1/models/m", Answer(200, model("pending")))
    async with AsyncModelport(platform.url, "k") as client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.models.wait("m"), 0.5)
