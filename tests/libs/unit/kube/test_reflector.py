"""A copy of the cluster's objects, whatever becomes of the watch."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from modelport_kube import reflector
from modelport_kube.kube import KubeError, Object, WatchEvent
from modelport_kube.reflector import ObjectKey, Reflector
from structlog.testing import capture_logs

Script = Sequence[WatchEvent | Exception]
SYNCED = WatchEvent("SYNCED", {})
GONE = KubeError("watch of /x: its place in history is gone")


def event(type_: Any, name: str, value: int = 0) -> WatchEvent:
    return WatchEvent(type_, {"metadata": {"namespace": "ns", "name": name}, "value": value})


class ScriptedWatch:
    """One script a call of `watch`; the last one stays open when it has been played."""

    def __init__(self, *scripts: Script) -> None:
        self.calls = 0
        self.played = asyncio.Event()
        self._scripts = scripts

    async def watch(self, kind: str, namespace: str | None) -> AsyncIterator[WatchEvent]:
        script = self._scripts[self.calls]
        self.calls += 1
        for each in script:
            if isinstance(each, Exception):
                raise each
            yield each
        if self.calls == len(self._scripts):
            self.played.set()
            await asyncio.Event().wait()


class Copy:
    def __init__(self) -> None:
        self.objects: dict[ObjectKey, int] = {}

    def put(self, obj: Object) -> None:
        self.objects["ns", obj["metadata"]["name"]] = obj["value"]

    def drop(self, key: ObjectKey) -> None:
        self.objects.pop(key, None)

    @property
    def by_name(self) -> dict[str, int]:
        return {name: value for (_, name), value in self.objects.items()}


class Played:
    def __init__(self) -> None:
        self.copy = Copy()
        self.breaks: list[Exception | None] = []
        self.states: list[dict[str, int]] = []
        self.live: list[float] = []


async def play(*scripts: Script) -> Played:
    played, watch = Played(), ScriptedWatch(*scripts)

    def on_break(error: Exception | None) -> None:
        played.breaks.append(error)
        played.states.append(played.copy.by_name)
        played.live.append(followed.live_for())

    followed = Reflector(watch, "Thing", None, played.copy, on_break=on_break)
    running = asyncio.create_task(followed.run())
    async with asyncio.timeout(60):
        await watch.played.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return played


@pytest.fixture(autouse=True)
def _without_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reflector, "_FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(reflector, "_LONGEST_PAUSE_SECONDS", 0.002)


async def test_it_follows_what_is_added_changed_and_deleted() -> None:
    played = await play(
        [event("ADDED", "a"), event("ADDED", "b"), SYNCED, event("MODIFIED", "a", 1), event("DELETED", "b")]
    )
    assert played.copy.by_name == {"a": 1}


async def test_what_was_deleted_during_a_break_goes_with_the_next_listing_and_not_before() -> None:
    played = await play(
        [event("ADDED", "a"), event("ADDED", "b"), SYNCED, GONE],
        [event("ADDED", "b", 2), KubeError("in the middle of the listing")],
        [event("ADDED", "b", 3), SYNCED],
    )
    assert played.states == [{"a": 0, "b": 0}, {"a": 0, "b": 2}]
    assert played.copy.by_name == {"b": 3}
    assert [str(error) for error in played.breaks] == [str(GONE), "in the middle of the listing"]
    assert played.live == [0.0, 0.0]


async def test_a_stream_that_just_ends_is_begun_again() -> None:
    played = await play([event("ADDED", "a"), SYNCED], [event("ADDED", "a", 1), SYNCED])
    assert played.breaks == [None]
    assert played.copy.by_name == {"a": 1}


@pytest.mark.parametrize("error", [OSError("reset"), TimeoutError(), RuntimeError("of any kind")])
async def test_no_error_ends_it(error: Exception) -> None:
    played = await play([error], [error], [event("ADDED", "a"), SYNCED])
    assert played.breaks == [error, error]
    assert played.copy.by_name == {"a": 0}


async def test_an_object_that_cannot_be_read_hides_no_other_and_keeps_what_was_known_of_it() -> None:
    unreadable = WatchEvent("MODIFIED", {"metadata": {"namespace": "ns", "name": "a"}})
    with capture_logs() as logged:
        played = await play([event("ADDED", "a", 1), SYNCED, unreadable, event("ADDED", "b", 2)])
    assert played.copy.by_name == {"a": 1, "b": 2}
    assert [(line["event"], line["name"]) for line in logged] == [("object_unreadable", "a")]


async def test_a_listing_that_no_watch_follows_does_not_shorten_the_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watch = ScriptedWatch(*[[SYNCED, GONE]] * 6, [SYNCED])
    followed = Reflector(watch, "Thing", None, Copy(), on_break=lambda _: None)
    running = asyncio.create_task(followed.run())
    async with asyncio.timeout(60):
        await watch.played.wait()
    assert followed._backoff.failures == 6
    assert followed.synced.is_set()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
