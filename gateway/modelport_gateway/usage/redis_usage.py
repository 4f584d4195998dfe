"""By way of Redis: batches into a stream, confirmations out of keys that the control API sets."""

from collections.abc import Collection, Mapping

from modelport_telemetry.usage.wire import (
    FIELD,
    SAMPLES_STREAM,
    SAMPLES_STREAM_LENGTH,
    USAGE_STREAM,
    USAGE_STREAM_LENGTH,
    confirmation_key,
)
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from modelport_gateway.usage.sink import SinkUnavailable

_TIMEOUT_SECONDS = 2.0


class RedisUsage:
    """Raises ValueError if `url` is no address of a Redis."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            # The next second tries again.
            retry=Retry(NoBackoff(), 0),
        )

    async def send(self, due: Mapping[str, bytes], unconfirmed: Collection[str]) -> set[str]:
        """Send the batches that are `due`; return which of the `unconfirmed` the ledger has now.

        Raises `SinkUnavailable`.
        """
        ids = list(unconfirmed)
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for batch in due.values():
                    pipeline.xadd(USAGE_STREAM, {FIELD: batch}, maxlen=USAGE_STREAM_LENGTH)
                pipeline.mget([confirmation_key(each) for each in ids])
                *_, confirmed = await pipeline.execute()
        except (RedisError, OSError) as error:
            raise SinkUnavailable(f"Redis does not take usage: {error!r}") from error
        return {each for each, found in zip(ids, confirmed, strict=True) if found is not None}

    async def send_samples(self, envelope: bytes) -> None:
        """Send samples as best effort. Raises `SinkUnavailable`."""
        try:
            await self._redis.xadd(SAMPLES_STREAM, {FIELD: envelope}, maxlen=SAMPLES_STREAM_LENGTH)
        except (RedisError, OSError) as error:
            raise SinkUnavailable(f"Redis does not take samples: {error!r}") from error

    async def aclose(self) -> None:
        await self._redis.aclose()
