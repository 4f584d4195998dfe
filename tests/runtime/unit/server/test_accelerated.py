"""Kernels answer, and the original behind them is asked in the background, over a real socket pair."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Sequence
from typing import cast

import pytest
from modelport_runtime import metrics, wire
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.signature import Signature
from modelport_runtime.core.types import Call, Failure, Prediction
from modelport_runtime.server.accelerated import Accelerated
from modelport_runtime.server.channel import Channel
from modelport_runtime.wire import BatchResult, Outcome, PredictBatch, Recheck, Rechecked

RAISES = b"raise"
RAISED = Failure(500, "The model raised", "the kernels' words", reason="ModelError")
WAIT_SECONDS = 30


class Kernels:
    """Stands for an engine: answers with the body, and raises where it is configured to."""

    signature = Signature("regressor", None, outputs=("prediction", "contributions"))

    def __init__(self) -> None:
        self.threads: list[str] = []

    def predict_many(self, calls: Sequence[Call]) -> list[Outcome]:
        self.threads.append(threading.current_thread().name)
        return [RAISED if call.body == RAISES else Prediction(b"kernels " + call.body) for call in calls]


class Original:
    """The far end of the socket pair, where the model process would be."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._frames = wire.Frames()

    async def hear(self) -> wire.ToModel:
        """Return the next message."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                data = await loop.sock_recv(self._connection, 1 << 16)
                for body in self._frames.feed(data):
                    return wire.decode_to_model(body)

    async def say(self, message: wire.FromModel) -> None:
        await asyncio.get_running_loop().sock_sendall(self._connection, wire.frame(message))

    async def is_silent(self) -> bool:
        await asyncio.sleep(0.05)
        try:
            return not self._connection.recv(1)
        except BlockingIOError:
            return True

    def end(self) -> None:
        self._connection.close()


class Behind:
    """Accelerated answers with a recheck at every third request."""

    def __init__(self, channel: Channel, original: Original) -> None:
        self.original = original
        self.kernels = Kernels()
        self.differed = asyncio.Event()
        self.accelerated = Accelerated(
            cast(Engine, self.kernels), channel, recheck_every=3, on_difference=self.differed.set
        )

    async def predict(self, *bodies: bytes) -> Sequence[Outcome]:
        done: asyncio.Future[Sequence[Outcome]] = asyncio.get_running_loop().create_future()
        self.accelerated.predict(
            [Call("native", body) for body in bodies], lambda outcomes, _: done.set_result(outcomes)
        )
        async with asyncio.timeout(WAIT_SECONDS):
            return await done


@pytest.fixture
async def behind() -> AsyncIterator[Behind]:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    channel = Channel(lambda news: None, lambda breach: behind.accelerated.give_up_the_original())
    await asyncio.get_running_loop().create_unix_connection(lambda: channel, sock=ours)
    behind = Behind(channel, Original(theirs))
    yield behind
    channel.close()
    theirs.close()


def skipped() -> float:
    return metrics.RECHECKS_SKIPPED._value.get()


async def test_one_request_in_so_many_is_compared_with_the_response_it_got(behind: Behind) -> None:
    assert await behind.predict(b"1", b"2") == [Prediction(b"kernels 1"), Prediction(b"kernels 2")]
    assert await behind.original.is_silent()

    await behind.predict(b"3")

    assert await behind.original.hear() == Recheck(Call("native", b"3"), Prediction(b"kernels 3"))
    await behind.original.say(Rechecked(1e-9))
    await behind.predict(b"4")
    assert not behind.differed.is_set()


async def test_a_difference_is_reported(behind: Behind) -> None:
    await behind.predict(b"1", b"2", b"3")
    await behind.original.hear()
    await behind.original.say(Rechecked(None))

    async with asyncio.timeout(WAIT_SECONDS):
        await behind.differed.wait()


async def test_a_busy_original_delays_nobody_and_is_not_called_again(behind: Behind) -> None:
    before = skipped()
    await behind.predict(b"1", b"2", b"3")
    await behind.original.hear()

    assert await behind.predict(b"4", b"5", b"6") == [
        Prediction(b"kernels " + body) for body in (b"4", b"5", b"6")
    ]

    assert await behind.original.is_silent()
    assert skipped() == before + 1


async def test_what_makes_kernels_raise_gets_the_response_of_the_original(behind: Behind) -> None:
    asked = asyncio.create_task(behind.predict(b"1", RAISES))
    assert await behind.original.hear() == PredictBatch([Call("native", RAISES)])
    original = Failure(500, "The model raised", "its own words", reason="ModelError")
    await behind.original.say(BatchResult([original], 0.1))

    assert await asked == [Prediction(b"kernels 1"), original]


async def test_an_original_that_ends_meanwhile_keeps_nobody_waiting(behind: Behind) -> None:
    asked = asyncio.create_task(behind.predict(b"1", RAISES))
    await behind.original.hear()
    behind.original.end()

    assert await asked == [Prediction(b"kernels 1"), RAISED]
    assert await behind.predict(RAISES) == [RAISED], "nobody is there to be asked"
    before = skipped()
    await behind.predict(b"1", b"2", b"3")
    assert skipped() == before + 1


async def test_a_large_body_does_not_hold_up_the_loop(behind: Behind) -> None:
    await behind.predict(b"1")
    await behind.predict(b"x" * 100_000)

    assert behind.kernels.threads == [threading.main_thread().name, "kernels"]


async def test_contributions_do_not_hold_up_the_loop(behind: Behind) -> None:
    await behind.predict(b'{"input": [1], "return": ["contributions"]}')

    assert behind.kernels.threads == ["kernels"]
