"""Work beside the requests: begun again when it breaks, ended with what it works for."""

import asyncio

import pytest
from modelport_process import background
from modelport_process.background import every, working
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


async def test_failing_work_is_logged_and_begun_again_and_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(background, "_AGAIN_SECONDS", 0.01)
    fragile, sound = Fragile(breaks=2), Fragile(breaks=0)
    with capture_logs() as logged:
        async with working([fragile.run, sound.run]):
            async with asyncio.timeout(60):
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


class Steps:
    """Raises what it is given, then sets `all_done`."""

    def __init__(self, *errors: Exception) -> None:
        self.calls = 0
        self.all_done = asyncio.Event()
        self._errors = iter(errors)

    async def step(self) -> None:
        self.calls += 1
        for error in self._errors:
            raise error
        self.all_done.set()


async def _run_until_done(steps: Steps, loop: asyncio.Task[None]) -> None:
    async with asyncio.timeout(60):
        await steps.all_done.wait()
    loop.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loop


async def test_a_step_that_fails_is_logged_and_tried_again() -> None:
    steps = Steps(ValueError("a"), OSError("b"))
    with capture_logs() as logged:
        await _run_until_done(
            steps, asyncio.create_task(every(0.001, steps.step, failed="no_luck", level="error", what="it"))
        )
    assert [(line["event"], line["log_level"], line["error"], line["what"]) for line in logged] == [
        ("no_luck", "error", "ValueError('a')", "it"),
        ("no_luck", "error", "OSError('b')", "it"),
    ]


async def test_what_is_not_expected_is_raised() -> None:
    steps = Steps(OSError("expected"), ValueError("not"))
    with pytest.raises(ValueError, match="not"):
        await every(0.001, steps.step, failed="no_luck", catches=OSError)
    assert steps.calls == 2


async def test_it_may_wait_first_and_reads_the_interval_each_time() -> None:
    steps, waits = Steps(), iter([0.001, 60.0])
    loop = asyncio.create_task(every(lambda: next(waits), steps.step, failed="no_luck", at_once=False))
    await _run_until_done(steps, loop)
    assert steps.calls == 1
    assert next(waits, None) is None
