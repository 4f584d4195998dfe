"""The worker: batches form while the model is busy, callers that left are dropped, the queue is bounded."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any, cast

import pytest
from modelport_runtime.batching import QueueFull, Worker
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.types import Answer, Call, Failure


class HeldModel:
    """A model that stays busy until it is let go, and remembers its batches."""

    def __init__(self) -> None:
        self.busy = threading.Event()
        self.let_go = threading.Event()
        self.batches: list[list[bytes]] = []

    def predict_many(self, calls: Sequence[Call]) -> list[Answer | Failure]:
        self.batches.append([call.body for call in calls])
        self.busy.set()
        assert self.let_go.wait(30)
        if b"exit" in self.batches[-1]:
            raise SystemExit(0)
        return [Answer(call.body) for call in calls]


def call(body: bytes) -> Call:
    return Call("native", body)


@pytest.fixture
def model() -> HeldModel:
    return HeldModel()


@pytest.fixture
def worker(model: HeldModel) -> Worker:
    worker = Worker(lambda: cast(Engine, model), max_queue=3, max_batch=2, stuck_after=0)
    worker.start()
    return worker


async def keep_busy(worker: Worker, model: HeldModel) -> asyncio.Future[Any]:
    first = worker.submit(call(b"first"))
    await asyncio.to_thread(model.busy.wait, 30)
    return first


async def test_requests_that_arrive_while_the_model_is_busy_go_together(
    worker: Worker, model: HeldModel
) -> None:
    waiting = [await keep_busy(worker, model), *(worker.submit(call(body)) for body in (b"a", b"b", b"c"))]
    model.let_go.set()

    results = await asyncio.gather(*waiting)

    assert [cast(Answer, result.outcome).body for result in results] == [b"first", b"a", b"b", b"c"]
    assert model.batches == [[b"first"], [b"a", b"b"], [b"c"]]


async def test_a_call_whose_caller_has_gone_never_reaches_the_model(worker: Worker, model: HeldModel) -> None:
    first = await keep_busy(worker, model)
    gone, stays = worker.submit(call(b"gone")), worker.submit(call(b"stays"))
    gone.cancel()
    model.let_go.set()

    await asyncio.gather(first, stays)

    assert model.batches == [[b"first"], [b"stays"]]


async def test_a_full_queue_refuses(worker: Worker, model: HeldModel) -> None:
    waiting = [await keep_busy(worker, model), *(worker.submit(call(b"x")) for _ in range(3))]

    with pytest.raises(QueueFull):
        worker.submit(call(b"one too many"))

    model.let_go.set()
    await asyncio.gather(*waiting)


async def test_a_model_that_exits_while_predicting_fails_that_call_only(
    worker: Worker, model: HeldModel
) -> None:
    model.let_go.set()

    exited = (await worker.submit(call(b"exit"))).outcome
    after = (await worker.submit(call(b"after"))).outcome

    assert isinstance(exited, Failure)
    assert (exited.status, exited.reason) == (500, "ModelError")
    assert "SystemExit" in (exited.trace or "")
    assert after == Answer(b"after")


async def test_a_model_that_works_for_nobody_is_stuck_until_it_ends(worker: Worker, model: HeldModel) -> None:
    assert not worker.is_stuck()
    first = await keep_busy(worker, model)
    assert not worker.is_stuck(), "somebody waits for it"

    first.cancel()

    assert worker.is_stuck()
    model.let_go.set()
    await worker.submit(call(b"after"))
    assert not worker.is_stuck()
