"""Counts every request once. On the hot path it only notes the latency; what is alike is added up later."""

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator

from modelport_telemetry.usage.latency import EDGES, LAST_BUCKET
from modelport_telemetry.usage.wire import UsageLine

from modelport_gateway.metrics import USAGE_DROPPED
from modelport_gateway.outcome import Outcome

_Key = tuple[str, str, str, str, int, str, str]
"""Model, version, caller, API key, status, reason, cache: `UsageLine`'s order."""

_Lines = dict[_Key, dict[int, int]]
"""Of one minute: for each key, latency bucket → requests."""


class UsageCounter:
    """At most `max_lines` wait to be taken: of what would need another one it is only counted how much.

    `clock`: seconds since 1970, for the minute that a request belongs to.
    """

    def __init__(self, max_lines: int, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._noted: dict[_Key, list[float]] = {}
        """What came since the last `fold`, all of one minute."""
        self._minute = 0
        self._minute_ends = float("-inf")
        self._minutes: dict[int, _Lines] = {}
        self._room = max_lines
        self._dropped = 0

    def count(self, outcome: Outcome, seconds: float, *, ended: float) -> None:
        """Count one request; as for `UsageLine`.

        `seconds`: from its first byte to its response, which was at `ended` on `time.perf_counter`.
        """
        if ended >= self._minute_ends:
            self._begin_minute(ended)
        route, version, caller = outcome.route, outcome.version, outcome.caller
        key = (
            # The path's own id could be anything: a client must not choose what the ledger holds.
            route.public_id if route is not None else "",
            version.name if version is not None else "",
            caller.user_id if caller is not None else "",
            caller.key_id if caller is not None else "",
            outcome.status,
            outcome.reason,
            outcome.cache,
        )
        noted = self._noted.get(key)
        if noted is None:
            self._noted[key] = [seconds]
        else:
            noted.append(seconds)

    def fold(self) -> None:
        """Add up what was noted. To be called about once a second: until then each request takes memory."""
        noted, self._noted = self._noted, {}
        lines = self._minutes.setdefault(self._minute, {}) if noted else {}
        for key, latencies in noted.items():
            if key in lines:
                add_latencies(lines[key], latencies)
            elif self._room:
                self._room -= 1
                lines[key] = {}
                add_latencies(lines[key], latencies)
            else:
                self._dropped += len(latencies)
                USAGE_DROPPED.inc(len(latencies))

    def take(self, max_lines: int) -> tuple[list[UsageLine], int]:
        """Return and forget up to `max_lines` of the oldest lines, and how many requests were dropped."""
        taken = [
            UsageLine(minute, *key, sum(latencies.values()), latencies)
            for minute, key, latencies in self._take(max_lines)
        ]
        dropped, self._dropped = self._dropped, 0
        return taken, dropped

    def waiting(self) -> int:
        """How many requests are counted here and were not taken yet."""
        self.fold()
        return sum(sum(each.values()) for lines in self._minutes.values() for each in lines.values())

    def _take(self, max_lines: int) -> Iterator[tuple[int, _Key, dict[int, int]]]:
        self.fold()
        for minute in sorted(self._minutes):
            lines = self._minutes[minute]
            while lines and max_lines:
                key = next(iter(lines))
                max_lines -= 1
                self._room += 1
                yield minute, key, lines.pop(key)
            if not lines:
                del self._minutes[minute]

    def _begin_minute(self, now: float) -> None:
        self.fold()
        # Read once a minute: a clock that is set meanwhile counts from the next minute on.
        clock = self._clock()
        self._minute = int(clock // 60)
        self._minute_ends = now + 60 - clock % 60


def add_latencies(counts: dict[int, int], latencies: list[float]) -> None:
    """Add latencies in seconds to counts by bucket; they are sorted then.

    So a bucket's are found at once: cheaper than to look up each one's bucket.
    """
    latencies.sort()
    begin = 0
    while begin < len(latencies):
        bucket = bisect_left(EDGES, latencies[begin])
        end = bisect_right(latencies, EDGES[bucket], begin) if bucket < LAST_BUCKET else len(latencies)
        counts[bucket] = counts.get(bucket, 0) + end - begin
        begin = end
