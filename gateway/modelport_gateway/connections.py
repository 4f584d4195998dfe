"""Pooled connections to model replicas, over TCP and unix sockets."""

import aiohttp

_UNIX = "unix:"


class Connections:
    """One pool per replica, so that a slow one cannot use up the connections to the others."""

    def __init__(self, *, connect_timeout_seconds: float, per_endpoint: int) -> None:
        self._connect_timeout = connect_timeout_seconds
        self._per_endpoint = per_endpoint
        self._pools: dict[str, aiohttp.ClientSession] = {}

    def request(
        self,
        address: str,
        method: str,
        path: str,
        *,
        body: bytes | None,
        headers: dict[str, str],
        timeout_seconds: float,
    ) -> "aiohttp.client._RequestContextManager":
        host = "model" if address.startswith(_UNIX) else address
        return self._pool(address).request(
            method,
            f"http://{host}{path}",
            data=body,
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=self._connect_timeout),
        )

    async def keep_only(self, addresses: set[str]) -> None:
        """Close the pools of replicas that are gone."""
        for address in [known for known in self._pools if known not in addresses]:
            await self._pools.pop(address).close()

    async def aclose(self) -> None:
        await self.keep_only(set())

    def _pool(self, address: str) -> aiohttp.ClientSession:
        pool = self._pools.get(address)
        if pool is None:
            pool = self._pools[address] = self._open(address)
        return pool

    def _open(self, address: str) -> aiohttp.ClientSession:
        connector = (
            aiohttp.UnixConnector(path=address.removeprefix(_UNIX), limit=self._per_endpoint)
            if address.startswith(_UNIX)
            else aiohttp.TCPConnector(limit=self._per_endpoint)
        )
        return aiohttp.ClientSession(
            connector=connector,
            # A model is untrusted: none of its cookies are kept, and nothing of it is unpacked.
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept-Encoding"),
        )
