"""The way to the control API that the settings name: by Redis, or without one directly."""

from collections.abc import Collection, Mapping

import httpx
from modelport_process import internal_key
from modelport_store.opening import redis_address
from pydantic import SecretStr

from modelport_gateway.usage.sink import SinkUnavailable, UsageSink

_USAGE, _SAMPLES = "/internal/v1/usage", "/internal/v1/samples"
_CONTENT_TYPE = "application/msgpack"


class DirectUsage:
    """`control` stays the caller's to close. `key`: MODELPORT_INTERNAL_KEY."""

    def __init__(self, control: httpx.AsyncClient, key: SecretStr | None) -> None:
        self._control = control
        self._headers = {**internal_key.show(key), "Content-Type": _CONTENT_TYPE}

    async def send(self, due: Mapping[str, bytes], unconfirmed: Collection[str]) -> set[str]:
        for batch in due.values():
            await self._post(_USAGE, batch)
        return set(due)

    async def send_samples(self, envelope: bytes) -> None:
        await self._post(_SAMPLES, envelope)

    async def aclose(self) -> None:
        return

    async def _post(self, path: str, body: bytes) -> None:
        try:
            response = await self._control.post(path, content=body, headers=self._headers)
        except httpx.HTTPError as error:
            raise SinkUnavailable(f"the control API cannot be reached: {error!r}") from error
        if response.status_code != httpx.codes.NO_CONTENT:
            raise SinkUnavailable(f"the control API answered {response.status_code}: {response.text[:300]}")


def open_sink(redis_url: SecretStr | None, control: httpx.AsyncClient, key: SecretStr | None) -> UsageSink:
    """Raises `CannotStart` if the address is none."""
    if redis_url is None:
        return DirectUsage(control, key)
    # Here and not above: without Redis nobody needs the 8 MiB of redis-py.
    from modelport_gateway.usage.redis_usage import RedisUsage

    with redis_address():
        return RedisUsage(redis_url.get_secret_value())
