"""The way to the control API that the settings name."""

import httpx
from modelport_process.start import CannotStart
from pydantic import SecretStr

from modelport_gateway.usage.direct_usage import DirectUsage
from modelport_gateway.usage.sink import UsageSink


def open_sink(redis_url: SecretStr | None, control: httpx.AsyncClient, key: SecretStr | None) -> UsageSink:
    """Raises `CannotStart` if the address is none."""
    if redis_url is None:
        return DirectUsage(control, key)
    # Here and not above: without Redis nobody needs the 8 MiB of redis-py.
    from modelport_gateway.usage.redis_usage import RedisUsage

    try:
        return RedisUsage(redis_url.get_secret_value())
    except ValueError as error:
        raise CannotStart(f"MODELPORT_REDIS_URL is no address of a Redis server: {error}.") from error
