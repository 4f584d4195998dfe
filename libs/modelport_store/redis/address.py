"""Where a Redis is and how it is greeted, as redis-py reads its URL."""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Any, TypeVar

from redis.asyncio import ConnectionPool, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import RedisError

from modelport_store.redis.resp import command

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
        # Read anew each time: certificates in files are replaced while a gateway runs.
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
