"""Which models wait for a pass. A model waits once however often it is named, and is never in two passes."""

import asyncio
from collections import OrderedDict

from modelport_operator.shell.metrics import QUEUE_DEPTH
from modelport_operator.shell.reconcile import Key


class WorkQueue:
    """`take` gives a key that no one else holds; `done` gives it back. Named meanwhile, it comes again."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[Key, None] = OrderedDict()
        self._held: set[Key] = set()
        self._again: set[Key] = set()
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._something = asyncio.Event()
        self._none_held = asyncio.Event()
        self._none_held.set()
        self._closed = False

    def add(self, key: Key) -> None:
        """Queue the key once; if it is held, when it is released. Nothing happens after `close`."""
        if self._closed:
            return
        if key in self._held:
            self._again.add(key)
            return
        self._waiting[key] = None
        self._notify()

    def add_after(self, key: Key, seconds: float) -> None:
        """Add it later. The earlier of two such times counts."""
        if self._closed:
            return
        loop = asyncio.get_running_loop()
        timer = self._timers.get(key)
        if timer is not None and timer.when() <= loop.time() + seconds:
            return
        if timer is not None:
            timer.cancel()
        self._timers[key] = loop.call_later(seconds, self._on_time, key)

    async def take(self) -> Key:
        """Wait for the key queued first, and hold it until `done`. After `close` it never returns."""
        while not self._waiting:
            self._something.clear()
            await self._something.wait()
        key, _ = self._waiting.popitem(last=False)
        self._held.add(key)
        self._none_held.clear()
        self._notify()
        return key

    def done(self, key: Key) -> None:
        """Release the key; it is queued again if it was added meanwhile."""
        self._held.discard(key)
        if not self._held:
            self._none_held.set()
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def close(self) -> None:
        """Hand out no key any more: forget those that wait, and take no new ones."""
        self._closed = True
        self._waiting.clear()
        self._again.clear()
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        QUEUE_DEPTH.set(0)

    async def drained(self) -> None:
        """Return when no key is held."""
        await self._none_held.wait()

    def _on_time(self, key: Key) -> None:
        del self._timers[key]
        self.add(key)

    def _notify(self) -> None:
        QUEUE_DEPTH.set(len(self._waiting))
        self._something.set()
