"""Ctrl-C or SIGTERM at any moment: a clean end, soon, with nothing running and nothing odd printed."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.standalone.integration.crashes.accounts import register, serve, telling_model
from tests.standalone.integration.crashes.killable import KillablePlatform, killable_platform, poll
from tests.support.nightly import at_night
from tests.support.slowness import slowness

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
_STOP_SECONDS = 6
_LONGEST_START_SECONDS = 3.0
_PARTS, _ROUNDS = at_night((1, 1), (5, 3))
# How CPython and asyncio complain of what was torn down carelessly.
_NOISE = ("Traceback", "was destroyed", "never awaited", "never retrieved", "Exception ignored", "leaked")


def ctrl_c(platform: KillablePlatform) -> None:
    """As a terminal does: to everybody in the foreground."""
    os.killpg(platform.running.pid, signal.SIGINT)


def terminate(platform: KillablePlatform) -> None:
    """As a service manager does: to the platform alone."""
    platform.running.send_signal(signal.SIGTERM)


Stop = Callable[[KillablePlatform], None]
both_ways = pytest.mark.parametrize("stop", [ctrl_c, terminate])


def assert_ends_cleanly(platform: KillablePlatform, stop: Stop, codes: set[int]) -> None:
    children = platform.children()
    began = time.monotonic()
    stop(platform)
    assert platform.running.wait(200) in codes, platform.stderr
    took = time.monotonic() - began
    print(f"ended within {took:.2f} s")
    poll(lambda: [child for child in children if child.alive], "its children are gone", 5)
    assert not [line for line in platform.stderr.splitlines() if any(word in line for word in _NOISE)]
    assert took < _STOP_SECONDS * slowness()


@both_ways
@pytest.mark.parametrize("part", range(_PARTS))
def test_during_the_start(stop: Stop, part: int) -> None:
    chance = random.Random(part)
    with killable_platform() as platform:
        platform.launch()
        # Before it takes its folder, the interpreter is still starting, and hears nobody.
        poll(lambda: not (platform.data / "lock").exists(), "it has begun")
        time.sleep((part + chance.random()) / _PARTS * _LONGEST_START_SECONDS)
        # Until the event loop hears it, SIGTERM ends the process as it ends any: nothing was started yet.
        assert_ends_cleanly(platform, stop, {0, 130} if stop is ctrl_c else {0, -signal.SIGTERM})


@pytest.mark.parametrize("stop", [ctrl_c, pytest.param(terminate, marks=pytest.mark.nightly)])
def test_with_models_and_during_uploads(stop: Stop) -> None:
    chance = random.Random(1)
    with killable_platform() as platform:
        account = register(platform.start().url)
        with account.client(platform.url) as client:
            serve(client, "served")
        for _ in range(_ROUNDS):
            uploads = [
                threading.Thread(target=upload_slowly, args=(platform.url, account.client)) for _ in "ab"
            ]
            for thread in uploads:
                thread.start()
            time.sleep(chance.uniform(0, 1))
            assert_ends_cleanly(platform, stop, {0})
            for thread in uploads:
                thread.join()
            assert not list((platform.data / "artifacts" / "incoming").iterdir())
            platform.start()
        assert_ends_cleanly(platform, stop, {0})
        assert not list(platform.sockets.iterdir())


def upload_slowly(url: str, open_client: Callable[[str], httpx.Client]) -> None:
    boundary = "boundary"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="m"\r\n\r\n'

    def body() -> Iterator[bytes]:
        yield head.encode()
        for byte in telling_model("slow"):
            yield bytes([byte])
            time.sleep(0.01)

    with open_client(url) as client:
        try:
            client.post(
                "/api/v1/models/upload",
                content=body(),
                headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
            )
        except httpx.TransportError:
            return
