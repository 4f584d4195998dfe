"""Takes the steps of a call on an event loop."""

from asyncio import sleep, to_thread
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import httpx

from modelport import authentication
from modelport.authentication import MemorySessions, SessionAuth
from modelport.calls import account
from modelport.credentials import Credentials
from modelport.errors import ModelportError, raise_unless_done
from modelport.steps import Flow, Listing, Pause, Reply, Request, Step, Work
from modelport.transport.blocking import Transport
from modelport.transport.connection import (
    checked,
    direct_to_this_machine,
    explained,
    http_options,
    of_platform,
    whole_file,
)
from modelport.transport.retries import RetryPolicy, exchange

Result = TypeVar("Result")
_CHUNK_BYTES = 256 * 1024


class AsyncTransport:
    """The same for an event loop."""

    def __init__(self, url: str, key: str | None, *, timeout_seconds: float, retries: RetryPolicy) -> None:
        self.url = checked(url)
        self._retries = retries
        self._timeout_seconds = timeout_seconds
        self._http = httpx.AsyncClient(
            mounts=direct_to_this_machine(self.url), **http_options(self.url, timeout_seconds)
        )
        self._auth = authentication.choose(self.url, key, self._refresh)

    async def run(self, flow: Flow[Result]) -> Result:
        with of_platform(self.url):
            return await self._drive(flow, self._reply)

    async def items(self, listing: Listing[Result]) -> AsyncIterator[Result]:
        """The items of a list; each page is requested when it is reached."""
        page = await self.run(listing.page(None))
        while True:
            for item in page.items:
                yield item
            if not page.next_cursor:
                return
            page = await self.run(listing.page(page.next_cursor))

    async def download(self, path: str, query: Mapping[str, str], target: Path) -> None:
        """Write a response of any length to a file. What broke off half-way leaves none."""
        with explained("GET", self.url, path), whole_file(target) as file:
            async with self._http.stream("GET", path, params=query, auth=self._auth) as response:
                if not response.is_success:
                    await response.aread()
                raise_unless_done(response)
                async for piece in response.aiter_bytes():
                    await to_thread(file.write, piece)

    def use(self, session: Credentials) -> None:
        """Make all calls from now on with this session."""
        self._auth = SessionAuth(MemorySessions(session), self._refresh)

    async def close(self) -> None:
        await self._http.aclose()

    def _refresh(self, refresh_token: str) -> Credentials:
        """In a thread, where `SessionAuth` waits for its lock; see there."""
        blocking = Transport(self.url, None, timeout_seconds=self._timeout_seconds, retries=self._retries)
        with closing(blocking):
            return blocking.run(account.refresh(refresh_token))

    async def _reply(self, request: Request) -> Reply:
        return await self._drive(exchange(request, self._retries, self.url), self._send)

    async def _send(self, request: Request) -> httpx.Response:
        auth = None if request.anonymous else self._auth
        options = dict(request.options)
        if "content" in options and not isinstance(options["content"], bytes):
            options["content"] = _chunks(options["content"])
        return await self._http.request(request.method, request.path, auth=auth, **options)

    async def _drive(self, flow: Flow[Result], perform: Callable[[Request], Awaitable[Any]]) -> Result:
        with closing(flow):
            advance: Callable[[], Step] = partial(next, flow)
            while True:
                try:
                    step = advance()
                except StopIteration as end:
                    result: Result = end.value
                    return result
                try:
                    done = await _take(step, perform)
                except (httpx.TransportError, ModelportError) as error:
                    advance = partial(flow.throw, error)
                else:
                    advance = partial(flow.send, done)


async def _take(step: Step, perform: Callable[[Request], Awaitable[Any]]) -> Any:
    if isinstance(step, Pause):
        return await sleep(step.seconds)
    return await (to_thread(step.function) if isinstance(step, Work) else perform(step))


async def _chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    await to_thread(file.seek, 0)
    while chunk := await to_thread(file.read, _CHUNK_BYTES):
        yield chunk
