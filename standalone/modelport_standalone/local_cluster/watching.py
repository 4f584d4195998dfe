"""Notifying watchers of changes: nothing is lost, and a slow watcher holds one event an object at most."""

import asyncio
import copy
from collections.abc import AsyncIterator, Iterable
from typing import Literal

from modelport_kube.kube import Object, WatchEvent

Change = Literal["ADDED", "MODIFIED", "DELETED"]


class Watcher:
    """The events of one `watch` call that its consumer has not taken yet.

    Changes of one object that wait are merged into one: a consumer acts on how things are, so only the last
    state matters. They are distinguished by uid, so an object made again under its name is another one.
    """

    def __init__(self, kind: str, namespace: str | None) -> None:
        self._kind = kind
        self._namespace = namespace
        self._waiting: dict[str, tuple[Change, Object]] = {}
        self._woken = asyncio.Event()

    def covers(self, obj: Object) -> bool:
        return obj["kind"] == self._kind and self._namespace in (None, obj["metadata"]["namespace"])

    def notify(self, change: Change, obj: Object) -> None:
        """Queue a change, merged with one of the same object that waits: ADDED, then DELETED, is none."""
        uid = obj["metadata"]["uid"]
        before = self._waiting.pop(uid, None)
        if before is not None and before[0] == "ADDED":
            if change == "DELETED":
                return
            change = "ADDED"
        self._waiting[uid] = (change, obj)
        self._woken.set()

    async def events(self, there: Iterable[Object]) -> AsyncIterator[WatchEvent]:
        """`there`: what existed when the watcher was registered."""
        for obj in there:
            yield WatchEvent("ADDED", copy.deepcopy(obj))
        yield WatchEvent("SYNCED", {})
        while True:
            await self._woken.wait()
            self._woken.clear()
            while self._waiting:
                change, obj = self._waiting.pop(next(iter(self._waiting)))
                yield WatchEvent(change, copy.deepcopy(obj))
