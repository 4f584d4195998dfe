"""The script that Redis runs calculates as token_bucket.py does."""

from importlib.resources import files

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from modelport_store.store import Limit
from modelport_store.token_bucket import MICROSECONDS, lease

from tests.support.redis_fixtures import RedisServer

NOW = 1_790_000_000 * MICROSECONDS
LIMITS = st.builds(Limit, st.integers(1, 1_000_000), st.integers(1, 86_400))
# Forward by up to a day, and sometimes back, as a clock that is set does.
STEPS = st.lists(st.integers(-2 * MICROSECONDS, 86_400 * MICROSECONDS) | st.integers(0, 1000), max_size=20)


def script_with_clock_given() -> str:
    script = files("modelport_store.redis").joinpath("acquire_and_get.lua").read_text(encoding="utf-8")
    for real, replaced in (
        ("redis.call('TIME')", "{ARGV[4], ARGV[5]}"),
        # The key must outlive the test's own, much faster time.
        ("'PX', math.ceil((full_at - now) / 1000)", "'EX', 1000"),
    ):
        assert real in script
        script = script.replace(real, replaced)
    return script


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=LIMITS, steps=STEPS, tokens=st.integers(1, 1000))
def test_lua_and_python_agree_on_every_sequence(
    redis_server: RedisServer, limit: Limit, steps: list[int], tokens: int
) -> None:
    script = script_with_clock_given()
    full_at, now = 0, NOW
    with redis_server.client() as client:
        client.delete("bucket")
        for step in [0, *steps]:
            now += step
            full_at, given, taken = lease(full_at, now, limit, tokens)
            seconds, microseconds = divmod(now, MICROSECONDS)
            period = limit.period_seconds * MICROSECONDS
            answer = client.eval(script, 1, "bucket", limit.requests, period, tokens, seconds, microseconds)
            missing = round(taken.retry_after * MICROSECONDS)
            assert answer == [given, full_at, now, missing, None, 0]
