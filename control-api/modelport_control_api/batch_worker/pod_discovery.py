"""Queries the control API where the pods of a version are."""

import httpx
import msgspec
from modelport_process import internal_key
from pydantic import SecretStr


class PodDiscoveryAway(Exception):
    """The control API does not respond, or does not know yet."""


class Listed(msgspec.Struct, frozen=True):
    """As `batch.pods.lookup.BatchPods`."""

    addresses: list[str]
    exists: bool
    reason: str
    message: str


class PodDiscovery:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    @classmethod
    def open(cls, url: str, key: SecretStr) -> "PodDiscovery":
        """At `http://host:port` or `unix:/path`. `key`: MODELPORT_INTERNAL_KEY."""
        socket = url.removeprefix("unix:") if url.startswith("unix:") else None
        transport = httpx.AsyncHTTPTransport(uds=socket, verify=socket is None)
        base = "http://control-api" if socket else url
        headers = internal_key.show(key)
        return cls(
            httpx.AsyncClient(
                transport=transport, base_url=base, headers=headers, timeout=10, trust_env=False
            )
        )

    async def find(self, model_id: str, version: str) -> Listed:
        """Raises `PodDiscoveryAway`."""
        query = {"model": model_id, "version": version}
        try:
            response = await self._client.get("/internal/v1/batch/endpoints", params=query)
            response.raise_for_status()
            return msgspec.json.decode(response.content, type=Listed)
        except (httpx.HTTPError, msgspec.MsgspecError) as error:
            raise PodDiscoveryAway(repr(error)) from error

    async def aclose(self) -> None:
        await self._client.aclose()
