"""Pooled connections to model replicas, over TCP and unix sockets."""

import socket
import time
from typing import Any

import aiohttp

_UNIX = "unix:"
# Longer than any request may take (spec.timeoutSeconds is at most 600): a pool is closed when nobody uses it.
# Until then it costs nothing, since idle connections close themselves.
_KEPT_SECONDS = 660.0
# A replica's host that has died says nothing. Alive, its kernel confirms what is sent within milliseconds,
# however long the model then computes, and answers probes while nothing is sent. Not shorter: it also ends
# the sending of a large body that a busy runtime does not begin to read.
_UNCONFIRMED_MILLISECONDS = 5000
_PROBE_SECONDS = 2


class Connections:
    """One pool per replica, so that a slow one cannot use up the connections to the others."""

    def __init__(self, *, connect_timeout_seconds: float, per_endpoint: int) -> None:
        self._connect_timeout = connect_timeout_seconds
        self._per_endpoint = per_endpoint
        self._pools: dict[str, aiohttp.ClientSession] = {}
        self._gone_since: dict[str, float] = {}

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

    async def keep_only(self, addresses: set[str], *, kept_seconds: float = _KEPT_SECONDS) -> None:
        """Close the pools of replicas that have been gone for so long that no request is under way there."""
        now = time.monotonic()
        gone = self._pools.keys() - addresses
        self._gone_since = {address: self._gone_since.get(address, now) for address in gone}
        for address, since in self._gone_since.items():
            if now - since >= kept_seconds:
                await self._pools.pop(address).close()

    async def aclose(self) -> None:
        await self.keep_only(set(), kept_seconds=0)

    def _pool(self, address: str) -> aiohttp.ClientSession:
        pool = self._pools.get(address)
        if pool is None:
            pool = self._pools[address] = self._open(address)
        return pool

    def _open(self, address: str) -> aiohttp.ClientSession:
        connector = (
            aiohttp.UnixConnector(path=address.removeprefix(_UNIX), limit=self._per_endpoint)
            if address.startswith(_UNIX)
            else aiohttp.TCPConnector(limit=self._per_endpoint, socket_factory=_watched_socket)
        )
        return aiohttp.ClientSession(
            connector=connector,
            # A model is untrusted: none of its cookies are kept, and nothing of it is unpacked.
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept-Encoding"),
        )


def _watched_socket(address: tuple[Any, ...]) -> socket.socket:
    """A socket that fails soon when the host at its other end has died without a word."""
    made = socket.socket(family=address[0], type=address[1], proto=address[2])
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_USER_TIMEOUT", _UNCONFIRMED_MILLISECONDS),
        ("TCP_KEEPIDLE", _PROBE_SECONDS),
        ("TCP_KEEPINTVL", _PROBE_SECONDS),
        ("TCP_KEEPCNT", 3),
    ):
        # Not every system has them all.
        if option := getattr(socket, name, None):
            made.setsockopt(socket.IPPROTO_TCP, option, value)
    return made
