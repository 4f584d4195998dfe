"""The arithmetic of a token bucket. `acquire_and_get.lua` is the same in Lua; a test holds the two together.

A bucket is one number: the moment when it will be full again. Whole microseconds, because both languages then
calculate exactly; a count of tokens with fractions would drift apart.
"""

from modelport_store.store import Limit, LimitResult

MICROSECONDS = 1_000_000


LEASED_OF = 10
"""Several tokens are given of a bucket that holds so many times as many; else one."""


def take(full_at: int, now: int, limit: Limit) -> tuple[int, LimitResult]:
    """As `lease`, of one token."""
    full_at, _, result = lease(full_at, now, limit, 1)
    return full_at, result


def lease(full_at: int, now: int, limit: Limit, tokens: int) -> tuple[int, int, LimitResult]:
    """Acquire tokens, at `now`, of a bucket that is full at `full_at`: microseconds of one clock, 0 if new.

    Gives the bucket's new `full_at`, how many tokens were taken, which are all, one or none, and what to
    return to the caller.
    """
    interval = interval_of(limit)
    capacity = interval * limit.requests
    # The upper bound holds when the limit was lowered, or the clock set back, since the last take.
    full_at = min(max(full_at, now), now + capacity)
    missing = full_at + interval - now - capacity
    held = (now + capacity - full_at) // interval
    taken = 0 if missing > 0 else tokens if held >= tokens * LEASED_OF else 1
    full_at += taken * interval
    return (
        full_at,
        taken,
        LimitResult(
            allowed=missing <= 0,
            limit=limit,
            remaining=(now + capacity - full_at) // interval,
            reset_after=(full_at - now) / MICROSECONDS,
            retry_after=max(missing, 0) / MICROSECONDS,
        ),
    )


def interval_of(limit: Limit) -> int:
    """Microseconds for one token to come back."""
    # Rounded up: a bucket may refill a hair too slowly, but never gives more than was promised.
    return -(-limit.period_seconds * MICROSECONDS // limit.requests)
