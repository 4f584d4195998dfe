"""Clients that keep a server waiting, and a server that looks after them at each of its ticks."""

import asyncio
from contextlib import suppress

import pytest
from modelport_http import server
from modelport_http.connections import timeouts


def sweep_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have connections looked at every 0.1 s, from their beginning."""
    monkeypatch.setattr(server, "_TICKS_A_SWEEP", 1)
    monkeypatch.setattr(timeouts, "_AFTER_UPLOAD_TIMER", 0.0)


async def everything(reader: asyncio.StreamReader) -> bytes:
    """Return what the server sends until it closes."""
    try:
        return await asyncio.wait_for(reader.read(), 60)
    except ConnectionResetError:
        return b""


async def flood(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, begun: bytes, more: bytes
) -> tuple[int, bytes]:
    """Send `more` behind `begun` until the server closes. Return the bytes of it, and what was answered."""
    ended = asyncio.create_task(everything(reader))
    writer.write(begun)
    sent = 0
    async with asyncio.timeout(120):
        while not ended.done():
            with suppress(ConnectionError):
                writer.write(more)
                await writer.drain()
            sent += len(more)
            await asyncio.sleep(0)
    return sent, await ended


async def trickle(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, piece: bytes, times: int
) -> bytes:
    """Send `piece` ten times a second, until the server closes. Return what was answered."""
    ended = asyncio.create_task(everything(reader))
    for _ in range(times):
        if ended.done():
            break
        with suppress(ConnectionError):
            writer.write(piece)
        await asyncio.sleep(0.1)
    return await ended
