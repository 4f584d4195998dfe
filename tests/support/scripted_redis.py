"""A Redis that answers whatever a test scripts, byte by byte, over a real socket."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import hiredis

# Of a cached value's key, as the store writes it.
PREFIX = b"modelport:value:"

Command = list[bytes]
Script = Callable[[Command, asyncio.StreamWriter], Awaitable[None]]


def bulk(value: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(value), value)


async def echo(command: Command, writer: asyncio.StreamWriter) -> None:
    """Answer GET with the key's own name, and anything else with OK."""
    writer.write(bulk(command[1].removeprefix(PREFIX)) if command[0] == b"GET" else b"+OK\r\n")


def always(raw: bytes) -> Script:
    async def script(_: Command, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)

    return script


@dataclass
class ScriptedRedis:
    """`script` may be replaced while it runs; `received` is in the order of arrival."""

    script: Script = echo
    url: str = ""
    received: list[Command] = field(default_factory=list)
    connections: int = 0
    reads: int = 0
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    @property
    def names(self) -> list[bytes]:
        return [command[0] for command in self.received]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        commands = hiredis.Reader()
        try:
            while data := await reader.read(1 << 20):
                self.reads += 1
                commands.feed(data)
                while (command := commands.gets()) is not False:
                    self.received.append(command)
                    await self.script(command, writer)
        except ConnectionError:
            pass  # The client closed first, as many of the tests want it to.
        finally:
            writer.close()

    def close_connections(self) -> None:
        for writer in self._writers:
            writer.close()


@asynccontextmanager
async def scripted_redis(socket: Path, script: Script = echo) -> AsyncIterator[ScriptedRedis]:
    """Run one on a unix socket."""
    redis = ScriptedRedis(script, f"unix://{socket}")
    server = await asyncio.start_unix_server(redis.serve, path=str(socket))
    try:
        yield redis
    finally:
        server.close()
        redis.close_connections()


@asynccontextmanager
async def scripted_redis_over_tcp(tls: ssl.SSLContext | None = None) -> AsyncIterator[ScriptedRedis]:
    """Run one on a free port of the loopback."""
    redis = ScriptedRedis()
    server = await asyncio.start_server(redis.serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    redis.url = f"{'rediss' if tls else 'redis'}://127.0.0.1:{port}"
    try:
        yield redis
    finally:
        server.close()
        redis.close_connections()
