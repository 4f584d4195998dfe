"""The store that an address names: Redis with this process's memory behind it, or memory alone."""

from collections.abc import Iterator
from contextlib import contextmanager

from modelport_process.start import CannotStart
from pydantic import SecretStr

from modelport_store.fallback_store import FallbackStore
from modelport_store.memory_store import MemoryStore
from modelport_store.store import Store


def open_store(redis_url: SecretStr | None, *, near: bool = False) -> Store:
    """Raises `CannotStart` if the address is none; a Redis that is away is gone on without.

    near: for a gateway, which asks for the same again and again (`near_store`).
    """
    if redis_url is None:
        return MemoryStore()
    # Here and not above: without Redis nobody needs the 8 MiB of redis-py.
    from modelport_store.near_store import NearStore
    from modelport_store.redis.store import RedisStore

    with redis_address():
        redis = RedisStore(redis_url.get_secret_value())
        return FallbackStore(NearStore(redis) if near else redis, MemoryStore())


@contextmanager
def redis_address() -> Iterator[None]:
    """What is opened at MODELPORT_REDIS_URL raises ValueError if that is none: make it `CannotStart`."""
    try:
        yield
    except ValueError as error:
        raise CannotStart(
            f"MODELPORT_REDIS_URL is no address of a Redis server: {error}. Write redis://:password@host:6379/0."
        ) from error
