"""redis-py can lose a cancellation (see `modelport_process.background`): endless work ends all the same."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from modelport_control_api.usage.consumer import UsageConsumer
from modelport_gateway.usage import reports

from tests.gateway.unit.usage.test_reports import Gateway


class Losing:
    """Awaits forever, and answers when it is first cancelled, as `asyncio.wait_for` of Python 3.11 may."""

    def __init__(self, answer: Any) -> None:
        self.entered = asyncio.Event()
        self._answer = answer
        self._lost = False

    async def __call__(self, *_: Any) -> Any:
        self.entered.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if self._lost:
                raise
            self._lost = True
            return self._answer


async def ends(run: Callable[[], Awaitable[None]], losing: Losing) -> bool:
    task = asyncio.ensure_future(run())
    await asyncio.wait_for(losing.entered.wait(), 60)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=60)
    task.cancel()
    return bool(done)


async def test_a_gateway_that_stops_while_it_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "_EVERY_SECONDS", 0.01)
    gateway, losing = Gateway(), Losing(set())
    gateway.respond()
    monkeypatch.setattr(gateway.sink, "send", losing)
    assert await ends(gateway.reports.run, losing)


async def test_a_gateway_whose_last_reports_come_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway, losing = Gateway(), Losing(set())
    gateway.respond()
    monkeypatch.setattr(gateway.sink, "send", losing)
    async with asyncio.timeout(60):
        await gateway.reports.finish(0.1)


async def test_a_control_api_that_stops_while_it_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer, losing = UsageConsumer("redis://192.0.2.1", None), Losing([])  # type: ignore[arg-type]  # unused
    monkeypatch.setattr(consumer._stream, "read", losing)
    assert await ends(consumer.run, losing)
