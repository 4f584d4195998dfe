"""A connection that is really closed in the middle of an upload, against a real server."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from tests.control_api.unit.models.platform import Account, Platform
from tests.support.waiting import until


@asynccontextmanager
async def listening(platform: Platform) -> AsyncIterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(platform.plane.public, log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await serving


async def test_a_connection_closed_midway_leaves_nothing(platform: Platform, ann: Account) -> None:
    head = b'--B\r\nContent-Disposition: form-data; name="file"; filename="m"\r\n\r\n'
    request = (
        "POST /api/v1/models/upload HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n"
        f"Authorization: {ann.http.headers['Authorization']}\r\n"
        "Content-Type: multipart/form-data; boundary=B\r\n\r\n"
    ).encode()
    async with listening(platform) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request + head + bytes(3_000_000))
        await writer.drain()
        # Proof that the upload had begun to reach the disk.
        await until(lambda: any(path.stat().st_size for path in platform.incoming()))
        writer.close()
        await until(lambda: platform.incoming() == [])
    assert platform.stored() == []
    assert (await ann.http.get("/api/v1/models")).json()["items"] == []
