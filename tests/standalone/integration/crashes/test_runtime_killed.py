"""A model process dies or hangs while users call it: right response or honest error, soon a right one."""

import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from tests.standalone.integration.crashes.accounts import ROW, Account, register, serve
from tests.standalone.integration.crashes.killable import KillablePlatform, killable_platform, poll
from tests.standalone.integration.crashes.processes import Child

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
_CLIENTS = 20


@dataclass(frozen=True)
class Harness:
    """Two models of one account, and the process of the one that will suffer."""

    platform: KillablePlatform
    account: Account
    victim: str
    other: str
    bystander: Child

    def victims_process(self) -> Child:
        (child,) = {child for child in self.platform.children() if child.is_runtime} - {self.bystander}
        return child


@dataclass
class Answers:
    """What many clients got for one model: statuses, and whatever was not as it must be."""

    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def take(self, response: httpx.Response, expected: str, allowed: set[int]) -> None:
        self.statuses[response.status_code] += 1
        right = response.status_code == 200 and response.json()["prediction"] == expected
        honest = response.status_code in allowed and response.json()["status"] == response.status_code
        if response.status_code == 503 and "Retry-After" not in response.headers:
            honest = False
        if not right and not honest:
            self.wrong.append(f"{response.status_code} {response.headers} {response.text}")


@pytest.fixture(scope="module")
def harness() -> Iterator[Harness]:
    with killable_platform() as platform:
        account = register(platform.start().url)
        with account.client(platform.url) as client:
            other = serve(client, "other")
            (bystander,) = (child for child in platform.children() if child.is_runtime)
            victim = serve(client, "victim")
        yield Harness(platform, account, victim, other, bystander)


def test_a_killed_runtime_is_back_at_once_and_nobody_gets_a_wrong_response(harness: Harness) -> None:
    with calling(harness, harness.victim, "victim", {503}) as responses:
        poll(lambda: not responses.statuses[200], "the model answers")
        killed = harness.victims_process()
        killed.kill()
        began = time.monotonic()
        poll(lambda: killed.alive, "it is gone")
        # What is counted from here on was answered by another process.
        poll(lambda: find_fault(harness, harness.victim), "the model answers again")
        print(f"back after {time.monotonic() - began:.2f} s: {dict(responses.statuses)}")
    assert not responses.wrong
    assert not killed.alive
    assert set(responses.statuses) <= {200, 503}


def test_a_hanging_runtime_costs_its_callers_a_504_and_nobody_else_anything(harness: Harness) -> None:
    with harness.account.client(harness.platform.url) as client:
        client.patch(f"/api/v1/models/{harness.victim}", json={"timeout_seconds": 1}).raise_for_status()
    hanging = harness.victims_process()
    with (
        calling(harness, harness.victim, "victim", {503, 504}) as hung,
        calling(harness, harness.other, "other", set(), clients=2) as others,
    ):
        poll(lambda: not hung.statuses[200], "the model answers")
        hanging.send(signal.SIGSTOP)
        try:
            poll(lambda: hung.statuses[504] < _CLIENTS, "every caller learns that it took too long")
            before = others.statuses[200]
            poll(lambda: others.statuses[200] <= before, "the other model goes on answering", 10)
        finally:
            hanging.send(signal.SIGCONT)
        poll(lambda: find_fault(harness, harness.victim), "the model answers again")
        print(f"hung: {dict(hung.statuses)}, the other model: {dict(others.statuses)}")
    assert not hung.wrong
    assert not others.wrong


@contextmanager
def calling(
    harness: Harness, model_id: str, expected: str, allowed: set[int], clients: int = _CLIENTS
) -> Iterator[Answers]:
    """Call from many clients at once, again and again, until the end of the block."""
    responses, stop = Answers(), threading.Event()

    def predict() -> None:
        with harness.account.caller(harness.platform.url) as caller:
            while not stop.wait(0.02):
                responses.take(caller.post(f"/predict/{model_id}", json={"input": ROW}), expected, allowed)

    threads = [threading.Thread(target=predict) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield responses
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def find_fault(harness: Harness, model_id: str) -> str:
    with harness.account.caller(harness.platform.url) as caller:
        response = caller.post(f"/predict/{model_id}", json={"input": ROW})
        return "" if response.status_code == 200 else response.text
