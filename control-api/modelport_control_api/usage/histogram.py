"""Latencies in one column: "10,2,11,1" is two requests in bucket 10 of `latency`, and one in bucket 11.

Texts add up by being joined with a comma, which both databases do well: a joined one names a bucket again.
"""

from collections.abc import Mapping

import msgspec
from modelport_telemetry.usage.latency import LAST_BUCKET

_NUMBERS = msgspec.json.Decoder(list[int])


def pack(requests: Mapping[int, int]) -> str | None:
    """None: nothing was counted."""
    return ",".join(f"{bucket},{count}" for bucket, count in sorted(requests.items()) if count) or None


def unpack(joined: str | None) -> list[int]:
    """Give the requests of each bucket, 0 to LAST_BUCKET."""
    requests = [0] * (LAST_BUCKET + 1)
    if joined:
        numbers = iter(_NUMBERS.decode(f"[{joined}]"))
        for bucket, count in zip(numbers, numbers, strict=True):
            requests[bucket] += count
    return requests


def added(packed: str | None, requests: Mapping[int, int]) -> str | None:
    """Pack what was packed and these together."""
    sums = unpack(packed)
    for bucket, count in requests.items():
        sums[bucket] += count
    return pack(dict(enumerate(sums)))
