"""The queue: batches form while the model is busy, callers that left are dropped, the queue is bounded."""

import asyncio
from typing import Any

import pytest
from modelport_runtime.core.types import Call, Prediction
from modelport_runtime.server.batching import Batcher, Done, QueueFull

MAX_BYTES = 100


class HeldModel:
    """A model that stays busy until it is let go, and remembers its batches."""

    max_batch_bytes = MAX_BYTES
    ahead_bytes: int | None = None

    def __init__(self) -> None:
        self.busy = asyncio.Event()
        self.batches: list[list[bytes]] = []
        self._held: Done | None = None
        self._holds = True

    def predict(self, calls: list[Call], done: Done) -> None:
        self.batches.append([call.body for call in calls])
        self.busy.set()
        self._held = done
        if not self._holds:
            self._respond()

    def let_go(self) -> None:
        self._holds = False
        self._respond()

    def _respond(self) -> None:
        assert self._held is not None
        self._held([Prediction(body) for body in self.batches[-1]], 0.0)


class QueuedCall:
    """A call in the queue; `response` is set by its outcome."""

    def __init__(self, batcher: Batcher, body: bytes) -> None:
        self.response: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.call = Call("native", body)
        self.gone = False
        batcher.submit(self)

    def end(self, outcome: Any, seconds: float) -> None:
        self.response.set_result(outcome.body)


@pytest.fixture
def model() -> HeldModel:
    return HeldModel()


@pytest.fixture
def batcher(model: HeldModel) -> Batcher:
    batcher = Batcher(max_queue=3, max_batch=2, stuck_after=0)
    batcher.use(model)
    return batcher


async def keep_busy(batcher: Batcher, model: HeldModel) -> QueuedCall:
    first = QueuedCall(batcher, b"first")
    await model.busy.wait()
    return first


async def responses(*queued: QueuedCall) -> list[bytes]:
    async with asyncio.timeout(180):
        return await asyncio.gather(*(one.response for one in queued))


async def test_requests_that_arrive_while_the_model_is_busy_go_together(
    batcher: Batcher, model: HeldModel
) -> None:
    queued = [await keep_busy(batcher, model), *(QueuedCall(batcher, body) for body in (b"a", b"b", b"c"))]
    model.let_go()

    assert await responses(*queued) == [b"first", b"a", b"b", b"c"]
    assert model.batches == [[b"first"], [b"a", b"b"], [b"c"]]


async def test_requests_of_one_turn_of_the_loop_go_together(batcher: Batcher, model: HeldModel) -> None:
    queued = [QueuedCall(batcher, body) for body in (b"a", b"b")]
    await model.busy.wait()
    model.let_go()

    await responses(*queued)

    assert model.batches == [[b"a", b"b"]]


async def test_bodies_that_are_too_many_bytes_together_go_apart(batcher: Batcher, model: HeldModel) -> None:
    queued = [
        QueuedCall(batcher, b"x" * 60),
        QueuedCall(batcher, b"y" * 60),
        QueuedCall(batcher, b"z" * 2 * MAX_BYTES),
    ]
    await model.busy.wait()
    model.let_go()

    await responses(*queued)

    assert [[body[:1] for body in batch] for batch in model.batches] == [[b"x"], [b"y"], [b"z"]]


async def test_a_call_whose_caller_has_gone_never_reaches_the_model(
    batcher: Batcher, model: HeldModel
) -> None:
    first = await keep_busy(batcher, model)
    gone, stays = QueuedCall(batcher, b"gone"), QueuedCall(batcher, b"stays")
    gone.gone = True
    model.let_go()

    await responses(first, stays)

    assert model.batches == [[b"first"], [b"stays"]]
    assert not gone.response.done()


async def test_a_full_queue_refuses(batcher: Batcher, model: HeldModel) -> None:
    queued = [await keep_busy(batcher, model), *(QueuedCall(batcher, b"x") for _ in range(3))]

    with pytest.raises(QueueFull):
        QueuedCall(batcher, b"one too many")

    model.let_go()
    await responses(*queued)


async def test_one_response_that_cannot_be_given_takes_no_other_along(
    batcher: Batcher, model: HeldModel
) -> None:
    class Broken(QueuedCall):
        def end(self, outcome: Any, seconds: float) -> None:
            raise RuntimeError

    Broken(batcher, b"broken")
    other = QueuedCall(batcher, b"other")
    await model.busy.wait()
    model.let_go()

    assert await responses(other) == [b"other"]
    assert await responses(QueuedCall(batcher, b"after")) == [b"after"]


async def test_a_model_that_works_for_nobody_is_stuck_until_it_ends(
    batcher: Batcher, model: HeldModel
) -> None:
    assert not batcher.is_stuck()
    first = await keep_busy(batcher, model)
    assert not batcher.is_stuck(), "somebody waits for it"

    first.gone = True

    assert batcher.is_stuck()
    model.let_go()
    await responses(QueuedCall(batcher, b"after"))
    assert not batcher.is_stuck()


class Ahead:
    """A model that is asked ahead, and answers its batches one by one."""

    max_batch_bytes = MAX_BYTES
    ahead_bytes = 50

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []
        self.held: list[Done] = []

    def predict(self, calls: list[Call], done: Done) -> None:
        self.batches.append([call.body for call in calls])
        self.held.append(done)

    async def respond_first(self) -> None:
        self.held.pop(0)(
            [Prediction(body) for body in self.batches[len(self.batches) - len(self.held) - 1]], 0.0
        )
        await asyncio.sleep(0)


async def test_one_large_request_is_sent_ahead_and_small_ones_wait_for_each_other() -> None:
    model = Ahead()
    batcher = Batcher(max_queue=9, max_batch=9, stuck_after=0)
    batcher.use(model)
    large = [bytes([number]) * 60 for number in range(4)]
    queued = []
    for body in (large[0], b"small", large[1], large[2], large[3]):
        queued.append(QueuedCall(batcher, body))
        await asyncio.sleep(0)
    assert model.batches == [[large[0]]]

    await model.respond_first()
    assert model.batches[1:] == [[b"small", large[1]]]
    await asyncio.sleep(0)
    queued.append(QueuedCall(batcher, b"late"))
    await asyncio.sleep(0)
    assert model.batches[2:] == [[large[2]]]

    await model.respond_first()
    assert model.batches[3:] == [[large[3], b"late"]]
    assert [each.response.done() for each in queued] == [True, True, True, False, False, False]
    await model.respond_first()
    await model.respond_first()
    assert [each.response.result() for each in queued] == [
        large[0], b"small", *large[1:], b"late"
    ]  # fmt: skip
