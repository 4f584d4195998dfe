"""The awaiting client for tests that are written for the blocking one."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any


class Awaited:
    """Whatever a call of the wrapped object returns is awaited on the loop of `runner`."""

    def __init__(self, wrapped: Any, runner: asyncio.Runner) -> None:
        self._wrapped = wrapped
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._wrapped, name)
        return found if isinstance(found, str) else Awaited(found, self._runner)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        result = self._wrapped(*arguments, **named)
        if isinstance(result, AsyncIterator):
            return self._each(result)
        return self._runner.run(_coroutine(result)) if inspect.isawaitable(result) else result

    def _each(self, items: AsyncIterator[Any]) -> Iterator[Any]:
        end = object()
        while (item := self._runner.run(_coroutine(anext(items, end)))) is not end:
            yield item


async def _coroutine(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
