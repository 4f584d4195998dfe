"""Pooled connections to model replicas, over TCP and unix sockets."""

import asyncio
import socket
import time
from contextlib import suppress
from typing import Any

from modelport_gateway.concurrency.admission import FifoWaiters
from modelport_gateway.upstream.connection import UpstreamConnection
from modelport_gateway.upstream.response_reader import EndpointUnreachable, UpstreamTimeout

_UNIX = "unix:"
# Longer than any request may take (spec.timeoutSeconds is at most 600): a pool is closed when nobody uses it.
_KEPT_SECONDS = 660.0
# Well before the runtime closes them (75 s): the side that closes first must not be the one that may just be
# called.
_IDLE_SECONDS = 30.0
# A replica's host that has died says nothing. Alive, its kernel confirms what is sent within milliseconds,
# however long the model then computes, and answers probes while nothing is sent. Not shorter: it also ends
# the sending of a large body that a busy runtime does not begin to read.
_UNCONFIRMED_MILLISECONDS = 5000
_PROBE_SECONDS = 2


class Pool:
    """The connections to one replica: at most `limit`, and who finds all of them in use waits in line."""

    def __init__(self, address: str, *, connect_timeout_seconds: float, limit: int) -> None:
        self.host = "model" if address.startswith(_UNIX) else address
        self.heads: dict[tuple[str, str], bytes] = {}
        """The beginnings of requests, by method and path: they are written here by the caller."""
        self._address = address
        self._connect_timeout = connect_timeout_seconds
        self._free = limit
        self._idle: list[UpstreamConnection] = []
        self._open: set[UpstreamConnection] = set()
        self._line = FifoWaiters()

    def take(self) -> UpstreamConnection | None:
        """Return an idle connection, if there is one and nobody waits for it."""
        if not self._free or not self._idle:
            return None
        self._free -= 1
        return self._idle.pop()

    async def wait(self, *, due: float, fresh: bool = False) -> UpstreamConnection:
        """Return the next idle connection, or a new one. `fresh`: only a new one will do.

        Raises UpstreamTimeout when it is `due` by the event loop's clock, and EndpointUnreachable.
        """
        try:
            async with asyncio.timeout_at(due):
                await self._place()
                try:
                    return self._idle.pop() if self._idle and not fresh else await self._connect()
                except BaseException:
                    self._hand_on()
                    raise
        except TimeoutError:
            raise UpstreamTimeout from None

    def give_back(self, connection: UpstreamConnection) -> None:
        """Have it used by others, or closed if its response was not awaited."""
        if connection.is_idle:
            self._idle.append(connection)
        else:
            connection.close()
        self._hand_on()

    def close_idle(self, since: float) -> None:
        """Close those that have not been used since, by the event loop's clock."""
        for connection in [each for each in self._idle if each.last_sent_at < since]:
            connection.close()

    def close(self) -> None:
        for connection in list(self._open):
            connection.close()

    async def _place(self) -> None:
        if self._free:
            self._free -= 1
            return
        await self._line.stand(self._hand_on)

    def _hand_on(self) -> None:
        if not self._line.call_next():
            self._free += 1

    async def _connect(self) -> UpstreamConnection:
        try:
            async with asyncio.timeout(self._connect_timeout):
                return await self._connected()
        except OSError as error:
            raise EndpointUnreachable(str(error) or "it does not accept connections") from error

    async def _connected(self) -> UpstreamConnection:
        loop, connection = asyncio.get_running_loop(), UpstreamConnection(self._forget)
        if self._address.startswith(_UNIX):
            await loop.create_unix_connection(lambda: connection, self._address.removeprefix(_UNIX))
        else:
            await loop.create_connection(lambda: connection, sock=await _connected_socket(self._address))
        if connection.is_open:
            self._open.add(connection)
        return connection

    def _forget(self, connection: UpstreamConnection) -> None:
        self._open.discard(connection)
        with suppress(ValueError):
            self._idle.remove(connection)


class Connections:
    """One pool per replica, so that a slow one cannot use up the connections to the others."""

    def __init__(self, *, connect_timeout_seconds: float, per_endpoint: int) -> None:
        self._connect_timeout = connect_timeout_seconds
        self._per_endpoint = per_endpoint
        self._pools: dict[str, Pool] = {}
        self._gone_since: dict[str, float] = {}

    def pool(self, address: str) -> Pool:
        """Return the pool of the replica at the address, made the first time."""
        pool = self._pools.get(address)
        if pool is None:
            pool = self._pools[address] = Pool(
                address, connect_timeout_seconds=self._connect_timeout, limit=self._per_endpoint
            )
        return pool

    async def keep_only(self, addresses: set[str], *, kept_seconds: float = _KEPT_SECONDS) -> None:
        """Close connections that were long idle, and all to replicas that have been gone for so long that no
        request is in flight there. To be called every few seconds."""
        now = time.monotonic()
        idle_since = asyncio.get_running_loop().time() - _IDLE_SECONDS
        for pool in self._pools.values():
            pool.close_idle(idle_since)
        gone = self._pools.keys() - addresses
        self._gone_since = {address: self._gone_since.get(address, now) for address in gone}
        for address, since in self._gone_since.items():
            if now - since >= kept_seconds:
                self._pools.pop(address).close()

    async def aclose(self) -> None:
        await self.keep_only(set(), kept_seconds=0)
        # A transport that was aborted is gone after one more turn of the event loop.
        await asyncio.sleep(0)


async def _connected_socket(address: str) -> socket.socket:
    loop = asyncio.get_running_loop()
    host, _, port = address.rpartition(":")
    infos = await loop.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    last_error: OSError | None = None
    for info in infos:
        made = _watched_socket(info)
        try:
            await loop.sock_connect(made, info[4])
        except OSError as error:
            made.close()
            last_error = error
        except BaseException:
            made.close()
            raise
        else:
            return made
    raise last_error or OSError(f"{host} has no address")


def _watched_socket(address: tuple[Any, ...]) -> socket.socket:
    """A socket that fails soon when the host at its other end has died without a word."""
    made = socket.socket(family=address[0], type=address[1], proto=address[2])
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_NODELAY", 1),
        ("TCP_USER_TIMEOUT", _UNCONFIRMED_MILLISECONDS),
        ("TCP_KEEPIDLE", _PROBE_SECONDS),
        ("TCP_KEEPINTVL", _PROBE_SECONDS),
        ("TCP_KEEPCNT", 3),
    ):
        # Not every system has them all.
        if option := getattr(socket, name, None):
            made.setsockopt(socket.IPPROTO_TCP, option, value)
    return made
