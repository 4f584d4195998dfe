"""What the Redis store does with each way in which a Redis can fail it."""

import asyncio
import random
import time
from pathlib import Path

import pytest
from modelport_store.metrics import STORE_LOST_VALUES
from modelport_store.redis.store import RedisStore
from modelport_store.store import Limit, StoreUnavailable

from tests.libs.unit.store.redis.conftest import TIMEOUT_SECONDS
from tests.support.scripted_redis import PREFIX, Command, ScriptedRedis, always, bulk, echo, scripted_redis

LIMIT = Limit(10, 60)
TAKEN = b"*6\r\n:1\r\n:7000000\r\n:1000000\r\n:0\r\n$-1\r\n:0\r\n"


async def unavailable(store: RedisStore) -> str:
    """Send a command, get no reply, and return the reason."""
    with pytest.raises(StoreUnavailable) as raised:
        await store.get(b"key")
    return str(raised.value)


async def test_commands_of_one_turn_leave_in_one_write(patient: RedisStore, redis: ScriptedRedis) -> None:
    await patient.ping()
    reads = redis.reads
    values = await asyncio.gather(*(patient.get(b"%d" % number) for number in range(100)))
    assert values == [b"%d" % number for number in range(100)]
    assert redis.reads - reads == 1
    assert redis.connections == 1


async def test_ten_thousand_callers_at_once_each_get_their_own_response(
    patient: RedisStore, redis: ScriptedRedis
) -> None:
    keys = [b"%d" % number for number in range(10_000)]
    assert await asyncio.gather(*(patient.get(key) for key in keys)) == keys
    assert redis.connections == 1


async def test_a_storm_of_cancellations_shifts_no_reply(patient: RedisStore, redis: ScriptedRedis) -> None:
    chance = random.Random(7)
    for turn in range(20):
        keys = [b"%d-%d" % (turn, number) for number in range(200)]
        asked = [asyncio.create_task(patient.get(key)) for key in keys]
        for task in asked:
            if chance.random() < 0.5:
                task.cancel()
            elif chance.random() < 0.02:
                await asyncio.sleep(0)
        for key, answer in zip(keys, await asyncio.gather(*asked, return_exceptions=True), strict=True):
            assert answer == key or isinstance(answer, asyncio.CancelledError)
    assert redis.connections == 1


async def test_a_missing_server_is_reported_at_once_and_found_when_it_is_there(socket: Path) -> None:
    store = RedisStore(f"unix://{socket}", timeout_seconds=120)
    started = time.monotonic()
    assert "FileNotFoundError" in await unavailable(store)
    assert "FileNotFoundError" in await unavailable(store)
    assert time.monotonic() - started < 60
    async with scripted_redis(socket):
        await until_available(store)
    await store.aclose()


async def until_available(store: RedisStore) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                await store.ping()
            except StoreUnavailable:
                await asyncio.sleep(0.01)
            else:
                return


async def test_a_redis_that_is_away_is_not_tried_for_each_request(
    redis: ScriptedRedis, store: RedisStore
) -> None:
    async def hang_up(_: Command, writer: asyncio.StreamWriter) -> None:
        writer.close()

    redis.script = hang_up
    for _ in range(200):
        await unavailable(store)
    assert redis.connections < 20
    redis.script = echo
    await until_available(store)


