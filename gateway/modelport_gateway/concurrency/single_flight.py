"""Identical work that is wanted by many at once is done once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")


class _Flight(Generic[T]):
    __slots__ = ("joined", "task")

    def __init__(self) -> None:
        self.joined: set[asyncio.Future[T]] = set()
        """Those who wait beside the one who does the work."""
        self.task: asyncio.Task[None] | None = None
        """Does the work when who began it has left."""


class SingleFlight(Generic[T]):
    """The first caller does the work; those that come meanwhile wait for it.

    Should the first leave while others wait, the work begins once more, in a task of its own: it must be work
    that may be done twice. That is rare, and a task for each request is what it saves. The task is cancelled
    when nobody waits for it any more.
    """

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight[T]] = {}

    async def run(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """Return the result (or raise the error) of the one call of `work` under `key` that is in flight."""
        flight = self._flights.get(key)
        if flight is not None:
            return await self._join(key, flight)
        flight = self._flights[key] = _Flight()
        try:
            return await self._fly(key, flight, work)
        except asyncio.CancelledError:
            if flight.joined:
                flight.task = asyncio.create_task(self._fly_for_others(key, flight, work))
            else:
                self._land(key, flight)
            raise

    async def _fly(self, key: Hashable, flight: _Flight[T], work: Callable[[], Awaitable[T]]) -> T:
        try:
            result = await work()
        except Exception as error:
            self._land(key, flight)
            for waiter in flight.joined:
                if not waiter.done():
                    waiter.set_exception(error)
            raise
        self._land(key, flight)
        for waiter in flight.joined:
            if not waiter.done():
                waiter.set_result(result)
        return result

    async def _fly_for_others(
        self, key: Hashable, flight: _Flight[T], work: Callable[[], Awaitable[T]]
    ) -> None:
        try:
            # The error goes to those that wait; there is nobody else.
            with suppress(Exception):
                await self._fly(key, flight, work)
        except asyncio.CancelledError:
            self._land(key, flight)
            for waiter in flight.joined:
                waiter.cancel()
            raise

    async def _join(self, key: Hashable, flight: _Flight[T]) -> T:
        waiter: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        flight.joined.add(waiter)
        try:
            return await waiter
        finally:
            flight.joined.discard(waiter)
            if not flight.joined and flight.task is not None:
                # It has ended, or nobody is left who wants it to.
                self._land(key, flight)
                flight.task.cancel()

    def _land(self, key: Hashable, flight: _Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
