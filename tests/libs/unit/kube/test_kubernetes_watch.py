"""A watch that breaks in every way that an API server and a network know, and says so each time."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from modelport_kube import watching
from modelport_kube.kube import KubeError, WatchEvent

from tests.libs.unit.kube.fake_api_server import (
    Answer,
    bookmark,
    cut_off,
    event,
    failing,
    listing,
    serving,
    streaming,
)


async def taken(events: AsyncIterator[WatchEvent], count: int) -> list[tuple[str, str]]:
    async with asyncio.timeout(60):
        got = [await anext(events) for _ in range(count)]
    return [(each.type, each.object.get("metadata", {}).get("name", "")) for each in got]


async def test_what_is_there_comes_first_in_as_many_pages_as_it_takes_then_what_changes() -> None:
    pages = (listing("a", token="more"), listing("b", version="10"))
    async with serving(*pages, streaming(event("MODIFIED", "a", "11"))) as (fake, kube):
        got = await taken(kube.watch("MLModel", "models"), 4)
        assert got == [("ADDED", "a"), ("ADDED", "b"), ("SYNCED", ""), ("MODIFIED", "a")]
        first, second, watch = fake.queries()
    assert first == {"limit": "500"}
    assert second == {"limit": "500", "continue": "more"}
    assert watch["resourceVersion"] == "10"
    assert watch["allowWatchBookmarks"] == "true"


async def test_a_stream_that_the_server_ends_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_SHORT_STREAM_SECONDS", 0.05)
    streams = (
        streaming(event("ADDED", "b", "11"), bookmark("20")),
        streaming(event("DELETED", "b", "21")),
    )
    async with serving(listing("a"), *streams) as (fake, kube):
        got = await taken(kube.watch("MLModel", "models"), 4)
        assert got[2:] == [("ADDED", "b"), ("DELETED", "b")]
        # The bookmark counts, though nothing is reported of it.
        assert [query.get("resourceVersion") for query in fake.queries()] == [None, "10", "20"]


async def test_an_event_of_any_size_is_one_event() -> None:
    large = event("MODIFIED", "a", "11", spec={"sample": "x" * 1_400_000})
    async with serving(listing(), streaming(large, event("MODIFIED", "b", "12"))) as (_, kube):
        assert await taken(kube.watch("MLModel", "models"), 3) == [
            ("SYNCED", ""),
            ("MODIFIED", "a"),
            ("MODIFIED", "b"),
        ]


async def silent(_request: web.Request) -> None:
    await asyncio.sleep(30)


gone = b'{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old"}}\n'
broken = b'{"type":"ERROR","object":{"kind":"Status","code":500,"message":"etcd is away"}}\n'


@pytest.mark.parametrize(
    ("stream", "said"),
    [
        (streaming(gone), "history is gone"),
        (failing(410, "too old resource version"), "history is gone"),
        (streaming(broken), "500 etcd is away"),
        (failing(500, "etcd is away"), "500 etcd is away"),
        (failing(403, "not for you"), "403 not for you"),
        (streaming(event("ADDED", "b", "11")[:20], then=cut_off), "watch of"),
        (streaming(event("ADDED", "b", "11")[:20]), "cut off"),
        (streaming(b"<html>\n"), "cut off"),
        (streaming(then=silent), "Timeout"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_watch_that_breaks_says_so(
    stream: Answer, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_SILENCE_SECONDS", 0.2)
    async with serving(listing("a"), stream) as (_, kube):
        events = kube.watch("MLModel", "models")
        await taken(events, 2)
        with pytest.raises(KubeError, match=said):
            await taken(events, 1)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (failing(404), "does not know this kind"),
        (failing(500, "etcd is away"), "etcd is away"),
        (failing(410, "continue token expired"), "expired"),
    ],
)
async def test_a_listing_that_fails_says_so(page: Answer, said: str) -> None:
    async with serving(listing("a", token="more"), page) as (_, kube):
        with pytest.raises(KubeError, match=said):
            await kube.list("MLModel", "models")


async def test_only_objects_of_models_are_watched_where_a_cluster_has_plenty_of_others() -> None:
    async with serving(listing(), streaming(then=silent)) as (fake, kube):
        await taken(kube.watch("EndpointSlice", None), 1)
        assert fake.queries()[0]["labelSelector"] == "serving.modelport.dev/model"
        assert fake.received[0].path == "/apis/discovery.k8s.io/v1/endpointslices"
