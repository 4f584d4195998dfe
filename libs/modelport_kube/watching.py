"""A list followed by a watch, as one stream; a stream that has gone silent is noticed."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec

from modelport_kube.calls import Call, Calls, Query, refusal
from modelport_kube.kube import KubeError, Object, WatchEvent

_PAGE = 500
# The server ends each stream after this long, so that connections spread over its replicas again.
_STREAM_SECONDS = (240, 300)
# It sends a bookmark each minute or so even when nothing happens: more silence means a dead connection.
_SILENCE_SECONDS = 100.0
# A server (or a proxy before it) that ends streams at once must not be called without a pause.
_SHORT_STREAM_SECONDS = 1.0
_EXPIRED = 410


class _Expired(Exception):
    """What happened since is no longer known (410): list again."""


async def watch_collection(calls: Calls, path: str, selector: Query) -> AsyncIterator[WatchEvent]:
    """ADDED…, SYNCED, then changes. Raises `KubeError` when it breaks: start again, with the listing."""
    items, version = await list_collection(calls, path, selector)
    for item in items:
        yield WatchEvent("ADDED", item)
    yield WatchEvent("SYNCED", {})
    while True:
        began = time.monotonic()
        try:
            async for event in _stream(calls, path, {**selector, "resourceVersion": version}):
                version = event.object["metadata"]["resourceVersion"]
                # A bookmark only moves our place in history forward.
                if event.type != "BOOKMARK":
                    yield WatchEvent(event.type, event.object)  # type: ignore[arg-type]
        except _Expired as error:
            raise KubeError(f"watch of {path}: its place in history is gone") from error
        if time.monotonic() - began < _SHORT_STREAM_SECONDS:
            await asyncio.sleep(_SHORT_STREAM_SECONDS)


async def list_collection(calls: Calls, path: str, selector: Query) -> tuple[list[Object], str]:
    """Return all objects, and the `resourceVersion` of the collection. Raises `KubeError`."""
    items: list[Object] = []
    query: dict[str, Any] = {**selector, "limit": _PAGE}
    while True:
        page = await calls.object(Call("GET", path, query))
        if page is None:
            raise KubeError(f"GET {path}: the cluster does not know this kind; is the CRD installed?")
        items += page.get("items") or []
        if not (token := page["metadata"].get("continue")):
            return items, page["metadata"]["resourceVersion"]
        query["continue"] = token


class _WireEvent(msgspec.Struct):
    type: str
    object: dict[str, Any]


async def _stream(calls: Calls, path: str, query: Query) -> AsyncIterator[_WireEvent]:
    """Ends when the server ends it."""
    seconds = random.randint(*_STREAM_SECONDS)  # noqa: S311 - spreads load, guards nothing
    options: Query = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": seconds}
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=_SILENCE_SECONDS)
    try:
        response = await calls.open(Call("GET", path, {**query, **options}), timeout=timeout)
        try:
            if response.status >= 400:
                _raise_for(response.status, path, await response.read())
            async for line in response.content:
                yield _read_event(path, line)
        finally:
            response.close()
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise KubeError(f"watch of {path}: {error!r}") from error


def _read_event(path: str, line: bytes) -> _WireEvent:
    try:
        event = msgspec.json.decode(line, type=_WireEvent)
    except msgspec.DecodeError as error:
        raise KubeError(f"watch of {path}: cut off") from error
    if event.type == "ERROR":
        _raise_for(int(event.object.get("code", 500)), path, msgspec.json.encode(event.object))
    return event


def _raise_for(status: int, path: str, raw: bytes) -> None:
    if status == _EXPIRED:
        raise _Expired
    raise refusal(status, f"watch of {path}", raw)
