"""What a server that stops sends its callers: to go elsewhere next, and at last that it could not finish."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modelport_http.problem import Problem, send_problem


class ClosingMiddleware:
    """Has each connection closed with its next response once `closing` is set: the next one then goes to
    a replica that stays."""

    def __init__(self, app: ASGIApp, closing: asyncio.Event) -> None:
        self._app = app
        self._closing = closing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def closing_send(message: Message) -> None:
            # Checked now, not when the request came: it may have been in flight for long.
            if message["type"] == "http.response.start" and self._closing.is_set():
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        await self._app(scope, receive, closing_send)


class StoppingMiddleware:
    """Outermost, directly below uvicorn: it alone cancels requests here, at the end of its graceful stop.

    Anywhere further in, a cancellation may be a caller's timeout, and must pass.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noting_send(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting_send)
        except asyncio.CancelledError:
            # Passed on, uvicorn would log it as a failure of the app and send a bare 500. Of a response
            # that has begun the connection is closed, so that nobody takes it for whole.
            if not begun:
                await send_problem(scope, send, stopping())


def stopping() -> Problem:
    """The response to a request that the graceful stop leaves no more time."""
    return Problem(
        status=503,
        detail="The platform is stopping and could not finish this request. Try again when it is back.",
        headers={"Retry-After": "5", "Connection": "close"},
    )
