"""From a bucket to headers and a 429."""

import pytest
from modelport_http.problem import Problem
from modelport_http.rate_limiting import enforce
from modelport_store.memory_store import MemoryStore
from modelport_store.metrics import LIMITS_NOT_ENFORCED
from modelport_store.store import Limit, LimitResult, StoreUnavailable


class GoneStore(MemoryStore):
    async def take(self, bucket: str, limit: Limit) -> LimitResult:
        raise StoreUnavailable


async def test_an_allowed_request_learns_what_is_left() -> None:
    headers = await enforce(MemoryStore(clock=lambda: 100), "login", Limit(10, 60), "203.0.113.9")
    assert headers == {"RateLimit-Policy": '"login";q=10;w=60', "RateLimit": '"login";r=9;t=6'}


async def test_a_refused_request_is_a_429_that_says_which_limit_and_when_to_come_back() -> None:
    store = MemoryStore(clock=lambda: 100)
    await enforce(store, "upload", Limit(1, 3600), "user")
    with pytest.raises(Problem) as refused:
        await enforce(store, "upload", Limit(1, 3600), "user")
    assert refused.value.status == 429
    assert refused.value.headers["Retry-After"] == "3600"
    assert refused.value.headers["RateLimit"] == '"upload";r=0;t=3600'
    assert "upload" in refused.value.detail
    assert "1/hour" in refused.value.detail
    assert "3600 s" in refused.value.detail


async def test_retry_after_is_never_less_than_a_second() -> None:
    store = MemoryStore(clock=lambda: 100)
    await enforce(store, "predict", Limit(1, 1), "user")
    with pytest.raises(Problem) as refused:
        await enforce(store, "predict", Limit(1, 1), "user")
    assert refused.value.headers["Retry-After"] == "1"


async def test_limits_and_subjects_do_not_share_a_bucket() -> None:
    store = MemoryStore()
    once = Limit(1, 3600)
    await enforce(store, "login", once, "one")
    await enforce(store, "login", once, "other")
    await enforce(store, "register", once, "one")


async def test_without_a_store_all_pass_and_that_is_counted() -> None:
    before = LIMITS_NOT_ENFORCED.labels("login")._value.get()
    assert await enforce(GoneStore(), "login", Limit(1, 60), "x") == {}
    assert LIMITS_NOT_ENFORCED.labels("login")._value.get() == before + 1
