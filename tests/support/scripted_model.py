"""A model's runtime that answers whatever a test scripts, byte by byte, over a real socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

Script = Callable[["Received", asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Received:
    """One request as it came over the wire. Header names are lowercase."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


def http(status: str, body: bytes, content_type: str = "application/json", extra: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    return head.encode() + body


def answering(raw: bytes) -> Script:
    async def script(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    return script


@dataclass
class ScriptedModel:
    """`script` may be replaced while it runs; `received` is in the order of arrival."""

    address: str = ""
    script: Script = field(default_factory=lambda: answering(http("200 OK", b'{"prediction": "setosa"}')))
    received: list[Received] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not writer.is_closing():
                request = await _read(reader)
                self.received.append(request)
                await self.script(request, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # The gateway closed the connection: that ends a keep-alive, in tests as elsewhere.
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, path, headers, body)


@asynccontextmanager
async def scripted_model(socket: Path | None = None) -> AsyncIterator[ScriptedModel]:
    """Run one on a unix socket, or on a free TCP port when no path is given."""
    model = ScriptedModel()
    if socket is not None:
        server = await asyncio.start_unix_server(model.serve, path=str(socket))
        model.address = f"unix:{socket}"
    else:
        server = await asyncio.start_server(model.serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        model.address = f"{host}:{port}"
    try:
        yield model
    finally:
        server.close()
