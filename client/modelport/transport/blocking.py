"""Takes the steps of a call, and blocks on each."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx

from modelport import authentication
from modelport.authentication import MemorySessions, SessionAuth
from modelport.calls import account
from modelport.credentials import Credentials
from modelport.errors import ModelportError, raise_unless_done
from modelport.steps import Flow, Listing, Pause, Reply, Request, Step, Work
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


class Transport:
    """`timeout_seconds` is for each silence of the platform, not for a whole call."""

    def __init__(self, url: str, key: str | None, *, timeout_seconds: float, retries: RetryPolicy) -> None:
        self.url = checked(url)
        self._retries = retries
        self._http = httpx.Client(
            mounts=direct_to_this_machine(self.url), **http_options(self.url, timeout_seconds)
        )
        self._auth = authentication.choose(self.url, key, self._refresh)

    def run(self, flow: Flow[Result]) -> Result:
        with of_platform(self.url):
            return self._drive(flow, self._reply)

    def items(self, listing: Listing[Result]) -> Iterator[Result]:
        """The items of a list; each page is requested when it is reached."""
        page = self.run(listing.page(None))
        yield from page.items
        while page.next_cursor:
            page = self.run(listing.page(page.next_cursor))
            yield from page.items

    def download(self, path: str, query: Mapping[str, str], target: Path) -> None:
        """Write a response of any length to a file. What broke off half-way leaves none."""
        with (
            explained("GET", self.url, path),
            whole_file(target) as file,
            self._http.stream("GET", path, params=query, auth=self._auth) as response,
        ):
            if not response.is_success:
                response.read()
            raise_unless_done(response)
            for piece in response.iter_bytes():
                file.write(piece)

    def use(self, session: Credentials) -> None:
        """Make all calls from now on with this session."""
        self._auth = SessionAuth(MemorySessions(session), self._refresh)

    def close(self) -> None:
        self._http.close()

    def _refresh(self, refresh_token: str) -> Credentials:
        return self.run(account.refresh(refresh_token))

    def _reply(self, request: Request) -> Reply:
        return self._drive(exchange(request, self._retries, self.url), self._send)

    def _send(self, request: Request) -> httpx.Response:
        auth = None if request.anonymous else self._auth
        options = dict(request.options)
        if "content" in options and not isinstance(options["content"], bytes):
            options["content"].seek(0)
        return self._http.request(request.method, request.path, auth=auth, **options)

    def _drive(self, flow: Flow[Result], perform: Callable[[Request], Any]) -> Result:
        with closing(flow):
            advance: Callable[[], Step] = partial(next, flow)
            while True:
                try:
                    step = advance()
                except StopIteration as end:
                    result: Result = end.value
                    return result
                try:
                    done = self._take(step, perform)
                except (httpx.TransportError, ModelportError) as error:
                    advance = partial(flow.throw, error)
                else:
                    advance = partial(flow.send, done)

    def _take(self, step: Step, perform: Callable[[Request], Any]) -> Any:
        if isinstance(step, Pause):
            return self._retries.sleep(step.seconds)
        return step.function() if isinstance(step, Work) else perform(step)
