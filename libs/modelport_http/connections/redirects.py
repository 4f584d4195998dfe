"""Redirects within a server, without a word of what its caller calls it."""

from urllib.parse import urlsplit, urlunsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class LocalRedirectsMiddleware:
    """Makes an absolute `Location` at this very host a path: Starlette builds them from `Host`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_locally(message: Message) -> None:
            if message["type"] == "http.response.start" and 300 <= message["status"] < 400:
                _shorten(MutableHeaders(scope=message), Headers(scope=scope).get("host", ""))
            await send(message)

        await self.app(scope, receive, send_locally)


def _shorten(headers: MutableHeaders, host: str) -> None:
    location = urlsplit(headers.get("location", ""))
    if location.netloc and location.netloc == host:
        headers["location"] = urlunsplit(location._replace(scheme="", netloc=""))
