"""Work beside the requests: begun again when it breaks, ended with what it works for."""

import asyncio

import pytest
from modelport_process import background
from modelport_process.background import working
from structlog.testing import capture_logs


class Fragile:
    def __init__(self, breaks: int) -> None:
        self.begun = 0
        self.going_on = asyncio.Event()
        self.ended = False
        self._breaks = breaks

    async def run(self) -> None:
        self.begun += 1
        if self.begun <= self._breaks:
            raise RuntimeError("of a kind that nobody expected")
        self.going_on.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended = True


async def test_what_breaks_is_told_and_begun_again_and_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(background, "_AGAIN_SECONDS", 0.01)
    fragile, sound = Fragile(breaks=2), Fragile(breaks=0)
    with capture_logs() as logged:
        async with working([fragile.run, sound.run]):
            async with asyncio.timeout(5):
                await fragile.going_on.wait()
    assert (fragile.begun, sound.begun) == (3, 1)
    assert fragile.ended
    assert sound.ended
    assert [(line["log_level"], line["work"]) for line in logged] == [("error", "Fragile.run")] * 2


async def test_it_ends_while_it_waits_to_begin_again() -> None:
    fragile = Fragile(breaks=100)
    async with asyncio.timeout(2), working([fragile.run]):
        await asyncio.sleep(0.05)
    assert fragile.begun == 1
