"""Many concurrent callers, one write to Redis: what is asked during a batch goes with the next one.

redis-py takes a connection and a write for each command; under load that costs more than Redis itself.
An idle client waits for nothing: the first command leaves at once.
"""

import asyncio
from collections import deque
from typing import Any

from redis.asyncio import Redis

_MAX_BATCH = 256

_Command = tuple[Any, ...]


class Batcher:
    """Sends small commands, each answered on its own. Big values go beside it, not to hold up the rest."""

    def __init__(self, redis: Redis, timeout_seconds: float) -> None:
        self._redis = redis
        self._timeout_seconds = timeout_seconds
        self._waiting: deque[tuple[_Command, asyncio.Future[Any]]] = deque()
        self._sender: asyncio.Task[None] | None = None

    async def execute(self, *command: Any) -> Any:
        """Raises the command's own RedisError, or TimeoutError."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((command, answer))
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_all())
        return await answer

    async def aclose(self) -> None:
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.gather(self._sender, return_exceptions=True)
        self._sender = None
        for _, future in self._waiting:
            _resolve(future, _closed())
        self._waiting.clear()

    async def _send_all(self) -> None:
        while self._waiting:
            count = min(len(self._waiting), _MAX_BATCH)
            await self._send([self._waiting.popleft() for _ in range(count)])
        self._sender = None

    async def _send(self, batch: list[tuple[_Command, asyncio.Future[Any]]]) -> None:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                answers = await self._pipelined([command for command, _ in batch])
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised to each who asked
            answers = [error] * len(batch)
        except asyncio.CancelledError:
            for _, future in batch:
                _resolve(future, _closed())
            raise
        for (_, future), answer in zip(batch, answers, strict=True):
            _resolve(future, answer)

    async def _pipelined(self, commands: list[_Command]) -> list[Any]:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for command in commands:
                pipeline.execute_command(*command)
            return await pipeline.execute(raise_on_error=False)


def _closed() -> ConnectionError:
    return ConnectionError("the store was closed meanwhile")


def _resolve(future: asyncio.Future[Any], answer: Any) -> None:
    if future.done():
        return  # Its caller has gone.
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
