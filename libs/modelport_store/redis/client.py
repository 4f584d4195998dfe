"""A Redis that is reached again by itself: where it is, how it is greeted, and one connection at a time."""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Any, TypeVar

from redis.asyncio import ConnectionPool, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import RedisError

from modelport_store.redis.connection import Decode, RedisConnection, RedisScript, command

_Protocol = TypeVar("_Protocol", bound=asyncio.Protocol)


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """A server, and the packed commands that must have succeeded before any other is sent to it."""

    _parsed: Any
    """redis-py's connection, never connected: it knows every option of a URL."""
    greeting: tuple[bytes, ...]

    @classmethod
    def parse(cls, url: str) -> "RedisAddress":
        """Read `redis://`, `rediss://` or `unix://`. Raises ValueError."""
        try:
            pool: Any = ConnectionPool.from_url(url)
            parsed = pool.make_connection()
        except (TypeError, RedisError) as error:
            # An option that redis-py does not know, or one with a value that it does not take.
            raise ValueError(str(error)) from error
        return cls(parsed, _greeting(parsed))

    async def connect(self, protocol: _Protocol) -> None:
        """Connect `protocol`. Raises OSError."""
        loop = asyncio.get_running_loop()
        if isinstance(self._parsed, UnixDomainSocketConnection):
            await loop.create_unix_connection(lambda: protocol, self._parsed.path)
            return
        await loop.create_connection(
            lambda: protocol, self._parsed.host, self._parsed.port, ssl=self._tls_context()
        )

    def _tls_context(self) -> ssl.SSLContext | None:
        # Read again each time: certificates in files are replaced while a gateway runs.
        if not isinstance(self._parsed, SSLConnection):
            return None
        self._parsed.ssl_context.context = None
        context: ssl.SSLContext = self._parsed.ssl_context.get()
        return context


def _greeting(parsed: Any) -> tuple[bytes, ...]:
    commands = []
    if parsed.username:
        commands.append(command("AUTH", parsed.username, parsed.password or ""))
    elif parsed.password:
        commands.append(command("AUTH", parsed.password))
    if parsed.client_name:
        commands.append(command("CLIENT", "SETNAME", parsed.client_name))
    if parsed.db:
        commands.append(command("SELECT", parsed.db))
    return tuple(commands)


# After two failures to connect in a row; doubled by each further one. Callers meanwhile get the error at
# once.
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.005, 0.25
_MOST_DOUBLINGS = 10
_CLOSED = "the store was closed meanwhile"


class RedisClient:
    def __init__(self, address: RedisAddress, script: RedisScript, *, timeout_seconds: float) -> None:
        self._address = address
        self._script = script
        self._timeout_seconds = timeout_seconds
        self._connection: RedisConnection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._failures = 0
        self._closed = False

    def send(
        self, command: bytes, decode: Decode | None = None, context: Any = None, *, is_script: bool = False
    ) -> "asyncio.Future[Any]":
        """Return the reply within about `timeout_seconds`. The future raises StoreUnavailable."""
        connection = self._connection
        if connection is None or connection.failure is not None:
            connection = self._connection = self._next(connection)
        return connection.send(command, decode, context, is_script=is_script)

    async def aclose(self) -> None:
        """Close for good: what is in flight, and every later `send`, raises StoreUnavailable."""
        self._closed = True
        if self._connection is not None:
            self._connection.fail(_CLOSED)
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        # A transport that was aborted is only gone after one more turn of the event loop.
        await asyncio.sleep(0)

    def _next(self, failed: RedisConnection | None) -> RedisConnection:
        if failed is not None and not failed.has_replied:
            pause = min(_FIRST_PAUSE_SECONDS * (2**self._failures - 1), _LONGEST_PAUSE_SECONDS)
            if asyncio.get_running_loop().time() < failed.failed_at + pause:
                return failed
            self._failures = min(self._failures + 1, _MOST_DOUBLINGS)
        else:
            self._failures = 0
        connection = RedisConnection(self._address.greeting, self._script, self._timeout_seconds)
        if self._closed:
            connection.fail(_CLOSED)
        else:
            self._connecting = asyncio.create_task(self._connect(connection))
        return connection

    async def _connect(self, connection: RedisConnection) -> None:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._address.connect(connection)
        except Exception as error:  # noqa: BLE001 - whatever it is, all who wait get it
            connection.fail(type(error).__name__)