@pytest.mark.parametrize("sent", [b"", b"$5\r\nhe", b"*2\r\n:1\r\n"])
async def test_a_connection_closed_in_a_reply_fails_what_waits_and_nothing_later(
    store: RedisStore, redis: ScriptedRedis, sent: bytes
) -> None:
    async def close_midway(_: Command, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        writer.close()

    await store.ping()
    redis.script = close_midway
    answers = await asyncio.gather(*(store.get(b"%d" % each) for each in range(5)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {StoreUnavailable}
    redis.script = echo
    assert await store.get(b"later") == b"later"


async def test_what_falls_silent_in_a_reply_is_left_in_time(store: RedisStore, redis: ScriptedRedis) -> None:
    await store.ping()
    redis.script = always(b"$9\r\nold")
    started = time.monotonic()
    assert "nothing within" in await unavailable(store)
    assert TIMEOUT_SECONDS * 0.9 < time.monotonic() - started < TIMEOUT_SECONDS + 10
    redis.script = echo
    assert await store.get(b"new") == b"new"
    assert redis.connections == 2


async def test_silence_is_noticed_while_others_go_on_asking(store: RedisStore, redis: ScriptedRedis) -> None:
    async def go_silent(command: Command, writer: asyncio.StreamWriter) -> None:
        if command[1] != PREFIX + b"last":
            await echo(command, writer)
        else:
            redis.script = always(b"")

    redis.script = go_silent
    for number in range(50):
        await store.get(b"%d" % number)
    started = time.monotonic()
    silent = asyncio.create_task(store.get(b"last"))
    behind = []
    while not silent.done():
        behind.append(asyncio.create_task(store.get(b"behind")))
        await asyncio.sleep(0.01)
    assert time.monotonic() - started < TIMEOUT_SECONDS + 10
    # Still silent: the last one behind may have begun after the connection was given up on.
    answers = await asyncio.gather(silent, *behind, return_exceptions=True)
    assert {type(answer) for answer in answers} == {StoreUnavailable}
    redis.script = echo
    await until_available(store)


async def test_slow_replies_within_the_timeout_are_accepted(store: RedisStore, redis: ScriptedRedis) -> None:
    async def dawdle(command: Command, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(TIMEOUT_SECONDS / 4)
        await echo(command, writer)

    redis.script = dawdle
    for number in range(8):
        assert await store.get(b"%d" % number) == b"%d" % number
    assert redis.connections == 1


async def test_one_reply_that_is_an_error_takes_no_other_along(
    patient: RedisStore, redis: ScriptedRedis
) -> None:
    async def refuse_every_second(command: Command, writer: asyncio.StreamWriter) -> None:
        number = int(command[1].removeprefix(PREFIX))
        writer.write(b"-ERR no\r\n" if number % 2 else bulk(b"%d" % number))

    redis.script = refuse_every_second
    answers = await asyncio.gather(
        *(patient.get(b"%d" % each) for each in range(100)), return_exceptions=True
    )
    for number, answer in enumerate(answers):
        assert isinstance(answer, StoreUnavailable) if number % 2 else answer == b"%d" % number
    assert redis.connections == 1


async def test_a_reply_of_another_shape_takes_no_other_along(
    patient: RedisStore, redis: ScriptedRedis
) -> None:
    async def make_no_sense(command: Command, writer: asyncio.StreamWriter) -> None:
        await echo(command, writer) if command[0] == b"GET" else writer.write(b"*1\r\n:1\r\n")

    redis.script = make_no_sense
    nonsense, value = await asyncio.gather(
        patient.take("caller", LIMIT), patient.get(b"key"), return_exceptions=True
    )
    assert isinstance(nonsense, StoreUnavailable)
    assert value == b"key"


@pytest.mark.parametrize("error", ["LOADING Redis is loading", "READONLY You can't write", "OOM no memory"])
async def test_a_redis_that_refuses_is_unavailable_and_says_why(
    patient: RedisStore, redis: ScriptedRedis, error: str
) -> None:
    redis.script = always(f"-{error}\r\n".encode())
    with pytest.raises(StoreUnavailable, match=error):
        await patient.put(b"key", b"value", 60)
    redis.script = echo
    assert await patient.get(b"key") == b"key"
    assert redis.connections == 1


@pytest.mark.parametrize(
    "garbage",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\xff" * 100, b"$-7\r\n", b"*99999999999999999999\r\n"],
)
async def test_garbage_closes_the_connection(store: RedisStore, redis: ScriptedRedis, garbage: bytes) -> None:
    await store.ping()
    redis.script = always(garbage)
    await unavailable(store)
    redis.script = echo
    assert await store.get(b"key") == b"key"
    assert redis.connections == 2


async def test_an_unsolicited_reply_is_returned_to_nobody(patient: RedisStore, redis: ScriptedRedis) -> None:
    redis.script = always(bulk(b"mine") + bulk(b"nobody's"))
    assert await patient.get(b"key") == b"mine"
    redis.script = echo
    await until_available(patient)
    assert await patient.get(b"key") == b"key"
    assert redis.connections == 2


async def test_a_forgotten_script_is_loaded_once_and_called_again_once(
    patient: RedisStore, redis: ScriptedRedis
) -> None:
    known = False

    async def forget(command: Command, writer: asyncio.StreamWriter) -> None:
        nonlocal known
        known = known or command[0] == b"EVAL"
        writer.write(TAKEN if known else b"-NOSCRIPT No matching script\r\n")

    redis.script = forget
    taken = await asyncio.gather(*(patient.take("caller", LIMIT) for _ in range(50)))
    assert all(each.allowed and each.remaining == 9 for each in taken)
    assert redis.names.count(b"EVAL") == 1
    assert redis.names.count(b"EVALSHA") == 99


async def test_a_script_that_is_never_known_is_not_called_forever(
    patient: RedisStore, redis: ScriptedRedis
) -> None:
    redis.script = always(b"-NOSCRIPT No matching script\r\n")
    answers = await asyncio.gather(*(patient.take("c", LIMIT) for _ in range(3)), return_exceptions=True)
    for answer in answers:
        assert isinstance(answer, StoreUnavailable)
        assert "NOSCRIPT" in str(answer)
    assert len(redis.received) == 6


async def test_large_values_are_written_on_another_connection(
    patient: RedisStore, redis: ScriptedRedis
) -> None:
    await patient.put(b"small", b"x" * 1000, 60)
    assert redis.connections == 1
    await patient.put(b"large", b"x" * 100_000, 60)
    assert redis.connections == 2


@pytest.mark.parametrize(("reply", "value"), [(bulk(b"x" * 50_000), b"x" * 50_000), (b"", None)])
async def test_a_large_value_is_read_on_another_connection_or_done_without(
    store: RedisStore, redis: ScriptedRedis, reply: bytes, value: bytes | None
) -> None:
    async def large(command: Command, writer: asyncio.StreamWriter) -> None:
        if command[0] == b"EVALSHA":
            writer.write(TAKEN.replace(b"$-1\r\n", b":50000\r\n"))
        else:
            writer.write(reply if command[1] == PREFIX + b"large" else bulk(b"small"))

    redis.script = large
    before = STORE_LOST_VALUES.labels("get")._value.get()
    answer = asyncio.create_task(store.acquire_and_get("caller", LIMIT, b"large"))
    while not answer.done():
        assert await store.get(b"small") == b"small"
        await asyncio.sleep(0.01)
    taken, got = await answer
    assert taken is not None
    assert (taken.remaining, got) == (9, value)
    assert STORE_LOST_VALUES.labels("get")._value.get() - before == (value is None)
    assert redis.connections == 2


async def test_a_large_value_with_its_seconds_is_read_on_another_connection(
    patient: RedisStore, redis: ScriptedRedis
) -> None:
    large = b"x" * 50_000
    by_command = {b"STRLEN": b":50000\r\n", b"PTTL": b":2500\r\n", b"GET": bulk(large)}

    async def answer(command: Command, writer: asyncio.StreamWriter) -> None:
        writer.write(by_command[command[0]])

    redis.script = answer
    assert await patient.get_with_seconds(b"large") == (large, 2.5)
    assert redis.connections == 2


async def test_what_is_put_without_waiting_is_there_for_the_next(
    patient: RedisStore, redis: ScriptedRedis
) -> None:
    patient.put_nowait(b"key", b"value", 60)
    await patient.get(b"key")
    assert redis.received == [
        [b"SET", b"modelport:value:key", b"value", b"PX", b"60000"],
        [b"GET", b"modelport:value:key"],
    ]


async def test_what_was_put_without_waiting_and_lost_is_counted(
    store: RedisStore, redis: ScriptedRedis
) -> None:
    before = STORE_LOST_VALUES.labels("put")._value.get()
    redis.script = always(b"-OOM no memory\r\n")
    store.put_nowait(b"key", b"value", 60)
    await unavailable(store)
    await asyncio.sleep(0)
    assert STORE_LOST_VALUES.labels("put")._value.get() == before + 1


async def test_a_command_given_while_the_connection_closes_is_written_nowhere(store: RedisStore) -> None:
    errors: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    await store.ping()
    connection = store._client._connection
    assert connection is not None
    assert connection._transport is not None
    # As uvloop does between the end of what Redis sends and its word of it.
    connection._transport.close()
    await unavailable(store)
    assert errors == []
    assert await store.get(b"key") == b"key"


async def test_closing_fails_what_waits_and_what_comes_later(store: RedisStore, redis: ScriptedRedis) -> None:
    redis.script = always(b"")
    waiting = [asyncio.create_task(store.get(b"key")) for _ in range(3)]
    await asyncio.sleep(0.02)
    await store.aclose()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(answer) for answer in answers} == {StoreUnavailable}
    assert "closed" in await unavailable(store)
    assert redis.connections == 1
