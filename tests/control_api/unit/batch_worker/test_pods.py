"""Asking real sockets: pods that die, that are busy, that come back, and that hold too long."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from modelport_control_api.batch_worker import pod_client as pods_module
from modelport_control_api.batch_worker.error_rows import Predicted, Rejected
from modelport_control_api.batch_worker.pod_client import Pods

Prediction = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


class Pod:
    """A server on a unix socket; `answer` gets the body and the connection. `most`: requests at once."""

    def __init__(self, path: Path) -> None:
        self.address = f"unix:{path}"
        self._path = path
        self.answer: Prediction = predict
        self.bodies: list[bytes] = []
        self.now = self.most = 0

    async def start(self) -> asyncio.Server:
        return await asyncio.start_unix_server(self._serve, self._path)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                body = await reader.readexactly(size)
                self.bodies.append(body)
                self.now += 1
                self.most = max(self.most, self.now)
                try:
                    await self.answer(body, writer)
                finally:
                    self.now -= 1
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


async def predict(body: bytes, writer: asyncio.StreamWriter, status: str = "200 OK") -> None:
    await asyncio.sleep(0.01)
    rows = body.partition(b"[")[2].count(b",") + 1
    text = b'{"predictions":[%b]}' % b",".join([b"1"] * rows)
    writer.write(b"HTTP/1.1 %b\r\ncontent-length: %d\r\n\r\n%b" % (status.encode(), len(text), text))
    await writer.drain()


async def die(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.close()


@pytest.fixture
async def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pod]:
    monkeypatch.setattr(pods_module, "_PAUSE_SECONDS", 0.01)
    made = Pod(tmp_path / "pod.sock")
    server = await made.start()
    yield made
    server.close()


@pytest.fixture
async def pods(pod: Pod) -> AsyncIterator[Pods]:
    made = Pods(requests_per_pod=3, request_seconds=0.5)
    await made.update([pod.address])
    yield made
    await made.aclose()


async def _predict(pods: Pods, rows: int = 2) -> object:
    inputs = b"[" + b",".join([b"1"] * rows) + b"]"
    async with asyncio.timeout(60):
        return await pods.pod_client(probabilities=False).predict(inputs, rows)


async def test_a_pod_has_a_few_requests_at_once_and_no_more(pods: Pods, pod: Pod) -> None:
    results = await asyncio.gather(*(_predict(pods) for _ in range(12)))
    assert results == [Predicted([1, 1])] * 12
    assert pod.most == 3


async def test_a_busy_pod_is_called_again(pods: Pods, pod: Pod) -> None:
    async def busy_at_first(body: bytes, writer: asyncio.StreamWriter) -> None:
        await predict(body, writer, "503 Busy" if len(pod.bodies) < 3 else "200 OK")

    pod.answer = busy_at_first
    assert await _predict(pods) == Predicted([1, 1])


async def test_only_the_rows_that_end_a_pod_alone_are_blamed(pods: Pods, pod: Pod) -> None:
    async def die_of_three(body: bytes, writer: asyncio.StreamWriter) -> None:
        if body.count(b"1") != 3:
            # Until one that is in flight beside it has died.
            await asyncio.sleep(0.05)
            if pod.now > 1:
                await die(body, writer)
                return
        await (die if body.count(b"1") == 3 else predict)(body, writer)

    pod.answer = die_of_three
    innocent, guilty, other = await asyncio.gather(_predict(pods, 2), _predict(pods, 3), _predict(pods, 4))
    assert innocent == Predicted([1, 1])
    assert other == Predicted([1, 1, 1, 1])
    assert isinstance(guilty, Rejected)


async def test_a_row_alone_has_a_second_chance(pods: Pods, pod: Pod) -> None:
    pod.answer = die
    result = await _predict(pods, 1)
    assert isinstance(result, Rejected)
    assert len(pod.bodies) == 3


async def test_rows_that_take_too_long_are_given_up(pods: Pods, pod: Pod) -> None:
    async def hold(_: bytes, __: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    pod.answer = hold
    result = await _predict(pods)
    assert isinstance(result, Rejected)
    assert "longer" in result.message


async def test_who_waits_for_a_pod_gets_the_next_one(pods: Pods, pod: Pod) -> None:
    await pods.update([])
    asking = asyncio.create_task(_predict(pods))
    await asyncio.sleep(0.05)
    assert not asking.done()
    await pods.update([pod.address])
    assert await asking == Predicted([1, 1])


async def test_how_many_rows_can_be_explained_at_once_is_learned(pods: Pods, pod: Pod) -> None:
    async def refuse(_: bytes, writer: asyncio.StreamWriter) -> None:
        text = b'{"status":422,"title":"Too many","errors":[{"field":"return","message":"too much"}]}'
        writer.write(b"HTTP/1.1 422 No\r\ncontent-length: %d\r\n\r\n%b" % (len(text), text))

    pod.answer = refuse
    client = pods.pod_client(probabilities=False, contributions=True)
    assert isinstance(await client.predict(b"[1,1,1,1]", 4), Rejected)
    assert pod.bodies == [b'{"inputs":[1,1,1,1],"return":["prediction","contributions"]}']
    assert pods.most_explained_rows == 2
    assert isinstance(await client.predict(b"[1]", 1), Rejected)
    assert pods.most_explained_rows == 2
