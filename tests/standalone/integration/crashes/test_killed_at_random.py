"""kill -9 of the whole platform, at any moment: what it confirmed is there afterward, and nothing half."""

import json
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import httpx
import pytest

from tests.standalone.integration.crashes.accounts import ROW, Account, register
from tests.standalone.integration.crashes.authors import Author, State
from tests.standalone.integration.crashes.killable import KillablePlatform, killable_platform, poll
from tests.standalone.integration.crashes.processes import Child
from tests.standalone.integration.crashes.remains import check_whole
from tests.support.nightly import at_night

_KILLS = at_night(2, 10)
_LONGEST_DELAY_SECONDS = 1.5
_AUTHORS = 2
_KILLED_FIRST_STARTS = at_night(1, 6)
_LONGEST_START_SECONDS = 4.0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_whatever_was_confirmed_outlives_kills_at_random_moments() -> None:
    chance = _chance()
    with killable_platform() as platform:
        account = register(platform.start().url)
        authors = [
            Author(f"author{number}", register(platform.url), random.Random(chance.random()))
            for number in range(_AUTHORS)
        ]
        for round_ in range(_KILLS):
            began = time.monotonic()
            with _working(authors, platform.url):
                time.sleep(chance.uniform(0, _LONGEST_DELAY_SECONDS))
                orphans = platform.kill()
            _kill_while_starting(platform, chance.uniform(0, _LONGEST_DELAY_SECONDS))
            platform.start()
            poll(partial(_alive, orphans), "the old runtimes are gone", 10)
            for author in authors:
                _check(platform, author)
            check_whole(platform)
            _check_account(platform, account)
            print(f"round {round_}: {[a.changes for a in authors]} changes, {time.monotonic() - began:.1f} s")
        assert platform.stop() == 0
        assert not [wrong for author in authors for wrong in author.wrong]
        assert "Traceback" not in platform.stderr


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_first_start_that_is_killed_again_and_again_succeeds_in_the_end() -> None:
    chance = _chance()
    with killable_platform() as platform:
        for _ in range(_KILLED_FIRST_STARTS):
            _kill_while_starting(platform, chance.uniform(0.5, _LONGEST_START_SECONDS))
        platform.start()
        poll(lambda: "Modelport is up" not in platform.stdout, "it says that it is up")
        check_whole(platform)
        admin = json.loads((platform.data / "admin.json").read_text())
        response = httpx.post(f"{platform.url}/api/v1/auth/login", json=admin, timeout=60)
        assert response.status_code == 200, response.text
        key = json.loads((platform.data / "keys.json").read_text())["cli"]
        listed = httpx.get(f"{platform.url}/api/v1/models", headers={"X-API-Key": key}, timeout=60)
        assert listed.raise_for_status().json()["items"] == []
        assert platform.stop() == 0


def _chance() -> random.Random:
    seed = int(os.environ.get("MODELPORT_TEST_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"MODELPORT_TEST_SEED={seed}")
    return random.Random(seed)


@contextmanager
def _working(authors: list[Author], url: str) -> Iterator[None]:
    stop = threading.Event()
    threads = [threading.Thread(target=author.work, args=(url, stop)) for author in authors]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _kill_while_starting(platform: KillablePlatform, after_seconds: float) -> None:
    platform.launch()
    time.sleep(after_seconds)
    platform.kill()


def _alive(children: list[Child]) -> list[Child]:
    return [child for child in children if child.alive]


def _check(platform: KillablePlatform, author: Author) -> None:
    with author.account.client(platform.url) as client:
        state = author.settle(client.get("/api/v1/models").raise_for_status().json()["items"])
        for gone in author.deleted:
            assert client.get(f"/api/v1/models/{gone}").status_code == 404
            assert client.post(f"/predict/{gone}", json={"input": ROW}).status_code == 404
        author.deleted.clear()
        if state is None:
            return

        def find_fault() -> object:
            model = client.get(f"/api/v1/models/{author.model_id}", params={"wait": 5}).json()
            assert model["status"] != "failed", model
            return None if (model["status"], model["traffic"]) == ("ready", state.traffic) else model

        poll(find_fault, f"{author.model_id} serves {state.traffic}")
    _check_predictions(platform, author, state)


def _check_predictions(platform: KillablePlatform, author: Author, state: State) -> None:
    """Right at once or, while the runtimes start again, 503."""
    with author.account.caller(platform.url) as caller:
        for version in state.traffic:
            path = f"/predict/{author.model_id}/versions/{version}"
            poll(partial(_predict, caller, path, state.tags[version]), f"{path} answers")
        response = caller.post(f"/predict/{author.model_id}", json={"input": ROW}).raise_for_status().json()
        assert response["version"] in state.traffic
        assert response["prediction"] == state.tags[response["version"]]


def _predict(caller: httpx.Client, path: str, expected: str) -> str:
    response = caller.post(path, json={"input": ROW})
    if response.status_code == 503:
        assert "Retry-After" in response.headers
        return response.text
    assert response.status_code == 200, response.text
    assert response.json()["prediction"] == expected
    return ""


def _check_account(platform: KillablePlatform, account: Account) -> None:
    """What was given out before the first kill is good after the last."""
    with account.client(platform.url) as client, account.caller(platform.url) as caller:
        assert client.get("/api/v1/auth/me").status_code == 200
        assert caller.post("/predict/no-such-model", json={"input": ROW}).status_code == 404
