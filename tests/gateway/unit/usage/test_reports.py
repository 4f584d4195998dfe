"""A gateway keeps what it counted until it is confirmed, and says what it had to forget."""

from modelport_gateway.usage.counter import UsageCounter
from modelport_gateway.usage.evidence import EvidenceCounter
from modelport_gateway.usage.observed import ObservedPredictions
from modelport_gateway.usage.reports import SampleQueue, UsageReports

from tests.gateway.unit.usage.test_counter import Clock, count
from tests.support.gateway_harness import KeptUsage

# For what must be done in the end, on a busy machine too.
AMPLE_SECONDS = 250.0


class Gateway:
    def __init__(self, max_lines: int = 100_000) -> None:
        self.clock = Clock()
        self.counter = UsageCounter(max_lines, self.clock)
        self.samples = SampleQueue(max_bytes=100)
        self.sink = KeptUsage()
        self.evidence = EvidenceCounter(100)
        self.reports = UsageReports(
            self.counter, self.samples, self.sink, self.evidence, ObservedPredictions(100), clock=self.clock
        )

    def respond(self, caller: str = "ada") -> None:
        count(self.counter, caller, self.clock)

    async def turns(self, number: int) -> None:
        for _ in range(number):
            self.clock.now += 1
            await self.reports.turn()

    def sent(self) -> dict[str, int]:
        """Each batch counted once, however often it came."""
        return {batch.id: sum(line.requests for line in batch.lines) for batch in self.sink.batches}


async def test_what_is_confirmed_is_sent_once() -> None:
    gateway = Gateway()
    gateway.respond()
    await gateway.turns(100)
    assert [batch.id for batch in gateway.sink.batches] == list(gateway.sent())
    assert sum(gateway.sent().values()) == 1


async def test_what_is_not_confirmed_is_sent_again_ever_less_often_and_at_last_forgotten() -> None:
    gateway = Gateway()
    gateway.sink.confirms = False
    gateway.respond()
    await gateway.turns(300)
    assert 5 <= len(gateway.sink.batches) <= 9
    assert len(gateway.sent()) == 1
    gateway.sink.confirms = True
    await gateway.turns(60)
    before = len(gateway.sink.batches)
    await gateway.turns(120)
    assert len(gateway.sink.batches) == before


async def test_while_nobody_takes_usage_it_adds_up_in_few_lines() -> None:
    gateway = Gateway(max_lines=100)
    gateway.sink.away = True
    for _ in range(600):
        gateway.respond()
        await gateway.turns(1)
    gateway.sink.away = False
    await gateway.turns(20)
    assert sum(gateway.sent().values()) == 600
    assert sum(batch.dropped for batch in gateway.sink.batches) == 0


async def test_what_had_to_be_dropped_is_reported_once() -> None:
    gateway = Gateway(max_lines=10)
    gateway.sink.away = True
    gateway.respond("first")
    await gateway.turns(1)
    for number in range(25):
        gateway.respond(f"user-{number}")
    gateway.sink.away = False
    await gateway.turns(20)
    dropped = {batch.id: batch.dropped for batch in gateway.sink.batches}
    assert sum(dropped.values()) + sum(gateway.sent().values()) == 26
    assert sum(dropped.values()) == 15


async def test_at_the_stop_everything_is_sent_or_given_up_in_time() -> None:
    gateway = Gateway()
    for number in range(40_000):
        gateway.respond(f"user-{number}")
    await gateway.reports.finish(AMPLE_SECONDS)
    assert sum(gateway.sent().values()) == 40_000
    gateway.sink.away = True
    gateway.respond()
    await gateway.reports.finish(0.1)


async def test_what_was_taken_and_lost_is_sent_again_before_the_stop() -> None:
    gateway = Gateway()
    gateway.sink.confirms = False
    gateway.respond()
    await gateway.turns(1)
    gateway.sink.batches.clear()
    gateway.sink.confirms = True
    await gateway.reports.finish(AMPLE_SECONDS)
    assert sum(gateway.sent().values()) == 1


async def test_samples_go_in_envelopes_and_those_too_many_are_forgotten() -> None:
    gateway = Gateway()
    for _ in range(3):
        gateway.samples.put("history", b"x" * 40)
    await gateway.turns(2)
    assert [sample.payload for sample in gateway.sink.samples] == [b"x" * 40] * 2
    gateway.sink.away = True
    gateway.samples.put("drift", b"lost")
    await gateway.turns(1)
    gateway.sink.away = False
    await gateway.turns(1)
    assert len(gateway.sink.samples) == 2
