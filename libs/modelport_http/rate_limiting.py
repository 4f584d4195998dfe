"""From a token bucket to a response: the headers of draft-ietf-httpapi-ratelimit-headers, and the 429."""

import math

from modelport_store.metrics import LIMITS_NOT_ENFORCED
from modelport_store.store import Limit, LimitResult, Store, StoreUnavailable

from modelport_http.problem import Problem


async def enforce(store: Store, name: str, limit: Limit, subject: str) -> dict[str, str]:
    """Consume one request of `subject`'s `name` limit; returns the headers of the response.

    Raises Problem 429 when it is used up. Without a store all pass, counted: being open for a while
    harms less than being closed to everybody.
    """
    try:
        taken = await store.take(bucket_of(name, subject), limit)
    except StoreUnavailable:
        LIMITS_NOT_ENFORCED.labels(name).inc()
        return {}
    if not taken.allowed:
        raise too_many_requests(name, taken)
    return rate_limit_headers(name, taken)


async def give_back(store: Store, name: str, limit: Limit, subject: str) -> None:
    """Undo one `enforce`: the request turned out not to count."""
    try:
        await store.give_back(bucket_of(name, subject), limit)
    except StoreUnavailable:
        LIMITS_NOT_ENFORCED.labels(name).inc()


def bucket_of(name: str, subject: str) -> str:
    """Return the name of a bucket in the store: each subject has one of each limit."""
    return f"{name}:{subject}"


def rate_limit_headers(name: str, taken: LimitResult) -> dict[str, str]:
    """`RateLimit: "predict";r=9;t=60`: 9 left, full again in 60 s."""
    limit = taken.limit
    return {
        "RateLimit-Policy": f'"{name}";q={limit.requests};w={limit.period_seconds}',
        "RateLimit": f'"{name}";r={taken.remaining};t={math.ceil(taken.reset_after)}',
    }


def too_many_requests(name: str, taken: LimitResult) -> Problem:
    """Return 429 with the rate-limit headers, and `Retry-After` in whole seconds."""
    seconds = max(1, math.ceil(taken.retry_after))
    return Problem(
        status=429,
        detail=f"The limit {name} of {taken.limit} is used up. Try again in {seconds} s.",
        headers={**rate_limit_headers(name, taken), "Retry-After": str(seconds)},
    )
