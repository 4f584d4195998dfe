"""Names resolved once, judged, and connected to at just the address that was judged. For httpcore."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import httpcore
from modelport_http.client_address import Network

from modelport_control_api.network.addresses import Forbidden, check_addresses, check_port

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""A host's addresses."""

# What httpcore and the resolver raise where nothing responds. A ValueError: no name can be so.
UNREACHABLE = (OSError, ValueError, httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException)


async def resolve(host: str, port: int) -> list[str]:
    """Resolve it with the system. Raises `OSError`."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Raises `Forbidden`. `allowed`: networks that may be called beside the public internet."""

    def __init__(self, allowed: Sequence[Network], resolve: Resolve) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the address that was checked. Raises `Forbidden`, or what httpcore raises."""
        check_port(port)
        addresses = await self._resolve(host, port)
        check_addresses(host, addresses, self._allowed)
        return await self._inner.connect_tcp(addresses[0], port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises `Forbidden` for any path: only TCP is allowed."""
        raise Forbidden("Only TCP is spoken.")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
